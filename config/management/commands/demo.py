"""`manage.py demo`: people on each plan with conversations, so that there is something to look at."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from config.demo import crowd, plain, story
from config.demo.people import STELLA, Persona
from config.demo.story import Life
from config.demo.telling import tell
from config.environment import generated_secret
from privacy.models import Terms


class Command(BaseCommand):
    help = "Makes the demonstration's people with their conversations, each once, and prints who they are."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PUBLIC_ORIGIN:
            raise CommandError(
                "The demonstration makes staff whom others could sign in as. It is not for a public place."
            )
        password = generated_secret(settings.DATA_DIR, "demo_password")
        if story.can_be_told():
            known, others = story.lives(), crowd.lives()
            tell({**known, **others}, password, reminded=True)
            self.stdout.write("The people of the demonstration, and what they did about the terms of 28 August 2025:")
            self._name(known)
            self.stdout.write(f"  and {len(others)} more (person-1@… to person-{len(others)}@…), for the figures that")
            self.stdout.write(f"  {STELLA.name} sees at {self._figures()}.")
            self.stdout.write("(It is a story: the dates of 2025 are told, and nobody was written to.)")
        else:
            known = plain.lives()
            tell(known, password, reminded=False)
            self.stdout.write("The people of the demonstration:")
            self._name(known)
            self.stdout.write("(The story of the terms of 2025 needs a fresh data folder: terms never change.)")
        self.stdout.write(f"Their password: {password}")
        self.stdout.write(f"(kept in {settings.DATA_DIR / 'secrets' / 'demo_password'})")

    def _name(self, lives: Mapping[Persona, Life]) -> None:
        for persona, life in lives.items():
            did = f": {life.did}" if life.did else ""
            self.stdout.write(f"  {persona.email:<26}{persona.name}, {persona.about}{did}")

    def _figures(self) -> str:
        return reverse("admin:privacy_terms_figures", args=[Terms.objects.get(slug=story.AUGUST).pk])
