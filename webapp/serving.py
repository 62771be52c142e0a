"""The pages behind gunicorn, on the database that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from sqlalchemy.engine import make_url

from ledger.clock import MachineClock, StoredClock
from ledger.database import Database
from webapp.app import create_app
from webapp.settings import Settings


def open_database(settings: Settings) -> Database:
    """The database the settings name, on the clock of their mode; a SQLite file's folder is made if missing."""
    if (file := make_url(settings.database_url).database) and settings.database_url.startswith("sqlite"):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    return Database(settings.database_url, StoredClock() if settings.demo else MachineClock())


class Server(BaseApplication):
    """gunicorn with its options given here; the application is made in the worker, after the fork."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self.settings, self.options = settings, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return create_app(self.settings, open_database(self.settings))


def serve_until_interrupted(settings: Settings, host: str, port: int, *, workers: int = 1, threads: int = 8) -> None:
    """The pages behind gunicorn."""
    options = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": threads,
        "timeout": 60,
        "control_socket_disable": True,
    }
    Server(settings, options).run()
