"""`duban demo`: builds the demonstration once, then runs web, scheduler and mail sink until interrupted."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import click

from ledger.clock import StoredClock
from ledger.database import Database
from ledger.migrating import upgrade
from webapp.demo import campaign
from webapp.demo.mailsink import start_sink
from webapp.demo.people import PASSWORD
from webapp.loglines import configure, form_of
from webapp.serving import serve_until_interrupted
from webapp.starting import settings_or_exit, writable_or_exit

READY = "ready"


def run(folder: Path, port: int, *, fresh: bool) -> None:
    """Never returns before it is interrupted."""
    folder = folder.absolute()
    if _taken(port):
        click.echo(f"端口 {port} 已被占用，请换一个：duban demo --port {port + 1}", err=True)
        sys.exit(2)
    if fresh or not (folder / READY).exists():
        shutil.rmtree(folder, ignore_errors=True)
    writable_or_exit(folder, "--folder")
    url = f"sqlite:///{folder / 'duban.sqlite3'}"
    sink = start_sink(folder / "mail")
    os.environ |= {
        "DUBAN_DEMO": "true",
        "DUBAN_DATABASE_URL": url,
        "DUBAN_BASE_URL": f"http://127.0.0.1:{port}",
        "DUBAN_SMTP_HOST": "127.0.0.1",
        "DUBAN_SMTP_PORT": str(sink.port),
        "DUBAN_DEMO_MAIL": str(folder / "mail"),
        "DUBAN_FILES": str(folder / "files"),
    }
    settings = settings_or_exit()
    if not (folder / READY).exists():
        _build(url)
        (folder / READY).touch()
    upgrade(url)  # data of an earlier release
    ticking = subprocess.Popen([sys.executable, "-m", "webapp.cli", "scheduler", "--every", "1"])
    click.echo(f"演示已就绪：http://127.0.0.1:{port} （账号在登录页上，密码都是 {PASSWORD}；按 Ctrl-C 结束）")
    configure(form_of(settings.log, settings.demo, sys.stderr))
    try:
        serve_until_interrupted(settings, "127.0.0.1", port)
    finally:
        ticking.terminate()
        ticking.wait(timeout=10)
        sink.stop()


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _build(url: str) -> None:
    upgrade(url)
    db = Database(url, StoredClock())
    with click.progressbar(length=100, label="正在推演四个方案（5月23日至7月17日）", file=sys.stderr) as bar:

        def progress(done: float) -> None:
            bar.update(int(done * 100) - bar.pos)

        campaign.build(db, progress)
        bar.update(100 - bar.pos)
    db.close()
