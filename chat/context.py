"""What every page says about the model: which one, and who operates it, before anybody writes."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def model_in_use(request: HttpRequest) -> dict[str, Any]:
    model = settings.MODEL
    # "this machine" is a place; everything else is somebody's name.
    where = f"on {model['operator']}" if model["operator"] == "this machine" else f"operated by {model['operator']}"
    return {
        "model_in_use": {
            "label": model["label"],
            "operator": model["operator"],
            "sentence": f"{model['label']}, {where}",
        }
    }
