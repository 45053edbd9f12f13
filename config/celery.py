"""The Celery application: `celery -A config worker`."""

import os

from celery import Celery

from config.beating import BeatAgain

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("parley")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(BeatAgain)
