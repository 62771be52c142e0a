"""Browsers in which an account has been used before, known by a signed cookie.

Somebody who tries passwords from elsewhere locks the account for strangers, and the crowd of one address closes that
address to strangers; whoever comes with a browser that is known has tries of their own. The cookie opens nothing.
"""

from __future__ import annotations

import hashlib
import secrets

from flask import Flask, Response, current_app, g, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

DAYS = 180
MOST = 10  # accounts that one browser is known for


def install(app: Flask) -> None:
    app.after_request(_keep_cookie)


def known(login: str, forgotten: int) -> str | None:
    """The name of this browser, where the account has been used in it since its browsers were `forgotten` (so many
    times)."""
    number, accounts = _read()
    digest = _digest(login, forgotten)
    return f"{number}:{digest}" if digest in accounts else None


def remember(login: str, forgotten: int) -> None:
    """The answer will carry that the account has been used in this browser."""
    number, accounts = _read()
    digest = _digest(login, forgotten)
    others = [a for a in accounts if a != digest]
    g.device = _signer().dumps([number or secrets.token_hex(12), [digest, *others][:MOST]])


def _read() -> tuple[str, list[str]]:
    try:
        number, accounts = _signer().loads(
            request.cookies.get(current_app.config["DEVICE_COOKIE_NAME"], ""), max_age=DAYS * 86400
        )
    except BadSignature:
        return "", []
    return number, accounts


def _digest(login: str, forgotten: int) -> str:
    """An account without its name; another one each time its browsers are forgotten."""
    words = login.strip().lower() + (f" {forgotten}" if forgotten else "")
    return hashlib.sha256(words.encode()).hexdigest()[:20]


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="device")


def _keep_cookie(response: Response) -> Response:
    if value := g.get("device"):
        name, secure = current_app.config["DEVICE_COOKIE_NAME"], current_app.config["SESSION_COOKIE_SECURE"]
        response.set_cookie(name, value, max_age=DAYS * 86400, httponly=True, samesite="Lax", secure=secure, path="/")
    return response
