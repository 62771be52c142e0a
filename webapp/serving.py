"""The pages behind gunicorn, on the database that the settings name.

gunicorn keeps the processes; in each of them waitress takes requests in. It has a request whole before it asks one of
the threads for it, so that somebody who sends slowly, or nothing, holds up nobody else.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from time import monotonic
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.workers.base import Worker
from sqlalchemy.engine import make_url
from waitress import create_server

from ledger.clock import MachineClock, StoredClock
from ledger.database import CONNECTIONS, Database
from webapp.app import create_app
from webapp.loglines import GunicornLogger
from webapp.settings import Settings

CONNECTIONS_AT_MOST = 900  # of one process: below what a process may have open, usually 1,024
IDLE_SECONDS = 60  # after which a connection on which nothing comes is closed
LARGEST = 1 << 30  # bytes; what each form may hold is asked by the pages, which say so in their own words
MEMORY = "/dev/shm"  # where gunicorn's workers show that they live: a full disk must not kill them


def open_database(settings: Settings, connections: int = CONNECTIONS) -> Database:
    """The database the settings name, on the clock of their mode; a SQLite file's folder is made if missing."""
    if (file := make_url(settings.database_url).database) and settings.database_url.startswith("sqlite"):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    clock = StoredClock() if settings.demo else MachineClock()
    return Database(settings.database_url, clock, connections=connections)


class BufferingWorker(Worker):
    """A process of gunicorn's in which waitress serves."""

    def run(self) -> None:
        """Serve until told to stop or left alone by gunicorn; then finish what is under way."""
        server = create_server(
            self.wsgi,
            sockets=[s.sock for s in self.sockets],
            threads=self.cfg.threads,
            connection_limit=CONNECTIONS_AT_MOST,
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=10,
            asyncore_use_poll=True,
            max_request_body_size=LARGEST,
            clear_untrusted_proxy_headers=False,  # whom to believe is said by DUBAN_PROXIES
            ident="",
        )
        while self.alive and self.ppid == os.getppid():
            self.notify()
            _turn(server)
        server.accepting = False
        give_up = monotonic() + self.cfg.graceful_timeout
        while _is_busy(server) and monotonic() < give_up:
            _turn(server)
        server.task_dispatcher.shutdown()


def _turn(server: Any) -> None:
    """Whatever has come or can be sent, or a second of waiting for it."""
    server.asyncore.loop(timeout=1, use_poll=True, map=server._map, count=1)


def _is_busy(server: Any) -> bool:
    return any(c.requests or c.total_outbufs_len for c in server.active_channels.values())


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


def options_for(host: str, port: int, *, workers: int = 1, threads: int = 8) -> dict[str, Any]:
    """What gunicorn is told."""
    return {
        "bind": f"{host}:{port}",
        "workers": workers,
        "worker_class": BufferingWorker,
        "threads": threads,
        "timeout": 60,
        "worker_tmp_dir": MEMORY if os.path.isdir(MEMORY) else None,
        "control_socket_disable": True,
        "logger_class": GunicornLogger,
    }


def serve_until_interrupted(settings: Settings, host: str, port: int, *, workers: int = 1, threads: int = 8) -> None:
    """The pages behind gunicorn. Requests beyond the threads wait in its queue; each thread has a connection.

    The workers add up what they count in a folder that lives as long as they do.
    """
    master, counts = os.getpid(), tempfile.mkdtemp(prefix="duban-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts
    try:
        options = options_for(host, port, workers=workers, threads=threads)
        Server(settings, {**options, "child_exit": _forget_worker}).run()
    finally:
        if os.getpid() == master:  # a worker ends here, too
            shutil.rmtree(counts, ignore_errors=True)


def _forget_worker(_server: object, worker: Any) -> None:
    """What a worker has counted stays; that it is alive does not."""
    from prometheus_client.multiprocess import mark_process_dead  # not before the folder has its name

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
