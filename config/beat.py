"""What background workers do by the clock (beat): each task may run twice, late, or on any of them."""

from datetime import timedelta
from typing import Any

from celery.schedules import crontab

TASKS: dict[str, dict[str, Any]] = {
    "revive silent answers": {"task": "chat.tasks.revive_silent_answers", "schedule": timedelta(seconds=5)},
    "render what was missed": {"task": "chat.tasks.render_missed", "schedule": timedelta(seconds=30)},
    "go on with training sets": {"task": "chat.tasks.go_on_with_training_sets", "schedule": timedelta(seconds=60)},
    "remind the undecided": {"task": "privacy.tasks.remind", "schedule": timedelta(seconds=60)},
    "say what ends soon": {"task": "privacy.tasks.say_what_ends", "schedule": timedelta(hours=1)},
    "send what reviews tell": {"task": "privacy.tasks.send_letters", "schedule": timedelta(seconds=60)},
    "purge what is due": {"task": "privacy.tasks.sweep", "schedule": timedelta(seconds=60)},
    "tell staff of a stopped sweep": {"task": "privacy.tasks.tell_staff", "schedule": timedelta(seconds=60)},
    "erase who has left": {"task": "privacy.tasks.erase_the_rest", "schedule": timedelta(seconds=60)},
    # Within a second, also while both processes of the other worker are at something long.
    "carry deletions to the log": {
        "task": "privacy.tasks.log_deletions",
        "schedule": timedelta(seconds=0.5),
        "options": {"queue": "generation", "expires": 5},
    },
    "look after files of people's data": {
        "task": "privacy.tasks.look_after_exports",
        "schedule": timedelta(seconds=60),
    },
    "go on re-tagging": {"task": "privacy.tasks.retag_the_rest", "schedule": timedelta(seconds=60)},
    # In the night, by the clock of TIME_ZONE.
    "check that tags are true": {"task": "privacy.tasks.check_tags", "schedule": crontab(hour=3, minute=17)},
    "overwrite what was purged": {"task": "privacy.tasks.scrub", "schedule": timedelta(seconds=60)},
    "grow the ledger's tree": {"task": "privacy.tasks.grow_tree", "schedule": timedelta(seconds=10)},
    "give late events their leaves": {
        "task": "privacy.tasks.grow_tree",
        "kwargs": {"everything": True},
        "schedule": timedelta(hours=1),
    },
    "drop old salts": {"task": "privacy.tasks.drop_salts", "schedule": timedelta(hours=1)},
}
