"""Messages as people write them: a template is filled, put among others, and roughened."""

import re

from tests.bench.labelled.texts import CLEAN_DOCUMENTS, LABELLED_DOCUMENTS
from tests.bench.labelled.values import LOCALES, Values

KINDS = ("EMAIL", "CARD", "IBAN", "PHONE", "IP", "MAC", "SECRET", "NATIONAL", "NAME")
EMOJI = ("🙂", "🙏", "😅", "🎉", "❤️", "👀", "🤔", "👍🏽")
WRAPS = ("****", "``", '""', "()", "[]", "«»", "„“", "''", "__", "<>")
Part = tuple[str, str]  # text and kind: "" for prose, "look" for a look-alike, else one of KINDS
KIND_OF = {
    **{kind: kind for kind in KINDS},
    "FIRST": "NAME",
    "LAST": "NAME",
    "INITIAL": "NAME",
    "LISTED": "NAME",
    "IPFOUR": "IP",
    "IPSIX": "IP",
}
KIND_OF |= dict.fromkeys(("PASSWORD", "URLPASS", "KEY", "PREFIXED", "PEM", "PEMLINE"), "SECRET")
ROWS = ("EMAIL", "CARD", "IBAN", "PHONE", "IP", "MAC", "PASSWORD", "KEY", "NATIONAL", "NAME")


