"""A labelled sample of chat messages for measuring a filter of sensitive text.

The sentences, documents and value generators below were written from general knowledge alone: whoever wrote them had
not read the rules of the filter they are meant to test, nor any of its test data.  Everything is invented and drawn
from a fixed seed, so `messages()` returns the same list every time (for one version of Faker).

Kinds, and what exactly a label covers:
  EMAIL     the address alone, without `mailto:` or angle brackets
  CARD      a payment card number that passes the Luhn check (not its expiry date or security code)
  IBAN      a bank account number that passes the mod 97 check, spaced or not
  PHONE     a phone number with its prefix, brackets and extension ("ext. 45"), never `tel.` or the like
  IP        an IPv4 or IPv6 address, public or private, without port, zone or prefix length
  MAC       a hardware address with colons, dashes or dots
  SECRET    a password, key or token alone; in a connection string only the password; a key block from BEGIN to END
  NATIONAL  US SSN, Spanish NIF/NIE, Italian codice fiscale, German Steuer-ID, French NIR, with right check digits
  NAME      a private person's name without the title ("Dr. [Weber]"): full, first or last name, with an initial, as
            "Weber, Anna" (one label), in any case; about one person in eight has a Polish, Turkish, Dutch or
            Portuguese name; names inside an e-mail address are part of the address
Not labelled: cities, firms, products, months, works and their figures, user handles, dates, order numbers, numbers that
fail their check digit, placeholders for secrets.  Postal addresses and dates of birth are not among the kinds.
Somewhat more than half of the messages hold a value; of the others most hold something that only looks like one.
"""

from dataclasses import dataclass
from random import Random

from tests.bench.labelled.texts import TEXTS
from tests.bench.labelled.writing import KINDS, Writer

SEED = 20240917
PER_LANGUAGE = 260


@dataclass(frozen=True)
class Label:
    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Message:
    language: str
    text: str
    labels: tuple[Label, ...]


def build(seed: int = SEED) -> list[tuple[Message, str]]:
    """All messages, each with what it was meant to be: "labelled", "look" or "none"."""
    rng = Random(seed)
    made: list[tuple[Message, str]] = []
    seen: set[str] = set()
    for language in TEXTS:
        writer = Writer(language, rng)
        aims = ["labelled"] * round(PER_LANGUAGE * 0.55) + ["none"] * round(PER_LANGUAGE * 0.16)
        aims += ["look"] * (PER_LANGUAGE - len(aims))
        rng.shuffle(aims)
        for aim in aims:
            while True:
                parts = writer.compose(aim)
                text = "".join(part for part, _ in parts)
                kinds = {kind for _, kind in parts if kind}
                reached = "labelled" if kinds - {"look"} else "look" if kinds else "none"
                if text not in seen and reached == aim:
                    break
            seen.add(text)
            labels, at = [], 0
            for part, kind in parts:
                if kind in KINDS:
                    labels.append(Label(at, at + len(part), kind))
                at += len(part)
            made.append((Message(language, text, tuple(labels)), aim))
    rng.shuffle(made)
    return made


def messages(seed: int = SEED) -> list[Message]:
    return [message for message, _ in build(seed)]
