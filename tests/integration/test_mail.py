"""Mails against a real mail server on a local port: what arrives, and what a refusal means."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from engine.mail.contexts import Context, Line
from engine.mail.rendering import Rendered, render
from engine.mail.smtp import SendError, Transport

WHEN = datetime(2025, 7, 17, 0, 30, tzinfo=UTC)
HEADER_ID = "<digest.20250717.7@duban.example>"


class Mailbox:
    """Takes what it is sent, or answers as it is told."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.rcpt_answer = self.data_answer = "250 OK"
        self.farewell = "221 Bye"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data_answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.received.append(message_from_bytes(envelope.content, policy=default))
        return self.data_answer

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return self.farewell


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def transport(mailbox: Mailbox) -> Iterator[Transport]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield Transport("127.0.0.1", controller.port, "督办台账 <duban@huangshi.example>", timeout=5)
    controller.stop()


LINE: Line = {
    "word": "逾期 2 个工作日",
    "shape": "◆",
    "colour": "red",
    "title": "集中开展“六进”校园活动",
    "plan": "百日攻坚",
    "due": "07-15",
    "note": "",
    "path": "/items/20",
}


def digest() -> Rendered:
    context: Context = {
        "post": "市人社局 联络员",
        "day": "2025-07-17",
        "base_url": "http://127.0.0.1:8000/",
        "link": "/inbox",
        "titles": True,
        "count": 9,
        "overdue": 1,
        "copied": False,
        "told": 5,
        "lines": [LINE],
        "round": None,
    }
    return render("digest", context)


def body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def test_digest_arrives_with_chinese_subject_and_both_parts(mailbox: Mailbox, transport: Transport) -> None:
    transport.send("liaison@rsj.example", digest(), HEADER_ID, WHEN)
    (mail,) = mailbox.received
    assert mail["Subject"] == "【督办台账】您有 9 件待办，其中 1 件逾期"
    assert mail["From"].addresses[0].display_name == "督办台账"
    assert mail["To"].addresses[0].addr_spec == "liaison@rsj.example"
    assert mail["Date"].datetime == WHEN
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    for said in (body(mail, "plain"), body(mail, "html")):
        assert "集中开展“六进”校园活动" in said
        assert "另有 4 件，请登录查看" in said


def test_links_lead_to_pages_of_this_site(mailbox: Mailbox, transport: Transport) -> None:
    transport.send("a@b.example", digest(), HEADER_ID, WHEN)
    html = body(mailbox.received[0], "html")
    assert set(re.findall(r'href="([^"]+)"', html)) == {"http://127.0.0.1:8000/items/20", "http://127.0.0.1:8000/inbox"}
    assert "http://127.0.0.1:8000/inbox" in body(mailbox.received[0], "plain")


def test_a_mail_sent_twice_keeps_its_message_id(mailbox: Mailbox, transport: Transport) -> None:
    for _ in range(2):
        transport.send("a@b.example", digest(), HEADER_ID, WHEN)
    assert [m["Message-ID"] for m in mailbox.received] == [HEADER_ID, HEADER_ID]


@pytest.mark.parametrize("words", range(1, 60, 7))
def test_subject_of_any_length_decodes_as_it_was_written(mailbox: Mailbox, transport: Transport, words: int) -> None:
    rendered = digest()
    subject = "【督办台账】" + " ".join(f"第 {n} 项ab" for n in range(words))
    transport.send(
        "a@b.example", Rendered(subject, rendered.text, rendered.html, "digest", rendered.day), HEADER_ID, WHEN
    )
    assert mailbox.received[0]["Subject"] == subject


@pytest.mark.parametrize(("answer", "permanent"), [("550 no such mailbox", True), ("450 try later", False)])
def test_refused_address(mailbox: Mailbox, transport: Transport, answer: str, permanent: bool) -> None:
    mailbox.rcpt_answer = answer
    with pytest.raises(SendError) as refused:
        transport.send("a@b.example", digest(), HEADER_ID, WHEN)
    assert refused.value.permanent is permanent


@pytest.mark.parametrize(("answer", "permanent"), [("554 not wanted", True), ("451 disk full", False)])
def test_refused_text(mailbox: Mailbox, transport: Transport, answer: str, permanent: bool) -> None:
    mailbox.data_answer = answer
    with pytest.raises(SendError) as refused:
        transport.send("a@b.example", digest(), HEADER_ID, WHEN)
    assert refused.value.permanent is permanent
    assert mailbox.received == []


def test_a_mail_that_was_taken_is_sent_whatever_becomes_of_the_farewell(mailbox: Mailbox, transport: Transport) -> None:
    mailbox.farewell = "421 too many connections"
    transport.send("a@b.example", digest(), HEADER_ID, WHEN)
    assert len(mailbox.received) == 1


def test_server_that_is_down_is_temporary() -> None:
    with pytest.raises(SendError) as refused:
        Transport("127.0.0.1", free_port(), "duban@huangshi.example", timeout=2).send(
            "a@b.example", digest(), HEADER_ID, WHEN
        )
    assert not refused.value.permanent
    assert refused.value.blame == "server"


def test_server_without_starttls_is_never_sent_a_password(mailbox: Mailbox, transport: Transport) -> None:
    secure = Transport(transport.host, transport.port, transport.sender, "starttls", "duban", "secret", 5)
    with pytest.raises(SendError) as refused:
        secure.send("a@b.example", digest(), HEADER_ID, WHEN)
    assert not refused.value.permanent
    assert mailbox.received == []


@pytest.mark.parametrize("address", ["", "nobody", "张三@b.example", "a@b.example\nBcc: c@d.example"])
def test_an_address_that_is_none_is_permanent(mailbox: Mailbox, transport: Transport, address: str) -> None:
    with pytest.raises(SendError) as refused:
        transport.send(address, digest(), HEADER_ID, WHEN)
    assert refused.value.permanent
    assert mailbox.received == []
