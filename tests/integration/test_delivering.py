"""The outbox against a real mail server: exactly one row, leases that run out, refusals for now and for good."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from sqlalchemy import select, update

from engine import delivering, ticking
from engine.commands import perform
from engine.delivering import deliver
from engine.mail.rendering import Rendered
from engine.mail.smtp import SendError, Transport
from engine.outbox import send_again
from ledger.clock import wall_now
from ledger.database import Database
from ledger.errors import NotFound
from ledger.queries.outgoing import undelivered
from ledger.schema import message, person
from webapp.demo.office import Office

HERE = "http://127.0.0.1:8000"


class Server:
    """Answers as it is told, after `pause` seconds to each word, and keeps the Message-ID of what it took."""

    def __init__(self) -> None:
        self.answer, self.pause, self.taken = "250 OK", 0.0, list[str]()

    async def handle_EHLO(
        self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        await asyncio.sleep(self.pause)
        return responses

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        await asyncio.sleep(self.pause)
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        envelope.rcpt_tos.append(address)
        await asyncio.sleep(self.pause)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.pause)
        if self.answer.startswith("250"):
            self.taken.append(message_from_bytes(envelope.content)["Message-ID"])
        return self.answer


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def transport(server: Server) -> Iterator[Transport]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    yield Transport("127.0.0.1", port, "督办台账 <duban@localhost>", timeout=5)
    controller.stop()


@pytest.fixture
def queued(office: Office) -> Office:
    ticking.tick(office.db)  # 24 units are told what was handed out
    return office


def states(office: Office) -> list[str]:
    with office.db.read() as connection:
        return list(connection.execute(select(message.c.state).order_by(message.c.id)).scalars())


def test_every_mail_is_sent_once(queued: Office, transport: Transport, server: Server) -> None:
    assert deliver(queued.db, transport, HERE) == 24
    assert deliver(queued.db, transport, HERE) == 0
    assert len(set(server.taken)) == len(server.taken) == 24
    assert set(states(queued)) == {"sent"}


def test_a_busy_server_is_tried_again_later(queued: Office, transport: Transport, server: Server) -> None:
    server.answer = "451 try again later"
    assert deliver(queued.db, transport, HERE) == 0
    assert "dead" not in states(queued)
    server.answer = "250 OK"
    deliver(queued.db, transport, HERE)
    with queued.db.writer.begin() as connection:
        connection.execute(update(message).values(try_at=wall_now() - timedelta(minutes=1)))
    deliver(queued.db, transport, HERE)
    assert set(states(queued)) == {"sent"}
    assert len(set(server.taken)) == 24


def test_a_refusal_for_good_is_a_dead_letter_with_its_reason(
    queued: Office, transport: Transport, server: Server
) -> None:
    server.answer = "554 no such mailbox"
    deliver(queued.db, transport, HERE)
    with queued.db.read() as connection:
        dead = connection.execute(select(message.c.error).where(message.c.state == "dead")).scalars().all()
    assert dead and all("554" in error for error in dead)


def test_a_dead_letter_goes_out_again_to_where_its_person_is_reached_today(
    queued: Office, transport: Transport, server: Server
) -> None:
    server.answer = "554 no such mailbox"
    deliver(queued.db, transport, HERE)
    administrator = queued.who("guanli")
    with queued.db.read() as connection:
        first = undelivered(connection, administrator).lines[0]
    with queued.db.writer.begin() as connection:
        connection.execute(update(person).where(person.c.id == first.person_id).values(email="new@example.cn"))
    with pytest.raises(NotFound):  # a liaison has no say in it
        perform(queued.db, queued.who("renshe"), send_again, first.id)
    perform(queued.db, administrator, send_again, first.id)
    with pytest.raises(NotFound):  # it has been queued already
        perform(queued.db, administrator, send_again, first.id)
    with queued.db.read() as connection:
        left = undelivered(connection, administrator)
        assert first.id not in {m.id for m in left.lines}
        row = connection.execute(select(message).where(message.c.id == first.id)).one()
        assert (row.state, row.address, row.attempts, row.error) == ("queued", "new@example.cn", 0, None)
    server.answer = "250 OK"
    assert deliver(queued.db, transport, HERE) == 1
    assert server.taken == [row.header_id]


def test_a_server_that_is_down_loses_nothing(queued: Office) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = Transport("127.0.0.1", probe.getsockname()[1], "督办台账 <duban@localhost>", timeout=2)
        assert deliver(queued.db, nobody, HERE) == 0
    assert set(states(queued)) == {"queued"}


def test_a_sender_that_died_leaves_a_lease_that_runs_out(queued: Office, transport: Transport, server: Server) -> None:
    assert delivering._claim(queued.db) is not None
    assert deliver(queued.db, transport, HERE) == 23
    with queued.db.writer.begin() as connection:
        past = wall_now() - timedelta(seconds=1)
        connection.execute(update(message).where(message.c.state == "sending").values(lease_until=past))
    assert deliver(queued.db, transport, HERE) == 1
    assert len(set(server.taken)) == len(server.taken) == 24


def test_a_late_finisher_cannot_overrule_the_new_owner(queued: Office, transport: Transport) -> None:
    first = delivering._claim(queued.db)
    assert first is not None
    with queued.db.writer.begin() as connection:
        connection.execute(update(message).where(message.c.id == first.id).values(token="another"))
    delivering._finish(queued.db, first, {"state": "dead", "error": "late"})
    assert "dead" not in states(queued)


def test_two_schedulers_and_a_slow_server_double_nothing(
    queued: Office, transport: Transport, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All mails together take longer than a lease, which none of them does."""
    monkeypatch.setattr(delivering, "LEASE", timedelta(seconds=4))
    server.pause = 0.4
    databases = [Database(queued.db.url, queued.db.clock) for _ in range(2)]

    def send(db: Database) -> None:
        while set(states(queued)) != {"sent"}:
            deliver(db, transport, HERE)

    threads = [Thread(target=send, args=(db,)) for db in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for db in databases:
        db.close()
    assert len(set(server.taken)) == len(server.taken) == 24


def test_a_mail_is_given_up_long_before_its_lease_runs_out() -> None:
    """Finding the server and shaking hands are bounded apart, each by the same time."""
    assert timedelta(seconds=5 * Transport.timeout) <= delivering.LEASE


def test_a_server_that_is_slow_with_every_word_has_one_time_for_all(transport: Transport, server: Server) -> None:
    server.pause = 0.3
    hasty = replace(transport, timeout=0.5)
    began = monotonic()
    with pytest.raises(SendError) as failed:
        hasty.send(
            "somebody@huangshi.example", Rendered("digest", "2025-05-26", "a", "b", "c"), "<1@duban>", wall_now()
        )
    assert failed.value.blame == "session"
    assert monotonic() - began < 1
    assert server.taken == []


class Dribbling(BaseRequestHandler):
    """Never silent for long, and never done."""

    def handle(self) -> None:
        with suppress(OSError):
            while True:
                self.request.sendall(b"220-wait\r\n")
                sleep(0.1)


def test_a_greeting_without_an_end_has_no_more_time() -> None:
    with ThreadingTCPServer(("127.0.0.1", 0), Dribbling) as dribbling:
        Thread(target=dribbling.serve_forever, daemon=True).start()
        began = monotonic()
        with pytest.raises(SendError) as failed:
            Transport("127.0.0.1", dribbling.server_address[1], "duban@localhost", timeout=0.5).probe()
        assert monotonic() - began < 1
        dribbling.shutdown()
    assert failed.value.blame == "server"
