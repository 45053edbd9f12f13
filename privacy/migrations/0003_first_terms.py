"""A new installation begins with terms of its own, so that nobody ever chats without having been asked.

They are Parley's below, published at this moment, or those that the operator has written down (FIRST_TERMS).
"""

from pathlib import Path

from django.conf import settings
from django.db import migrations
from django.utils import timezone

from privacy.first_terms import written

SLUG = "1"
SUMMARY = """\
You chat with a language model; the page says which one, and who operates it, before you write.
You decide whether your chats may be used to train models. Nothing is preselected, and no answer costs you anything.
Chats that may train are kept for 5 years after their last message, all others for 30 days, or for as long as you wish.
What you delete is hidden at once, never trains, and is purged within a day.
You can change your answer at any time on your privacy page."""
BODY = """\
## What Parley does with your words

Parley sends what you write to the language model that the page names, and keeps your chats so that you can come back
to them. Nobody reads them for curiosity: staff see what applies to a chat, not what is said in it.

## Training

Your chats are used to train models only if you say so. An "Allow" covers chats that you begin after it, for as long as
it stands. Turning it off ends it for all of them; turning it on again begins anew and covers only what comes after.
Temporary chats, deleted chats, and chats of people who are under 18 or whose age is unknown never train models.

Refusing changes nothing else: not the price, not the limits, not your history.

## How long chats are kept

The table below says how long each kind of chat is kept, counted from its last message. You can ask to keep your
history beside either answer; your list then stays until you delete from it.

## Deleting

A chat that you delete disappears from every page at once and is purged from Parley's systems within a day.

## Work

Chats in a Work workspace follow that workspace's agreement. They never train models unless an owner of the workspace
has explicitly said so. Nothing that you choose for yourself changes that, and nothing there changes what you chose.

## Evidence

What you were asked and what you answered is written to a record that cannot be changed afterwards, without your name.
"""


def publish(apps, schema_editor):
    first = {"title": "Parley's terms", "summary": SUMMARY, "body": BODY, "published_at": timezone.now()}
    if settings.FIRST_TERMS:
        first |= written(Path(settings.FIRST_TERMS))
    # Going back leaves them where they are, so going forward again finds them.
    apps.get_model("privacy", "Terms").objects.get_or_create(slug=SLUG, defaults=first)


def keep(apps, schema_editor):
    """Published terms are never taken back; going back to an empty database drops the table itself."""


class Migration(migrations.Migration):
    dependencies = [("privacy", "0002_append_only")]
    operations = [migrations.RunPython(publish, keep)]
