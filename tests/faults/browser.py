"""One browser's worth of HTTP: logs in, sends forms with their token, and knows what became of each."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from threading import Lock
from urllib.parse import urlencode

from tests.faults.site import PASSWORD

TIMEOUT = 60
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}

Fields = Sequence[tuple[str, str]]


class Outcome(StrEnum):
    """DONE: acknowledged with a redirect. REFUSED: 4xx with reasons. AWAY: 503, not written. UNKNOWN: the answer never
    came, or said itself that it does not know. UNSENT: nobody took the connection. BROKEN: any other 5xx."""

    DONE = "done"
    REFUSED = "refused"
    AWAY = "away"
    UNKNOWN = "unknown"
    UNSENT = "unsent"
    BROKEN = "broken"


@dataclass(frozen=True)
class Answer:
    outcome: Outcome
    status: int = 0
    page: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class Wires:
    """The connections on which an answer is being waited for, by the port at this end."""

    def __init__(self) -> None:
        self._lock, self._ports = Lock(), set[int]()

    @contextmanager
    def waiting(self, port: int) -> Iterator[None]:
        with self._lock:
            self._ports.add(port)
        try:
            yield
        finally:
            with self._lock:
                self._ports.discard(port)

    def now(self) -> set[int]:
        with self._lock:
            return set(self._ports)


@dataclass
class _Session:
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""

    @property
    def header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


class Browser:
    """Acts as whom it is told; every request goes to the first port that takes the connection, each on its own."""

    def __init__(self, ports: Sequence[int], wires: Wires | None = None) -> None:
        self.ports, self.wires = list(ports), wires or Wires()
        self._sessions: dict[str, _Session] = {}

    def get(self, login: str, path: str) -> Answer:
        return self._as(login, "GET", path, ())

    def post(self, login: str, path: str, fields: Fields) -> Answer:
        return self._as(login, "POST", path, fields)

    def log_in(self, login: str) -> Answer:
        """A real log-in; the session is kept for what follows."""
        session = _Session()
        answer = self._send(session, "GET", "/login", ())
        if answer.status == 200:
            session.token = _token(answer.page)
            answer = self._send(session, "POST", "/login", [("account", login), ("password", PASSWORD)])
        if answer.status == 302:
            answer = self._send(session, "GET", "/inbox", ())
        if answer.status == 200:
            session.token = _token(answer.page)
            self._sessions[login] = session
        return answer

    def _as(self, login: str, method: str, path: str, fields: Fields) -> Answer:
        if login not in self._sessions and (entered := self.log_in(login)).status != 200:
            return Answer(Outcome.UNSENT, entered.status, entered.page)
        answer = self._send(self._sessions[login], method, path, fields)
        if answer.headers.get("location", "").startswith("/login"):
            del self._sessions[login]
            return Answer(Outcome.UNSENT)
        return answer

    def _send(self, session: _Session, method: str, path: str, fields: Fields) -> Answer:
        body = urlencode([*fields, ("csrf_token", session.token)]).encode() if method == "POST" else None
        for port in self.ports:
            connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
            try:
                connection.connect()
            except OSError:
                continue
            try:
                return self._answer(connection, session, method, path, body)
            finally:
                connection.close()
        return Answer(Outcome.UNSENT)

    def _answer(
        self, connection: HTTPConnection, session: _Session, method: str, path: str, body: bytes | None
    ) -> Answer:
        assert isinstance(connection.sock, socket.socket)
        with self.wires.waiting(connection.sock.getsockname()[1]):
            try:
                connection.request(method, path, body, {"Cookie": session.header, **_FORM})
                answer = connection.getresponse()
                page = answer.read().decode()
            except (OSError, HTTPException):
                return Answer(Outcome.UNKNOWN)
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            session.cookies[name] = value
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(_outcome(answer.status, page), answer.status, page, headers)


def _outcome(status: int, page: str) -> Outcome:
    if status < 400:
        return Outcome.DONE
    if status < 500:
        return Outcome.REFUSED
    if status == 503:
        return Outcome.UNKNOWN if "不能确定是否已经提交" in page else Outcome.AWAY
    return Outcome.BROKEN


def _token(page: str) -> str:
    found = _TOKEN.search(page)
    if found is None:
        raise LookupError("a page without a token")
    return found[1]
