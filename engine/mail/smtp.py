"""The wire: one mail to one address through the office's mail server."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from io import BufferedReader, RawIOBase
from socket import socket
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from engine.mail.rendering import Rendered

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

Security = Literal["none", "starttls", "tls"]
Blame = Literal["server", "session", "address"]

KIND_HEADER = "X-Duban-Kind"
DAY_HEADER = "X-Duban-Day"


class SendError(Exception):
    """The mail did not go out.

    `permanent`: it will never be taken at this address, so trying again is useless. `blame`: whose trouble it is. A
    `server` that is down, or refuses us, refuses every mail; a `session` that broke off may have broken off because of
    this mail; an `address` or its text concerns no other.
    """

    def __init__(self, message: str, *, permanent: bool = False, blame: Blame = "address") -> None:
        self.permanent, self.blame = permanent, blame
        super().__init__(message)


class _Answers(RawIOBase):
    """What the server says: waited for until one moment, in however many pieces it comes."""

    def __init__(self, line: socket, until: float) -> None:
        self._line, self._until = line, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        _hurry(self._line, self._until)
        return self._line.recv_into(buffer)


class _Session(smtplib.SMTP):
    """A session that is over at `until` (of the monotonic clock), which smtplib measures for each reply alone."""

    def __init__(self, *args: Any, until: float, **kwargs: Any) -> None:
        self._until = until
        super().__init__(*args, **kwargs)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = BufferedReader(_Answers(self.sock, self._until))
        return super().getreply()

    def send(self, s: ReadableBuffer | str) -> None:
        if self.sock is not None:
            _hurry(self.sock, self._until)
        super().send(s)


class _SessionTLS(_Session, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


def _hurry(line: socket, until: float) -> None:
    """Raises: TimeoutError when there is no time left for anything more."""
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    line.settimeout(left)


@dataclass(frozen=True)
class Transport:
    """How to reach the mail server. `sender` is an address, with or without a display name; `timeout` is for a whole
    mail, in seconds: a server that is slow with every word must not outlast the sender's lease."""

    host: str
    port: int
    sender: str
    security: Security = "none"
    user: str | None = None
    password: str | None = None
    timeout: float = 60.0

    def send(self, address: str, rendered: Rendered, header_id: str, date: datetime) -> None:
        """Hand one mail over.

        `header_id` is its Message-ID, the same in every attempt, so that a mail sent twice is seen as one.

        Raises:
            SendError: as `_reason` reads the server's answer.
        """
        try:
            message = compose(self.sender, address, rendered, header_id, date)
        except ValueError as error:
            raise SendError(f"{address}: {error}", permanent=True) from error
        blame: Blame = "server"
        try:
            with closing(self._connection()) as session:
                self._introduce(session)
                blame = "session"
                session.send_message(message)
                with suppress(OSError, smtplib.SMTPException):  # it was taken, whatever becomes of the farewell
                    session.quit()
        except (OSError, smtplib.SMTPException) as error:
            _reason(error, blame)

    def probe(self) -> None:
        """Go as far as naming the sender, and no further: nobody gets a mail. Raises: SendError."""
        try:
            with closing(self._connection()) as session:
                self._introduce(session)
                code, said = session.mail(str(_address(self.sender).addr_spec))
                if code >= 400:
                    raise smtplib.SMTPSenderRefused(code, said, self.sender)
                with suppress(OSError, smtplib.SMTPException):
                    session.quit()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            _reason(error, "server")

    def _connection(self) -> smtplib.SMTP:
        times = {"timeout": self.timeout, "until": monotonic() + self.timeout}
        if self.security == "tls":
            return _SessionTLS(self.host, self.port, context=ssl.create_default_context(), **times)
        return _Session(self.host, self.port, **times)

    def _introduce(self, session: smtplib.SMTP) -> None:
        session.ehlo_or_helo_if_needed()
        if self.security == "starttls":
            session.starttls(context=ssl.create_default_context())
        if self.user is not None:
            session.login(self.user, self.password or "")


def compose(sender: str, address: str, rendered: Rendered, header_id: str, date: datetime) -> EmailMessage:
    """The mail as it goes over the wire. Raises ValueError for what cannot stand in a header."""
    message = EmailMessage(SMTP)
    message["From"] = _address(sender)
    message["To"] = _address(address)
    message["Subject"] = rendered.subject
    message["Date"] = format_datetime(date)
    message["Message-ID"] = header_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answer, please
    message[KIND_HEADER] = rendered.kind
    message[DAY_HEADER] = rendered.day
    message.set_content(rendered.text, cte="base64")
    message.add_alternative(rendered.html, subtype="html", cte="base64")
    return message


def is_address(printed: str) -> bool:
    """Whether a mail can be from or to it: an address, with or without a display name."""
    try:
        _address(printed)
    except ValueError:
        return False
    return True


def _address(printed: str) -> Address:
    name, spec = parseaddr(printed)
    if "@" not in spec or not spec.isascii() or not printed.isprintable():
        raise ValueError(f"not a mail address: {printed!r}")
    return Address(name, addr_spec=spec)


def _reason(error: Exception, blame: Blame) -> NoReturn:
    """Raise what the failure means for the mail.

    Only a refusal (5xx) of this address or of this text is for good. A refused sender or password is a fault of our
    settings: the mail waits until they are mended, as it does for a server that is down or closing (421).
    """
    permanent = False
    match error:
        case smtplib.SMTPRecipientsRefused():
            codes = [code for code, _ in error.recipients.values()]
            permanent, blame = all(code >= 500 for code in codes), "server" if 421 in codes else "address"
        case smtplib.SMTPDataError():
            permanent, blame = error.smtp_code >= 500, "server" if error.smtp_code == 421 else "address"
        case smtplib.SMTPResponseException() | smtplib.SMTPNotSupportedError():
            blame = "server"
    raise SendError(str(error) or type(error).__name__, permanent=permanent, blame=blame) from error
