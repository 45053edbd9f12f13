#!/usr/bin/env python
"""Parley's command line: `manage.py up` runs the whole product; the rest are Django's commands and ours."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["up"]:
        # It minds processes and needs no Django, which would take a second and a hundred megabytes.
        from config.up.command import main as up

        sys.exit(up(sys.argv[2:]))

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
