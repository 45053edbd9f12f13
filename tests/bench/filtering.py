"""What the filter finds of values that are known, in five languages: precision and recall by type. By hand.

    uv run python -m tests.bench.filtering

Messages are sentences around values made by Faker, half of them with none. A value counts as found where nothing of it
is left; a placeholder counts as right where it stands for a value of its type.
"""

import os
import random
import re
import time
from collections import Counter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

SENTENCES = {
    "en_US": ["Please write to {} today.", "It is {}, I think.", "Can you check {} for me?"],
    "de_DE": ["Bitte schreib heute an {}.", "Es ist {}, glaube ich.", "Kannst du {} für mich prüfen?"],
    "fr_FR": ["Écris à {} aujourd'hui.", "C'est {}, je crois.", "Peux-tu vérifier {} pour moi ?"],
    "es_ES": ["Escribe a {} hoy.", "Es {}, creo.", "¿Puedes comprobar {} para mí?"],
    "it_IT": ["Scrivi a {} oggi.", "È {}, credo.", "Puoi controllare {} per me?"],
}
KINDS = {
    "EMAIL": lambda fake: fake.email(),
    "CARD": lambda fake: fake.credit_card_number("visa"),
    "IBAN": lambda fake: fake.iban(),
    "PHONE": lambda fake: fake.phone_number(),
    "IP": lambda fake: fake.random_element([fake.ipv4(), fake.ipv6()]),
    "SECRET": lambda fake: "AKIA" + fake.password(16, special_chars=False, lower_case=False),
}
PLACEHOLDER = re.compile(r"\[([A-Z]+)_\d+\]")


def main() -> None:
    import django

    django.setup()
    from faker import Faker

    from chat.training import filtering

    chance = random.Random(7)
    there, found, right, said, unsure = (Counter[str]() for _ in range(5))
    messages, began = 0, time.perf_counter()
    for language, sentences in SENTENCES.items():
        fake = Faker(language)
        fake.seed_instance(7)
        for number in range(240):
            kind = list(KINDS)[number // 2 % len(KINDS)] if number % 2 else ""
            value = KINDS[kind](fake) if kind else f"{fake.word()} {fake.date()} {chance.randrange(10_000)}"
            text = f"{fake.text(200)} {chance.choice(sentences).format(value)} {fake.text(100)}"
            messages += 1
            there[kind] += bool(kind)
            try:
                (cleaned,) = filtering.clean([text])
            except filtering.Unsure:
                unsure[kind or "nothing"] += 1
                found[kind] += bool(kind)  # it is left out
                continue
            for one in PLACEHOLDER.findall(cleaned):
                said[one] += 1
                right[one] += one == kind
            found[kind] += bool(kind) and value not in cleaned
    took = time.perf_counter() - began
    print(f"{messages} messages in {len(SENTENCES)} languages, {took / messages * 1000:.1f} ms each")
    print("| type | there | precision | recall |\n|---|---|---|---|")
    for kind in KINDS:
        precision = right[kind] / said[kind] if said[kind] else 1
        print(f"| {kind} | {there[kind]} | {precision:.3f} | {found[kind] / there[kind]:.3f} |")
    print("left out as unsure:", dict(unsure), "other placeholders:", {k: n for k, n in said.items() if k not in KINDS})


if __name__ == "__main__":
    main()
