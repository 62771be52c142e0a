"""The pages behind gunicorn as `duban serve` runs them, with the bare request beside them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from time import monotonic, sleep
from typing import Any

from flask import Flask, redirect, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from ledger.database import Database
from tests.bench.measuring import Floor
from tests.bench.pages import add_bare_page
from webapp.serving import Server, open_database, options_for
from webapp.settings import Settings

START_SECONDS = 30


def floor_app(db: Database) -> Flask:
    """A bare Flask request around the floor transaction."""
    app, floor = Flask(__name__), Floor(db.writer)

    @app.post("/")
    def act() -> Response:
        if request.form["arm"] == "1":
            floor()
        return redirect("/items/1")

    add_bare_page(app, db)
    return app


class _Server(Server):
    def load(self) -> Callable[..., Any]:
        pages = super().load()
        return DispatcherMiddleware(pages, {"/floor": floor_app(open_database(self.settings))})


def main(url: str, port: str) -> None:
    settings = Settings(database_url=url, secret_key="0" * 32)  # type: ignore[arg-type]
    _Server(settings, {**options_for("127.0.0.1", int(port)), "loglevel": "warning"}).run()


@contextmanager
def serving(url: str, port: int) -> Iterator[None]:
    """The server in a process of its own."""
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.server", url, str(port)])
    try:
        _wait(port)
        yield
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait(port: int) -> None:
    give_up = monotonic() + START_SECONDS
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/login")
            connection.getresponse().read()
            return
        except OSError:
            if monotonic() > give_up:
                raise
            sleep(0.1)
        finally:
            connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
