"""What logs say of people: that something happened, never to which conversation."""

import logging
import re

UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


class WithoutIds(logging.Filter):
    """Takes UUIDs out of messages: Django names the address of every page that it did not find."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if UUID.search(message):
            record.msg, record.args = UUID.sub("…", message), ()
        return True
