"""Values of every kind, and things that only look like one, as the people of one language write them."""

import base64
import ipaddress
import re
import string
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from random import Random

from faker import Faker

from tests.bench.labelled.digits import iban_ok, luhn, national_ok, steuer_digit
from tests.bench.labelled.texts import COMMON, TEXTS

LOCALES = {"en": ("en_US", "en_GB"), "de": ("de_DE",), "fr": ("fr_FR",), "es": ("es_ES",), "it": ("it_IT",)}
NEIGHBOURS = ("pl_PL", "tr_TR", "nl_NL", "pt_PT")  # some people have names from elsewhere
BRANDS = (
    ("4", 16),
    ("4", 16),
    ("51", 16),
    ("54", 16),
    ("55", 16),
    ("2221", 16),
    ("34", 15),
    ("37", 15),
    ("6011", 16),
    ("36", 14),
    ("3530", 16),
    ("6759", 16),
)
KEYS = (  # prefix, alphabet, length of the random rest
    ("AKIA", "A", 16),
    ("ghp_", "a", 36),
    ("github_pat_", "a", 22),
    ("sk-", "a", 48),
    ("sk-proj-", "-", 64),
    ("sk-ant-api03-", "-", 93),
    ("xoxb-", "0", 12),
    ("sk_live_", "a", 24),
    ("rk_live_", "a", 24),
    ("AIza", "-", 35),
    ("SG.", "-", 22),
    ("npm_", "a", 36),
    ("pypi-AgEIcHlwaS5vcmc", "-", 60),
    ("glpat-", "-", 20),
    ("hf_", "l", 34),
    ("dop_v1_", "f", 64),
    ("", ":", 35),
    ("", "JWT", 43),
    ("", "JWT", 43),
    ("whsec_", "a", 32),
    ("ya29.", "-", 68),
    ("shpat_", "f", 32),
    ("gsk_", "a", 52),
    ("", "/", 40),
    ("SK", "f", 32),
    ("key-", "f", 32),
    ("", "f", 32),
    ("", "a", 40),
    ("tok_", "a", 20),
)
ALPHABETS = {
    "A": string.ascii_uppercase + "234567",
    "a": string.ascii_letters + string.digits,
    "0": string.digits,
    "-": string.ascii_letters + string.digits + "-_",
    "/": string.ascii_letters + string.digits + "+/",
    "f": "0123456789abcdef",
    "l": string.ascii_letters,
}


