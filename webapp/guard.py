"""What no page of ours sends: refused before any view or query sees it."""

from __future__ import annotations

from typing import Any

from flask import Flask, abort, request
from werkzeug.routing import IntegerConverter, Map

HIGHEST = 2**31 - 1  # what an integer column holds


class Identifier(IntegerConverter):
    """`<int:...>` of an address: an identifier a table could hold, written as we write it; anything else is no page."""

    regex = r"[0-9]{1,10}"

    def __init__(self, map: Map, **limits: Any) -> None:
        super().__init__(map, **({"max": HIGHEST} | limits))


def install(app: Flask) -> None:
    """Before the blueprints are registered: their addresses are read with these converters."""
    app.url_map.converters["int"] = Identifier
    app.before_request(_without_nul)


def _without_nul() -> None:
    """PostgreSQL keeps no text with a NUL, and no browser types one."""
    sent = (request.path, *request.args, *request.args.values(), *request.form, *request.form.values())
    if any("\0" in words for words in (*sent, *_repeated())):
        abort(400)


def _repeated() -> list[str]:
    return [words for data in (request.args, request.form) for key in data for words in data.getlist(key)[1:]]


def whole(words: str | None) -> int:
    """A small whole number that a field or an address names, written in plain digits; 0 for anything else."""
    return int(words) if words and words.isascii() and words.isdigit() and len(words) < 10 else 0
