"""The marks of a line (lights, states, squares, rulers, stubs), drawn by `parts/marks.html` and remembered.

A mark is made of its arguments alone, and the lines of a page have few different ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Flask, url_for

MARKS = ("shape", "light", "state", "nm", "bar", "stub", "stub_since", "choice", "period", "norm")
KEPT = 4096  # of each kind


def install(app: Flask) -> None:
    app.jinja_env.globals.update({name: _kept(app, name) for name in MARKS}, static=lru_cache(_static))


def _kept(app: Flask, name: str) -> Callable[..., Any]:
    @lru_cache(KEPT)
    def mark(*said: Any, **more: Any) -> Any:
        return getattr(app.jinja_env.get_template("parts/marks.html").module, name)(*said, **more)

    return mark


def _static(filename: str) -> str:
    """The address of a file that every page names."""
    return url_for("static", filename=filename)
