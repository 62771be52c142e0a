"""One browser's worth of HTTP: a connection that is kept alive, a session for each person."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_LOADED = re.compile(r'(?:href|src)="(/static/[^"]+[.](?:css|js))"')


@dataclass(frozen=True)
class Session:
    cookie: str
    token: str


class Client:
    """Posts forms as the person who was last named by `be`."""

    def __init__(self, port: int, password: str) -> None:
        self.connection = HTTPConnection("127.0.0.1", port)
        self.password = password
        self.sessions: dict[str, Session] = {}
        self.session = Session("", "")

    def be(self, login: str) -> None:
        """Act as this person from now on; the first time that is a real log-in."""
        if login not in self.sessions:
            self.session = Session("", "")
            self._open("/login")
            self._send("POST", "/login", {"account": login, "password": self.password}, expected=302)
            self._open("/inbox")
            self.sessions[login] = self.session
        self.session = self.sessions[login]

    def form(self, path: str, fields: Mapping[str, str]) -> Callable[[], object]:
        """A form that is done when the server sends the browser on to the next page."""
        return lambda: self._send("POST", path, fields, expected=302)

    def page(self, path: str) -> str:
        """A page as this person sees it."""
        return self._send("GET", path, {}, expected=200)

    def weight(self, page: str) -> int:
        """The bytes of script and style that a page names, as they are sent to a browser."""
        return sum(self._sent(path) for path in sorted(set(_LOADED.findall(page))))

    def _sent(self, path: str) -> int:
        self.connection.request("GET", path, headers={"Accept-Encoding": "br"})
        return len(self.connection.getresponse().read())

    def floor(self) -> None:
        """The bare request."""
        self._send("POST", "/floor/", {"arm": "1"}, expected=302)

    def _open(self, path: str) -> None:
        page = self._send("GET", path, {}, expected=200)
        token = _TOKEN.search(page)
        if token is None:
            raise LookupError(f"{path} has no form")
        self.session = Session(self.session.cookie, token.group(1))

    def _send(self, method: str, path: str, fields: Mapping[str, str], *, expected: int) -> str:
        body = urlencode({**fields, "csrf_token": self.session.token}) if method == "POST" else None
        headers = {"Cookie": self.session.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        page = answer.read().decode()
        if answer.status != expected:
            raise RuntimeError(f"{method} {path}: {answer.status}\n{page[:2000]}")
        jar = dict(pair.split("=", 1) for pair in self.session.cookie.split("; ") if pair)
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            jar[name] = value
        self.session = Session("; ".join(f"{name}={value}" for name, value in jar.items()), self.session.token)
        return page
