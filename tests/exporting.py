"""The file of a person's data, as it is made and as the page hands it over."""

import json
from typing import Any

from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import reverse

from accounts.models import User
from privacy import portability

EXPORT, DOCUMENT = "privacy:export", "privacy:export_document"


def exported(user: User) -> Any:
    return json.loads(b"".join(portability.document(user)))


def fetched(client: Client) -> tuple[int, bytes]:
    """Status and body of what the page hands over, read to its end."""
    answer = client.post(reverse(DOCUMENT))
    return answer.status_code, async_to_sync(read)(answer) if answer.streaming else answer.content


async def read(answer: Any) -> bytes:
    return b"".join([piece async for piece in answer.streaming_content])
