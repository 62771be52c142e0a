"""Every request has a number, which stands in its response and on the page of an error, and leaves a line in the log.

The line names the route, not the path: no query, no field. The person is a number that only the database resolves.
"""

from __future__ import annotations

import logging
import secrets
from time import perf_counter

import structlog
from flask import Flask, Response, g, request

log = logging.getLogger(__name__)

HEADER = "X-Request-ID"
NO_ROUTE = "-"
# What watches us asks every few seconds: only its failures are news.
_QUIET = ("static", "health.", "metrics.")


def install(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def request_number() -> str:
    """Twelve digits in three groups: what a person can read out on the telephone."""
    return str(g.request_number)


def route() -> str:
    """The rule that answers, with names in the place of values."""
    return request.url_rule.rule if request.url_rule else NO_ROUTE


def seconds() -> float:
    """Since the request came in."""
    return float(perf_counter() - g.began)


def _begin() -> None:
    g.began = perf_counter()
    digits = f"{secrets.randbelow(10**12):012d}"
    g.request_number = f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"
    structlog.contextvars.bind_contextvars(request=g.request_number)


def _end(response: Response) -> Response:
    response.headers[HEADER] = g.request_number
    if response.status_code >= 400 or not (request.endpoint or "").startswith(_QUIET):
        said = {
            "method": method(),
            "route": route(),
            "status": response.status_code,
            "ms": round(seconds() * 1000, 1),
            "person": _person(),
            "refused": g.get("refused"),
        }
        log.info("request", extra={name: value for name, value in said.items() if value is not None})
    return response


def _forget(_error: BaseException | None) -> None:
    """What the server itself says between two requests belongs to neither."""
    structlog.contextvars.clear_contextvars()


def method() -> str:
    """Of the methods that are in use; whoever asks may send any word."""
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return request.method if request.method in known else "?"


def _person() -> int | None:
    """Who was found to ask, if the request had to know."""
    user = g.get("_login_user")
    return int(user.id) if user is not None and user.is_authenticated else None
