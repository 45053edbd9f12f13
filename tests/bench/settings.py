"""The product's settings with one address more: a view that only inserts a row."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.urls"