class Writer(Values):
    """Fills templates and roughens the prose of one language."""

    def scarce(self, count: int, looks: float) -> list[str]:
        """Rows for a message, the kinds used least so far first, now and then a look-alike among them."""
        ranked = sorted(ROWS, key=lambda row: self.used[row] + self.rng.random() * 6)[:count]
        return [ranked[0]] + ["LOOK" if self.rng.random() < looks else row for row in ranked[1:]]

    def fill(self, template: str, clean: bool, wrap: bool = True) -> list[Part]:
        letters = [letter for letter in "ABC" if f"{{{letter}}}" in template]
        rows = ["LOOK"] * 3 if clean else self.scarce(3, 0.2)
        chosen = rows[: len(letters)]
        self.rng.shuffle(chosen)
        for letter, row in zip(letters, chosen, strict=True):
            choices = self.rows[row] if row == "LOOK" else self.rows[row][1:]
            template = template.replace(f"{{{letter}}}", self.rng.choice(choices))
        parts: list[Part] = []
        for index, piece in enumerate(re.split(r"\{([A-Za-z1]+)\}", template)):
            if index % 2 == 0:
                parts.append((piece, ""))
            elif piece in KIND_OF:
                self.used[piece] += 1
                parts.append((self.value(piece), KIND_OF[piece]))
            else:
                parts.append((self.look(piece), "look"))
            if index % 2 and wrap and self.rng.random() < 0.07:
                marks = self.rng.choice(WRAPS)
                half = len(marks) // 2
                parts[-1:] = [(marks[:half], ""), parts[-1], (marks[half:], "")]
        return [part for part in parts if part[0]]

    def form(self, clean: bool) -> list[Part]:
        """A form, table or data file with headings of this language."""
        harmless = self.rng.sample(self.rows["fields"], self.rng.randint(3, 5) if clean else 2)
        cells = [field.partition("=")[::2] for field in harmless]
        if not clean:
            cells += [(self.rows[row][0], f"{{{row}}}") for row in self.scarce(self.rng.randint(2, 4), 0)]
            self.rng.shuffle(cells)
        heads, slots = zip(*cells, strict=True)
        rng, lines = self.rng, range(self.rng.randint(1, 3))
        table = (heads, *(slots for _ in lines))
        edge, comma = ('"', '","') if self.language == "en" else ("", ";")  # elsewhere commas are in the decimals
        template = {
            "plain": lambda: "\n".join(f"{h}: {s}" for h, s in cells),
            "odd": lambda: "\n".join(f"{h.upper()}.....{s}" for h, s in cells),
            "csv": lambda: "\n".join(f"{edge}{comma.join(row)}{edge}" for row in table),
            "tabs": lambda: "\n".join("\t".join(row) for row in table),
            "markdown": lambda: "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["--"] * len(cells), *table[1:])),
            "json": lambda: "{\n" + ",\n".join(f'  "{h}": "{s}"' for h, s in cells) + "\n}",
            "short json": lambda: "[{" + ",".join(f'"{h}":"{s}"' for h, s in cells) + "}]",
            "settings": lambda: "[demo]\n" + "\n".join(f"{h.replace(' ', '_').lower()}={s}" for h, s in cells),
            "list": lambda: "\n".join(f"- **{h}:** {s}" for h, s in cells),
            "run": lambda: ", ".join(f"{h} {s}" for h, s in cells),
        }
        return self.fill(rng.choice(list(template.values()))(), clean, wrap=False)

    def roughen(self, parts: list[Part]) -> list[Part]:
        """Lower case, missing punctuation, typos, odd spacing; values stay, but for the case of names."""
        mood = self.rng.random()
        done: list[Part] = []
        for text, kind in parts:
            if mood < 0.2 and kind in ("", "NAME", "EMAIL"):
                text = text.lower()
            if kind == "":
                if mood < 0.13 or mood > 0.9:
                    text = re.sub(r"[,.!?;…]+(?=\s|$)|[¿¡]", "", text)
                if 0.1 < mood < 0.3:
                    text = re.sub(r"\b[^\W\d_]{5,}\b", self.typo, text)
                if 0.3 < mood < 0.37:
                    text = re.sub(" ", lambda m: self.rng.choice((" ", " ", " ", "  ", "\n", "   ", "\u00a0")), text)
                if 0.37 < mood < 0.4:
                    text = text.upper()
            done.append((text, kind))
        if 0.4 < mood < 0.5:
            done.append((" " + self.rng.choice(EMOJI) * self.rng.randint(1, 2), ""))
        return done

    def typo(self, match: re.Match[str]) -> str:
        word, at = match[0], self.rng.randint(1, len(match[0]) - 2)
        if self.rng.random() > 0.15:
            return word
        before, letter, after = word[:at], word[at], word[at + 1 :]
        return before + self.rng.choice((after[0] + letter + after[1:], after, letter + letter + after))

    def compose(self, aim: str) -> list[Part]:
        """The parts of one message; `aim` is "labelled", "look" (only look-alikes) or "none" (neither)."""
        rng, clean = self.rng, aim != "labelled"
        self.locale, self.person = rng.choice(LOCALES[self.language]), ("", "")
        explicit = re.compile("|".join(f"{{{slot}}}" for slot in KIND_OF))
        carriers = [t for t in self.sections["carriers"] if not clean or not explicit.search(t)]
        quiet = [t for t in self.sections["plain"] if "{" not in t]
        if aim == "none":
            blocks = [self.fill(t, True) for t in rng.sample(quiet, rng.choice((1, 1, 2, 3)))]
        elif rng.random() < 0.3:
            documents = CLEAN_DOCUMENTS if clean else LABELLED_DOCUMENTS
            whole = self.fill(rng.choice(documents), clean, wrap=False) if rng.random() < 0.5 else self.form(clean)
            asked: list[Part] = [(rng.choice(self.rows["ask"]), "")]
            gap: Part = (rng.choice(("\n\n", "\n", "\n\n\n")), "")
            return rng.choice(([*asked, gap, *whole], [*whole, gap, *asked], whole, [*asked, (": ", ""), *whole]))
        else:
            pool = [t for t in self.sections["plain"] if "{" in t] + carriers if aim == "look" else carriers
            blocks = [self.fill(rng.choice(pool), clean)]
            if rng.random() < 0.3:  # a long message, the value at its start, middle or end
                blocks += [self.fill(t, clean) for t in rng.sample(quiet, rng.randint(1, 2))]
                if rng.random() < 0.4:
                    blocks.append(self.fill(rng.choice(pool), clean))
                rng.shuffle(blocks)
        if rng.random() < 0.3:
            blocks[0] = [(rng.choice(self.rows["open"]) + rng.choice((" ", "\n", " ")), ""), *blocks[0]]
        if rng.random() < 0.25:
            blocks[-1] = [*blocks[-1], (rng.choice((" ", "\n", "\n\n")) + rng.choice(self.rows["close"]), "")]
        parts: list[Part] = []
        for number, block in enumerate(blocks):
            parts += ([(rng.choice(("\n\n", "\n\n", "\n", " ")), "")] if number else []) + block
        return self.roughen(parts)
