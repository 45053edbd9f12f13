"""Checks every label, and prints how many there are of each kind, with some messages: python -m tests.bench.labelled"""

import ipaddress
import re
from collections import Counter
from random import Random

from tests.bench.labelled import SEED, Message, build, messages
from tests.bench.labelled.digits import iban_ok, luhn, national_ok
from tests.bench.labelled.texts import TEXTS
from tests.bench.labelled.writing import KINDS


def check(message: Message) -> None:
    """Labels in order, apart, inside the text, and each on a whole value of its kind."""
    end = 0
    for label in message.labels:
        assert end <= label.start < label.end <= len(message.text), message
        end = label.end
        value = message.text[label.start : label.end]
        assert value == value.strip(), value
        plain = re.sub(r"[ -]", "", value)
        match label.kind:
            case "EMAIL":
                good = bool(re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", value, re.ASCII))
            case "CARD":
                good = plain.isdigit() and len(plain) in (14, 15, 16) and luhn(plain)
            case "IBAN":
                good = iban_ok(value)
            case "PHONE":
                good = 9 <= sum(c.isdigit() for c in value) <= 15
            case "IP":
                good = bool(ipaddress.ip_address(value))
            case "MAC":
                good = bool(re.fullmatch("[0-9a-f]{12}", re.sub("[:.-]", "", value.lower())))
            case "SECRET":
                good = len(value) >= 6 and (" " not in value or "PRIVATE KEY" in value)
            case "NATIONAL":
                good = national_ok(value, message.language)
            case _:
                good = label.kind == "NAME" and len(value) > 1 and not any(c.isdigit() for c in value)
        assert good, (label.kind, value)


def marked(message: Message) -> str:
    text = message.text
    for label in reversed(message.labels):
        text = f"{text[: label.start]}⟦{label.kind} {text[label.start : label.end]}⟧{text[label.end :]}"
    return text


def main() -> None:
    made = build()
    for message, _ in made:
        check(message)
    assert [message for message, _ in made] == messages()
    counts = Counter((message.language, label.kind) for message, _ in made for label in message.labels)
    aims = Counter((message.language, aim) for message, aim in made)
    print(f"{len(made)} messages, {sum(counts.values())} values")
    print("      " + "".join(f"{kind:>9}" for kind in (*KINDS, "labelled", "look", "none")))
    for language in (*TEXTS, "all"):
        chosen = tuple(TEXTS) if language == "all" else (language,)
        cells = [sum(counts[one, kind] for one in chosen) for kind in KINDS]
        cells += [sum(aims[one, aim] for one in chosen) for aim in ("labelled", "look", "none")]
        print(f"{language:6}" + "".join(f"{cell:9}" for cell in cells))
    for message, _ in Random(SEED + 1).sample(made, 20):
        print(f"\n--- {message.language}\n{marked(message)}")


if __name__ == "__main__":
    main()
