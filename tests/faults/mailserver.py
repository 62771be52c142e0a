"""A real mail server that keeps every Message-ID it took, and behaves as badly as it is told."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.parser import BytesHeaderParser
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

_headers = BytesHeaderParser()


class MailServer:
    """`answer`: what it says to the text of a mail. `drop`: it takes the mail and breaks off before it says so.
    `stall`: seconds before it answers the text. `deaf`: it takes connections and never greets."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.answer, self.stall, self.drop, self.deaf = "250 OK", 0.0, False, False
        self.recipients: Callable[[str], str] = lambda address: "250 OK"
        self.port = free_port()
        self._controller: Controller | None = None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        said = self.recipients(address)
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        if self.stall:
            await asyncio.sleep(self.stall)
        if self.answer.startswith("250"):
            self.taken[str(_headers.parsebytes(envelope.content)["Message-ID"])] += 1
        if self.drop:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return self.answer

    def start(self) -> None:
        server = self

        class Deaf(SMTP):
            async def push(self, status: Any) -> None:
                if not server.deaf:
                    await super().push(status)

        class Sometimes(Controller):
            def factory(self) -> SMTP:
                return Deaf(self.handler, **self.SMTP_kwargs)

        self._controller = Sometimes(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    @property
    def sent_again(self) -> int:
        """Mails that came more than once under one Message-ID."""
        return sum(n > 1 for n in self.taken.values())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mail_server(stall: float = 0.0) -> Iterator[MailServer]:
    server = MailServer()
    server.stall = stall
    server.start()
    try:
        yield server
    finally:
        server.stop()
