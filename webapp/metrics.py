"""/metrics for Prometheus.

What stands in the database is read when it is asked for, so any worker gives the same answer, and the schedulers need
no port of their own. What requests cost is counted by each worker and added up over all of them where `duban serve`
has named a folder (PROMETHEUS_MULTIPROC_DIR; therefore nothing imports this module before the workers have forked).
"""

from __future__ import annotations

import hmac
import math
import os
from collections.abc import Iterator
from importlib.metadata import version
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from ledger.clock import wall_now
from ledger.migrating import revision_of
from ledger.queries.operations import standing
from webapp import context, tracing
from webapp.settings import networks

bp = Blueprint("metrics", __name__)

_counted = CollectorRegistry()
_REQUESTS = Histogram(
    "duban_http_request_seconds",
    "What a request took, by route and status",
    ("method", "route", "status"),
    registry=_counted,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_REFUSED = Counter(
    "duban_commands_refused_total",
    "Commands that were not carried out: a conflict, a rule, a missing permission, a field",
    ("kind",),
    registry=_counted,
)
_PROXIED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


@bp.after_app_request
def _count(response: Response) -> Response:
    labels = (tracing.method(), tracing.route(), str(response.status_code))
    _REQUESTS.labels(*labels).observe(tracing.seconds())
    if refused := g.get("refused"):
        _REFUSED.labels(refused).inc()
    return response


@bp.get("/metrics")
def show() -> Response:
    if not (_has_token() or _is_near()):
        return Response("没有权限。请设置 DUBAN_METRICS_FROM 或 DUBAN_METRICS_TOKEN。\n", 403, mimetype="text/plain")
    registry = CollectorRegistry()
    registry.register(_Stored())
    counted = _counted
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry) + generate_latest(counted), content_type=CONTENT_TYPE_LATEST)


# ---------------------------------------------------------------- who may ask
def _has_token() -> bool:
    token = context.settings().metrics_token.get_secret_value()
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def _is_near() -> bool:
    """A direct connection from an allowed address. What a proxy on this machine passes on comes from anywhere."""
    settings = context.settings()
    through_proxy = any(name in request.headers for name in _PROXIED) or (
        settings.base_url.startswith("https://") and request.host == urlsplit(settings.base_url).netloc
    )
    if through_proxy or not request.remote_addr:
        return False
    address = ip_address(request.remote_addr)
    return any(address in ip_network(n) for n in networks(settings.metrics_from))


# ---------------------------------------------------------------- what the database says
class _Stored(Collector):
    """One reading of the database, or only the word that it does not answer."""

    def collect(self) -> Iterator[Metric]:
        try:
            connection = context.reading()
            found, wall, revision = standing(connection, context.now()), wall_now(), revision_of(connection)
        except SQLAlchemyError:
            yield _gauge("duban_database_up", "Whether the database answers", 0)
            return
        yield _gauge("duban_database_up", "Whether the database answers", 1)
        yield _gauge("duban_due_lag_seconds", "How late the oldest due row is", found.lag.total_seconds())
        yield _gauge("duban_due_passed", "Due rows that have passed and are not done", found.due_passed)
        yield _gauge("duban_advance_waiting", "Closed items whose run has not been advanced", found.advances)
        outbox = GaugeMetricFamily("duban_outbox_messages", "Mails that have not gone out, by state", labels=["state"])
        for state in ("queued", "sending", "dead"):
            outbox.add_metric([state], getattr(found, state))
        yield outbox
        age = found.mail_age.total_seconds()
        yield _gauge("duban_outbox_oldest_seconds", "How long the oldest mail has been waiting", age)
        ticked = math.inf if found.ticked_at is None else abs(wall - found.ticked_at).total_seconds()
        yield _gauge("duban_tick_age_seconds", "How long ago a scheduler last ticked", ticked)
        refused = int(found.refused_at is not None)
        yield _gauge("duban_clock_refused", "Whether schedulers do not believe the machine's clock", refused)
        labels = {"release": version("duban"), "revision": revision or "", "database": connection.dialect.name}
        build = GaugeMetricFamily("duban_build_info", "What runs here", labels=list(labels))
        build.add_metric(list(labels.values()), 1)
        yield build


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)
