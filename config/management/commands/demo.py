"""`manage.py demo`: people on each plan, so that there is something to look at."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.demo.conversations import lay_out
from config.demo.people import EVERYBODY, settle
from config.environment import generated_secret


class Command(BaseCommand):
    help = "Makes the demonstration's people with their conversations, once, and prints who they are."

    def handle(self, *args: Any, **options: Any) -> None:
        password = generated_secret(settings.DATA_DIR, "demo_password")
        people = {persona: settle(persona, password) for persona in EVERYBODY}
        lay_out(people)
        self.stdout.write("The people of the demonstration:")
        for persona, person in people.items():
            self.stdout.write(f"  {person.email:<26}{persona.name}, {persona.about}")
        self.stdout.write(f"Their password: {password}")
        self.stdout.write(f"(kept in {settings.DATA_DIR / 'secrets' / 'demo_password'})")
