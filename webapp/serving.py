"""The pages behind gunicorn, on the database that the settings name."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from sqlalchemy.engine import make_url

from ledger.clock import MachineClock, StoredClock
from ledger.database import CONNECTIONS, Database
from webapp.app import create_app
from webapp.loglines import GunicornLogger
from webapp.settings import Settings

MEMORY = "/dev/shm"  # where gunicorn's workers show that they live: a full disk must not kill them


def open_database(settings: Settings, connections: int = CONNECTIONS) -> Database:
    """The database the settings name, on the clock of their mode; a SQLite file's folder is made if missing."""
    if (file := make_url(settings.database_url).database) and settings.database_url.startswith("sqlite"):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    clock = StoredClock() if settings.demo else MachineClock()
    return Database(settings.database_url, clock, connections=connections)


class Server(BaseApplication):
    """gunicorn with its options given here; the application is made in the worker, after the fork."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self.settings, self.options = settings, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return create_app(self.settings, open_database(self.settings, self.cfg.threads))


def serve_until_interrupted(settings: Settings, host: str, port: int, *, workers: int = 1, threads: int = 8) -> None:
    """The pages behind gunicorn. Requests beyond the threads wait in its queue; each thread has a connection.

    The workers add up what they count in a folder that lives as long as they do.
    """
    master, counts = os.getpid(), tempfile.mkdtemp(prefix="duban-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts
    options = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": threads,
        "timeout": 60,
        "worker_tmp_dir": MEMORY if os.path.isdir(MEMORY) else None,
        "control_socket_disable": True,
        "logger_class": GunicornLogger,
        "child_exit": _forget_worker,
    }
    try:
        Server(settings, options).run()
    finally:
        if os.getpid() == master:  # a worker ends here, too
            shutil.rmtree(counts, ignore_errors=True)


def _forget_worker(_server: object, worker: Any) -> None:
    """What a worker has counted stays; that it is alive does not."""
    from prometheus_client.multiprocess import mark_process_dead  # not before the folder has its name

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
