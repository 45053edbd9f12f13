"""What every page says about the model: which one, and who operates it, before anybody writes."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from chat.recipients import named


def model_in_use(request: HttpRequest) -> dict[str, Any]:
    label, operator = settings.MODEL["label"], settings.MODEL["operator"]
    return {"model_in_use": {"label": label, "operator": operator, "sentence": named(label, operator)}}
