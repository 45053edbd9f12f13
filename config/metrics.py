"""`/metrics`: the figures of privacy/gauges.py for Prometheus.

They are read from the database when they are asked for, so it does not matter which process answers, and none writes
files for the others. They say nothing of anybody, but how much is deleted, and when, is nobody's business either.
"""

import ipaddress
from collections.abc import Iterator

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from privacy.gauges import Gauge, gauges

FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


@login_not_required
async def metrics(request: HttpRequest) -> HttpResponse:
    return await sync_to_async(_answer)(request)


@require_safe
def _answer(request: HttpRequest) -> HttpResponse:
    if not _may_read(request):
        return HttpResponseNotFound("Not found\n", content_type="text/plain")
    registry = CollectorRegistry()
    registry.register(_Collector())
    response = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    response.headers["Cache-Control"] = "no-store"
    return response


def _may_read(request: HttpRequest) -> bool:
    """Whoever has the token. Without one, this machine itself, as long as the product serves nobody else."""
    if settings.METRICS_TOKEN:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and constant_time_compare(given.strip(), settings.METRICS_TOKEN)
    if settings.PUBLIC_ORIGIN or any(name in request.META for name in FORWARDED):
        return False
    try:
        request.get_host()  # a page of some other name, which a browser here was lured to
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except (DisallowedHost, ValueError):
        return False


class _Collector:
    """What `prometheus_client` asks of a registry's members."""

    def collect(self) -> Iterator[Metric]:
        return map(_family, gauges())

    def describe(self) -> list[Metric]:
        return []  # or it would collect once more, to learn the names


def _family(gauge: Gauge) -> Metric:
    kind = CounterMetricFamily if gauge.counts_up else GaugeMetricFamily
    family = kind(f"parley_{gauge.name}", gauge.says, labels=[gauge.label] if gauge.label else [])
    for label, value in gauge.values.items():
        family.add_metric([label] if gauge.label else [], value)
    return family
