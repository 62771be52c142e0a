"""The command `duban`."""

from __future__ import annotations

import sys
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from ledger.clock import MachineClock, StoredClock
from ledger.database import Database
from webapp.app import create_app
from webapp.settings import Settings, SettingsError, load


@click.group(help="Duban 督办台账")
def main() -> None:
    """The group every command of the distribution hangs on."""


def settings_or_exit() -> Settings:
    """The settings, or the reasons why there are none, one a line, and exit status 2."""
    try:
        return load()
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


def open_database(settings: Settings) -> Database:
    """The database the settings name, on the clock of their mode."""
    return Database(settings.database_url, StoredClock() if settings.demo else MachineClock())


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with its options given here; the application is made in the worker, after the fork."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self.settings, self.options = settings, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return create_app(self.settings, open_database(self.settings))


@main.command(help="启动网页服务")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="监听端口")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="进程数")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1), help="每个进程的线程数")
def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the pages with gunicorn until interrupted."""
    options = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": threads,
        "timeout": 60,
        "control_socket_disable": True,
    }
    Server(settings_or_exit(), options).run()
