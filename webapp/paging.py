"""The number of a page in an address."""

from __future__ import annotations

from flask import request


def number_of(name: str) -> int:
    """What stands there, or 1 for what is no number of a page."""
    value = request.args.get(name, "1")
    return max(1, int(value)) if value.isascii() and value.isdigit() and len(value) < 6 else 1
