"""Characters that make a text look like another one."""

REPLACEMENT = "\ufffd"

# C0 and C1 controls but tab and line ends; lone surrogates, which no encoder takes; and the bidirectional
# embeddings and overrides, which show a text in another order than it is read or copied in. (Marks and
# isolates stay: Arabic and Hebrew prose needs them, and they end with their paragraph.)
_CONTROLS = [*range(0x09), 0x0B, *range(0x0E, 0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)]
_OVERRIDES = [*range(0x202A, 0x202F)]
_HARMLESS = dict.fromkeys([*_CONTROLS, *_OVERRIDES], REPLACEMENT)

# In code even those deceive: what is compiled is not what is seen ("Trojan Source", CVE-2021-42574).
_VISIBLE_IN_CODE = dict.fromkeys([*range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C], REPLACEMENT)


def made_harmless(text: str) -> str:
    return text.translate(_HARMLESS)


def made_visible(code: str) -> str:
    return code.translate(_VISIBLE_IN_CODE)
