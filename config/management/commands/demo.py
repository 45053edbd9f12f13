"""`manage.py demo`: people on each plan with conversations, so that there is something to look at."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from accounts.models import User
from config.demo.conversations import lay_out
from config.demo.people import EVERYBODY, settle, works
from config.environment import generated_secret


class Command(BaseCommand):
    help = "Makes the demonstration's people with their conversations, each once, and prints who they are."

    def handle(self, *args: Any, **options: Any) -> None:
        password = generated_secret(settings.DATA_DIR, "demo_password")
        with transaction.atomic():
            # Whoever is there already is left alone, with whatever has been said, chosen and deleted since.
            addresses = [persona.email for persona in EVERYBODY]
            there = set(User.objects.filter(email__in=addresses).values_list("email", flat=True))
            people = {persona: settle(persona, password) for persona in EVERYBODY}
            for persona, person in people.items():
                if person.email not in there:
                    lay_out(person, persona, works(password))
        self.stdout.write("The people of the demonstration:")
        for persona, person in people.items():
            self.stdout.write(f"  {person.email:<26}{persona.name}, {persona.about}")
        self.stdout.write(f"Their password: {password}")
        self.stdout.write(f"(kept in {settings.DATA_DIR / 'secrets' / 'demo_password'})")
