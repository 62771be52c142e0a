"""The outbox against a real mail server: exactly one row, leases that run out, refusals for now and for good."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select, update

from engine import delivering, ticking
from engine.delivering import deliver
from engine.mail.smtp import Transport
from ledger.clock import wall_now
from ledger.schema import message
from webapp.demo.office import Office

HERE = "http://127.0.0.1:8000"


class Server:
    """Answers as it is told and keeps the Message-ID of what it took."""

    def __init__(self) -> None:
        self.answer, self.taken = "250 OK", list[str]()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
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


def test_a_server_that_is_down_loses_nothing(queued: Office) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = Transport("127.0.0.1", probe.getsockname()[1], "督办台账 <duban@localhost>", timeout=2)
        assert deliver(queued.db, nobody, HERE) == 0
    assert set(states(queued)) == {"queued"}


def test_a_sender_that_died_leaves_a_lease_that_runs_out(queued: Office, transport: Transport, server: Server) -> None:
    claimed = delivering._claim(queued.db)
    assert len(claimed) == delivering.BATCH
    assert deliver(queued.db, transport, HERE) == 24 - len(claimed)
    with queued.db.writer.begin() as connection:
        past = wall_now() - timedelta(seconds=1)
        connection.execute(update(message).where(message.c.state == "sending").values(lease_until=past))
    assert deliver(queued.db, transport, HERE) == len(claimed)
    assert len(set(server.taken)) == len(server.taken) == 24


def test_a_late_finisher_cannot_overrule_the_new_owner(queued: Office, transport: Transport) -> None:
    first = delivering._claim(queued.db)[0]
    with queued.db.writer.begin() as connection:
        connection.execute(update(message).where(message.c.id == first.id).values(token="another"))
    delivering._finish(queued.db, first, {"state": "dead", "error": "late"})
    assert "dead" not in states(queued)
