"""Check digits of cards, accounts and national numbers."""

import re
from collections import Counter


def luhn(digits: str) -> bool:
    total = sum(sum(divmod(int(d) * (2 if i % 2 else 1), 10)) for i, d in enumerate(reversed(digits)))
    return total % 10 == 0


def iban_ok(value: str) -> bool:
    plain = re.sub(r"\s", "", value).upper()
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def steuer_digit(ten: str) -> str:
    product = 10
    for d in ten:
        product = ((int(d) + product) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


def national_ok(value: str, language: str) -> bool:
    """Whether a national number has the right form and check digit."""
    plain = re.sub(r"[ .\-/]", "", value).upper()
    if language == "en":
        return bool(re.fullmatch(r"(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}", plain))
    if language == "de":
        counts = sorted(Counter(plain[:10]).values())
        return len(plain) == 11 and plain[0] != "0" and counts[-1] in (2, 3) and steuer_digit(plain[:10]) == plain[10]
    if language == "fr":
        body = plain[:13].replace("2A", "19").replace("2B", "18")
        return len(plain) == 15 and 97 - int(body) % 97 == int(plain[13:])
    if language == "es":
        number = re.sub("^[XYZ]", lambda m: str("XYZ".index(m[0])), plain[:-1])
        return len(plain) == 9 and plain[-1] == "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
    ranks = [int(c) if c.isdigit() else ord(c) - 65 for c in plain[:15]]
    return len(plain) == 16 and chr(65 + sum(r if i % 2 else odd[r] for i, r in enumerate(ranks)) % 26) == plain[15]
