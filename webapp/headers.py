"""Security headers: no inline script or style and no other host; the diagram's page asks for a little more."""

from __future__ import annotations

from flask import Flask, Response, g, request

from webapp import context

YEAR = 365 * 24 * 3600

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
# bpmn-js places its overlays with style attributes and carries its marks as data: images and a font.
_DIAGRAM = {"style-src": "'self' 'unsafe-inline'", "img-src": "'self' data:", "font-src": "'self' data:"}


def allow_diagram() -> None:
    """Called by a view that shows a diagram with bpmn-js."""
    g.shows_diagram = True


def allow_frames() -> None:
    """Called by a view that shows a mail in a frame of the same origin, and by the mail itself."""
    g.shows_frames = True


def install(app: Flask) -> None:
    app.after_request(_secure)


def _policy() -> dict[str, str]:
    policy = dict(_POLICY)
    if g.get("shows_diagram"):
        policy |= _DIAGRAM
    if g.get("shows_frames"):
        policy |= {"frame-src": "'self'", "frame-ancestors": "'self'"}
    return policy


def _secure(response: Response) -> Response:
    policy = "; ".join(f"{k} {v}" for k, v in _policy().items())
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Frame-Options", "SAMEORIGIN" if g.get("shows_frames") else "DENY")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
    if context.settings().is_https:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR}")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
