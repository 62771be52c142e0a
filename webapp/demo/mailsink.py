"""The demo's mail server: a real one on a local port that keeps what it is sent, so that a page can show it.

Every mail is one file, numbered in the order of arrival. Nothing is ever sent on.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from engine.mail.smtp import DAY_HEADER, KIND_HEADER

HOST = "127.0.0.1"
_SUFFIX = ".eml"


@dataclass(frozen=True)
class Head:
    """What the list shows of a mail."""

    number: int
    to: str
    subject: str
    kind: str
    day: str


class Mailbox:
    """The folder of received mails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, content: bytes) -> Path:
        """Store one mail under the next number, all of it or nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        number = max(self._numbers(), default=0) + 1
        path = self._path(number)
        partial = path.with_suffix(".part")
        partial.write_bytes(content)
        os.replace(partial, path)
        return path

    def heads(self) -> list[Head]:
        """Every mail, the newest first."""
        return [_head(number, self._path(number)) for number in sorted(self._numbers(), reverse=True)]

    def mail(self, number: int) -> EmailMessage | None:
        """One mail, or None."""
        path = self._path(number)
        if not path.is_file():
            return None
        message = message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(message, EmailMessage)
        return message

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}{_SUFFIX}"

    def _numbers(self) -> Iterator[int]:
        if self.folder.is_dir():
            yield from (int(p.stem) for p in self.folder.glob(f"*{_SUFFIX}") if p.stem.isdigit())


_heads: dict[tuple[str, int], Head] = {}


def _head(number: int, path: Path) -> Head:
    """The head of a mail; a file that lies there never changes, so it is read once."""
    key = str(path), path.stat().st_mtime_ns
    if key not in _heads:
        with path.open("rb") as file:
            message = BytesHeaderParser(policy=default).parse(file)
        said = {name: str(message.get(name, "")) for name in ("To", "Subject", KIND_HEADER, DAY_HEADER)}
        _heads[key] = Head(number, said["To"], said["Subject"], said[KIND_HEADER], said[DAY_HEADER])
    return _heads[key]


class _Handler:
    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        self._mailbox.keep(content)  # one at a time: aiosmtpd serves all sessions from one loop
        return "250 OK"


class Sink:
    """The running server: `port` for the sender's settings, `stop` for the end."""

    def __init__(self, controller: Controller, port: int) -> None:
        self.port = port
        self._controller = controller

    def stop(self) -> None:
        self._controller.stop()


def start_sink(folder: Path, port: int | None = None) -> Sink:
    """Start the server in a thread of its own, on this port of the local machine or on a free one."""
    chosen = port or _free_port()
    controller = Controller(_Handler(Mailbox(folder)), hostname=HOST, port=chosen)
    controller.start()
    return Sink(controller, chosen)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def body(message: EmailMessage, subtype: str) -> str:
    """The text or HTML part, empty when there is none."""
    part = message.get_body((subtype,))
    return str(part.get_content()) if isinstance(part, EmailMessage) else ""