class Values:
    """Draws values and look-alikes of one language."""

    def __init__(self, language: str, rng: Random) -> None:
        self.language, self.rng = language, rng
        self.rows, self.sections = COMMON | TEXTS[language][0], TEXTS[language][1]
        self.fakers = {name: Faker(name) for name in (*LOCALES[language], *NEIGHBOURS)}
        for fake in self.fakers.values():
            fake.seed_instance(rng.randrange(2**32))
        self.used: Counter[str] = Counter()
        self.person = ("", "")
        self.locale = LOCALES[language][0]

    def pattern(self, text: str) -> str:
        """The text with ¤, ¥ and § replaced by any digit, a digit from 2 to 9, and a hex digit."""
        pools = {"¤": string.digits, "¥": "23456789", "§": "0123456789abcdef"}
        return re.sub("[¤¥§]", lambda m: self.rng.choice(pools[m[0]]), text)

    def digits(self, count: int) -> str:
        return self.pattern("¤" * count)

    def draw(self, alphabet: str, count: int) -> str:
        return "".join(self.rng.choices(ALPHABETS[alphabet], k=count))

    def grouped(self, text: str, sizes: tuple[int, ...], gap: str) -> str:
        ends = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
        return gap.join(text[a:b] for a, b in pairwise(ends))

    def value(self, slot: str) -> str:
        made: Callable[[], str] = getattr(self, "make_" + slot.lower())
        return made()

    def new_person(self) -> tuple[str, str]:
        fake = self.fakers[self.rng.choice(NEIGHBOURS) if self.rng.random() < 0.12 else self.locale]
        last = fake.last_name()
        while " " in last:
            last = fake.last_name()
        if self.language == "es" and self.rng.random() < 0.5:
            last += " " + self.fakers["es_ES"].last_name()
        self.person = (fake.first_name(), last)
        return self.person

    def make_name(self) -> str:
        first, last = self.new_person()
        style = self.rng.random()
        if style < 0.06:
            return f"{first} {last}".upper()
        if style < 0.14:
            return f"{first} {last}".lower()
        if style < 0.2 and self.language in ("fr", "it"):
            return f"{last.upper()} {first}"
        return f"{first} {self.rng.choice('ABEGHLMPRST')}. {last}" if style > 0.95 else f"{first} {last}"

    def make_first(self) -> str:
        return self.new_person()[0]

    def make_last(self) -> str:
        return self.new_person()[1]

    def make_initial(self) -> str:
        first, last = self.new_person()
        middle = self.rng.choice("ACFJLMR")
        return self.rng.choice(
            (
                f"{first[0]}. {last}",
                f"{first[0]}. {middle}. {last}",
                f"{first[0]}.{middle}. {last}",
                f"{first} {last[0]}.",
            )
        )

    def make_listed(self) -> str:
        first, last = self.new_person()
        return f"{last}, {first}"

    def make_email(self) -> str:
        first, last = self.person if self.person[0] and self.rng.random() < 0.6 else self.new_person()
        plain = [re.sub("[^a-z]", "", self.ascii(part.split()[0])) or "info" for part in (first, last)]
        providers = ["gmail.com", "outlook.com", "icloud.com", *self.rows["mail"]]
        domain = self.rng.choice(
            (
                *providers,
                *providers,
                f"{plain[1]}.com",
                f"mail.{plain[1]}-group.eu",
                "uni-example.edu",
                "kontor24.net",
                "my-shop.co.uk",
                "studio.design",
            )
        )
        f, n = plain
        local = self.rng.choice(
            (
                f"{f}.{n}",
                f"{f[0]}.{n}",
                f"{f}_{n}",
                f"{f}¤¤",
                f"{n}-{f}",
                f"{f}.{n}+news",
                f"{f}{n}19¥¤",
                n,
                f"{f.title()}.{n.title()}",
            )
        )
        return self.pattern(f"{local}@{domain}")

    @staticmethod
    def ascii(text: str) -> str:
        before, after = "äöüßéèêëáàâíìîïóòôúùûñçãõłńśźżóęąćışğ", "aouseeeeaaaiiiiooouuuncaolnszzoeacisg"
        return text.lower().translate(str.maketrans(before, after))

    def make_card(self) -> str:
        prefix, length = self.rng.choice(BRANDS)
        body = prefix + self.digits(length - len(prefix) - 1)
        number = next(body + d for d in string.digits if luhn(body + d))
        sizes = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}[length]
        return self.grouped(number, sizes, self.rng.choice((" ", " ", "-", "")))

    def make_iban(self) -> str:
        number = self.fakers[self.locale if self.rng.random() < 0.85 else "nl_NL"].iban()
        spaced = " ".join(number[i : i + 4] for i in range(0, len(number), 4))
        return self.rng.choice((number, spaced, spaced, spaced.lower() if self.rng.random() < 0.3 else number))

    def make_phone(self) -> str:
        return self.pattern(self.rng.choice(self.rows[self.locale]))

    def make_ip(self) -> str:
        return self.make_ipsix() if self.rng.random() < 0.3 else self.make_ipfour()

    def make_ipfour(self) -> str:
        if self.rng.random() < 0.25:
            network = self.rng.choice(("192.168", "10.0", "172.16", "10.20"))
            return f"{network}.{self.rng.randint(0, 250)}.{self.rng.randint(2, 250)}"
        return self.fakers[self.locale].ipv4_public()

    def make_ipsix(self) -> str:
        start = self.rng.choice(("2a02:8108:", "2001:41d0:", "2600:1f18:", "fe80::", "2a01:e0a:", "fd12:3456:"))
        if start == "fe80::":
            return start + ":".join(self.draw("f", 4) for _ in range(4))
        if self.rng.random() < 0.4:
            return start + f"{self.draw('f', 3)}::{self.rng.randint(1, 9999):x}"
        full = ipaddress.IPv6Address(start + ":".join(self.draw("f", 4) for _ in range(8 - start.count(":"))))
        return self.rng.choice((full.exploded, full.compressed, full.exploded.upper()))

    def make_mac(self) -> str:
        plain = "".join(self.draw("f", 2) for _ in range(6))
        styled = self.rng.choice(
            (
                self.grouped(plain, (2,) * 6, ":"),
                self.grouped(plain, (2,) * 6, ":"),
                self.grouped(plain, (2,) * 6, "-"),
                self.grouped(plain, (4, 4, 4), "."),
            )
        )
        return styled.upper() if self.rng.random() < 0.5 else styled

    def make_password(self) -> str:
        word, other = self.rng.sample(self.rows["words"], 2)
        mixed = string.ascii_letters + string.digits
        return self.pattern(
            self.rng.choice(
                (
                    f"{word.lower()}¥",
                    f"{word.title()}20¤¤!",
                    f"{word}_¤¤",
                    f"{word}-{other}-¤¤",
                    f"{word.title()}{other.title()}¤¤#",
                    word.translate(str.maketrans("oea", "03@")) + "¤¤",
                    f"{word.upper()}.¤¤¤",
                    f"{self.draw('l', 4)}-{self.draw('a', 8)}",
                    "".join(self.rng.choices(mixed + "!#$%*?+", k=self.rng.randint(8, 15))) + self.draw("a", 1),
                )
            )
        )

    def make_urlpass(self) -> str:
        word = self.rng.choice(self.rows["words"])
        return self.rng.choice((self.draw("a", 14), word + self.digits(4), self.draw("-", 19) + "x"))

    def make_prefixed(self) -> str:
        """A key that can be told without any word around it."""
        return self.make_key(KEYS[:23])

    def make_key(self, keys: tuple[tuple[str, str, int], ...] = KEYS) -> str:
        prefix, alphabet, length = self.rng.choice(keys)
        if alphabet == "JWT":
            claims = f'{{"sub":"{self.digits(10)}","exp":1{self.digits(9)}}}'
            halves = [
                base64.urlsafe_b64encode(half.encode()).decode().rstrip("=")
                for half in ('{"alg":"HS256","typ":"JWT"}', claims)
            ]
            return ".".join((*halves, self.draw("-", length)))
        if alphabet == ":":
            return f"{self.digits(10)}:AA{self.draw('-', 33)}"
        rest = self.draw(alphabet, length)
        if alphabet == "-":  # so that no key ends in a dash
            rest = rest[:-1] + self.draw("a", 1)
        tail = {
            "xoxb-": f"-{self.digits(13)}-{self.draw('a', 24)}",
            "SG.": f".{self.draw('-', 42)}x",
            "github_pat_": f"_{self.draw('a', 59)}",
        }
        return prefix + rest + tail.get(prefix, "")

    def make_pem(self) -> str:
        name = self.rng.choice(("RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY"))
        lines = [self.draw("/", 64) for _ in range(self.rng.randint(3, 12))] + [self.draw("/", 30) + "=="]
        return "\n".join((f"-----BEGIN {name}-----", *lines, f"-----END {name}-----"))

    def make_pemline(self) -> str:
        return self.make_pem().replace("\n", "\\n")

    def make_national(self) -> str:
        fake, rng = self.fakers[LOCALES[self.language][0]], self.rng
        if self.language == "de":
            ten = rng.sample(string.digits, 9)
            ten.insert(rng.randrange(1, 9), rng.choice(ten))
            if ten[0] == "0":
                return self.make_national()
            plain = "".join(ten) + steuer_digit("".join(ten))
            return self.grouped(plain, (2, 3, 3, 3), rng.choice((" ", "")))
        if self.language == "en":
            return fake.ssn().replace("-", rng.choice(("-", "-", "-", " ")))
        if self.language == "es":
            number = fake.nif() if rng.random() < 0.75 else fake.nie()
            dotted = f"{number[:2]}.{number[2:5]}.{number[5:8]}-{number[8]}" if number[0].isdigit() else number
            return rng.choice((number, number, f"{number[:-1]}-{number[-1]}", dotted, number.lower()))
        number = fake.ssn()
        while not national_ok(number, self.language):
            number = fake.ssn()
        if self.language == "fr":
            return self.grouped(number, (1, 2, 2, 2, 3, 3, 2), rng.choice((" ", "")))
        return rng.choice((number, number, self.grouped(number, (3, 3, 5, 5), " "), number.lower()))

    def look(self, slot: str) -> str:
        """A harmless thing; long numbers among them never pass the Luhn check."""
        while True:
            text = self.raw_look(slot)
            runs = re.findall(r"\d(?:[ -]?\d){12,18}", text)
            if not any(luhn(re.sub(r"\D", "", run)) for run in runs) and not (slot == "track" and iban_ok(text)):
                return text

    def raw_look(self, slot: str) -> str:
        rng, day, month, year = self.rng, self.rng.randint(1, 28), self.rng.randint(1, 12), self.rng.randint(1998, 2026)
        if slot in self.rows:
            return self.pattern(rng.choice(self.rows[slot]))
        clock = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
        iso = f"{year}-{month:02}-{day:02}"
        numeric = {"en": "{1:02}/{0:02}/{2}", "de": "{0:02}.{1:02}.{2}", "es": "{0}-{1}-{2}"}
        named = {"en": "{1} {0}, {2}", "de": "{0}. {1} {2}", "es": "{0} de {1} de {2}"}
        as_numbers = numeric.get(self.language, "{0:02}/{1:02}/{2}").format(day, month, year)
        as_words = named.get(self.language, "{0} {1} {2}").format(day, self.rows["month"][month - 1], year)
        isbn = f"978{self.pattern('¤' * 9)}"
        isbn += str(-sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(isbn)) % 10)
        options = {
            "date": (as_numbers, as_words, iso),
            "isodate": (iso,),
            "time": (clock, clock.replace(":", "."), f"{clock}:{rng.randint(0, 59):02}"),
            "stamp": (f"{iso} {clock}:{day:02}",),
            "isbn": (isbn, self.grouped(isbn, (3, 1, 4, 4, 1), "-")),
        }
        return rng.choice(options[slot])
