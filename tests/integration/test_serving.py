"""`duban serve` as clients meet it: those who send slowly or nothing hold up nobody, what is under way is finished."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from ledger.migrating import upgrade

ROOT = Path(__file__).resolve().parents[2]
THREADS = 2


class Site:
    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'duban.sqlite3'}"
        upgrade(url)
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        given = {"DUBAN_DATABASE_URL": url, "DUBAN_SECRET_KEY": "s" * 40, "DUBAN_FILES": str(folder / "files")}
        given["DUBAN_BASE_URL"] = f"http://127.0.0.1:{self.port}"
        env = {k: v for k, v in os.environ.items() if not k.startswith("DUBAN_")} | given
        self.log = folder / "log"
        command = [sys.executable, "-m", "webapp.cli", "serve", "--port", str(self.port), "--threads", str(THREADS)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=log, stderr=log)

    def get(self, path: str, timeout: float = 20) -> int:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer.status

    def slow(self, sent: bytes) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        made.sendall(sent)
        return made

    def wait(self) -> None:
        give_up = monotonic() + 60
        while True:
            try:
                assert self.get("/healthz/live") == 200
                return
            except OSError:
                assert monotonic() < give_up, self.log.read_text()
                sleep(0.2)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    try:
        made.wait()
        yield made
    finally:
        made.process.kill()
        made.process.wait()


HALF = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\na"


@pytest.mark.parametrize("sent", [b"", b"G", b"GET / HTTP/1.1\r\n", HALF], ids=["nothing", "byte", "line", "body"])
def test_who_sends_slowly_holds_up_nobody(site: Site, sent: bytes) -> None:
    with ExitStack() as held:
        for _ in range(20 * THREADS):
            held.enter_context(closing(site.slow(sent)))
        for _ in range(5):
            assert site.get("/healthz/live") == 200
            assert site.get("/login") == 200


def test_a_form_that_comes_in_pieces_is_taken(site: Site) -> None:
    body = b"account=nobody&password=wrong"
    with closing(site.slow(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n")) as client:
        client.sendall(b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(body))
        for n in range(len(body)):
            client.sendall(body[n : n + 1])
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 4")  # no token: an answer of ours, and not of the server
    assert b'lang="zh-CN"' in answer
    assert not re.search(rb"(?i)^server:", answer, re.M)


def test_who_is_told_to_stop_answers_first(site: Site) -> None:
    """A request that has been taken in is answered, and the process ends soon."""
    statuses: list[int] = []
    visitors = [Thread(target=lambda: statuses.append(site.get("/login"))) for _ in range(6)]
    for visitor in visitors:
        visitor.start()
    sleep(0.05)
    site.process.send_signal(signal.SIGTERM)
    for visitor in visitors:
        visitor.join()
    assert statuses.count(200) >= 1
    assert site.process.wait(30) == 0
