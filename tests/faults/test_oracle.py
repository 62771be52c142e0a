"""The books must be able to tell: on a run that nobody disturbed they agree, and every kind of damage is named."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date, time
from pathlib import Path

import pytest

from engine.clockwork import advance_to
from engine.commands import urge
from engine.delivering import deliver
from engine.mail.smtp import Transport
from ledger.calendar import moment
from ledger.clock import StoredClock
from ledger.database import Database
from tests.bench.world import OFFICE, World
from tests.faults.expected import wrongs
from tests.faults.killing import Kill, plan_of, unproven
from tests.faults.mailserver import mail_server
from tests.faults.site import build

HERE = "http://127.0.0.1:8000"
DAMAGES = {
    "a lost notice": "DELETE FROM notice WHERE id = (SELECT max(id) FROM notice WHERE tier = 'request')",
    "a lost tier": "DELETE FROM notice WHERE id = (SELECT min(id) FROM notice WHERE tier = '-3')",
    "a notice too many": "UPDATE notice SET arm = 7 WHERE id = (SELECT min(id) FROM notice WHERE tier = '-3')",
    "a notice never gathered": "UPDATE notice SET state = 'pending' WHERE id = (SELECT max(id) FROM notice)",
    "a moment not armed": "DELETE FROM due WHERE id = (SELECT max(id) FROM due WHERE kind LIKE 'tier:%')",
    "a moment of what is closed": "INSERT INTO due (owner_kind, owner_id, kind, arm, at, rank)"
    " SELECT 'assignment', min(id), 'tier:9', 1, '2025-12-01 01:00:00.000000', 1 FROM assignment",
    "no digest ahead": "DELETE FROM due WHERE kind = 'digest'",
    "no mail of the week": "DELETE FROM notice WHERE tier LIKE 'weekly:%'",
    "a mail that went nowhere": "UPDATE message SET state = 'queued' WHERE id = (SELECT max(id) FROM message)",
    "a mail that the server never got": "UPDATE message SET header_id = '<x@duban>' WHERE id = 1",
    "a notice without its mail": "DELETE FROM delivery WHERE notice_id = (SELECT min(notice_id) FROM delivery)",
    "an advance left behind": "INSERT INTO advance (run_id, item_id) VALUES (1, 1)",
    "a todo left open": "UPDATE todo SET closed_at = NULL WHERE closed_at = (SELECT max(closed_at) FROM todo)",
}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Counter[str], World]]:
    """A run of two weeks in which everything happens once, and what the mail server took."""
    file = tmp_path_factory.mktemp("oracle") / "duban.sqlite3"
    with mail_server() as mail:
        world = build(f"sqlite:///{file}", 3)
        live(world)
        deliver(world.db, Transport("127.0.0.1", mail.port, "督办台账 <duban@localhost>", timeout=5), HERE)
        taken = mail.taken.copy()
    world.db.close()
    yield file, taken, world


def live(world: World) -> None:
    """One share is urged, sent back and closed, one is late, one waits for its signature over night; a round is
    reported, the others are missed."""
    first, second, third, *_ = [s for i in world.items(world.runs[0]) for s in world.shares(i)]
    for one in (first, second, third):
        world.acknowledge(one)()
    world.act(world.actors[OFFICE, "coordinator"], urge, [second], words="请抓紧")()
    world.bring_to(first, "review")
    world.decide(first, agree=False)()
    advance_to(world.db, moment(date(2025, 5, 26), time(10)))
    unit = world.unit_of(first)
    world.report_round(world.owed(world.runs[0])[unit], unit, {first: 5})()
    world.close(first)
    world.bring_to(third, "sign")
    advance_to(world.db, moment(date(2025, 6, 6), time(9, 30)))


def test_an_undisturbed_run_is_as_the_log_says(story: tuple[Path, Counter[str], World]) -> None:
    file, taken, world = story
    db = Database(f"sqlite:///{file}", StoredClock())
    assert wrongs(db, taken, plan_of(world)) == []
    db.close()


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda name: name.replace(" ", "-"))
def test_damage_is_named(story: tuple[Path, Counter[str], World], tmp_path: Path, damage: str) -> None:
    file, taken, world = story
    copied = shutil.copy(file, tmp_path / "damaged.sqlite3")
    with closing(sqlite3.connect(copied)) as raw:  # without foreign keys, as somebody with the file in hand
        assert raw.execute(DAMAGES[damage]).rowcount > 0
        raw.commit()
    db = Database(f"sqlite:///{copied}", StoredClock())
    assert wrongs(db, taken, plan_of(world)) != []
    db.close()


def test_a_mail_that_nobody_wrote_is_named(story: tuple[Path, Counter[str], World]) -> None:
    file, taken, world = story
    db = Database(f"sqlite:///{file}", StoredClock())
    assert wrongs(db, taken + Counter(["<nobody@duban>"]), plan_of(world)) != []
    db.close()


def test_kills_that_met_no_work_are_named() -> None:
    command = Kill(1, "worker", "pages-0", requests=1, transactions=1)
    claim = Kill(2, "scheduler", "scheduler-0", mails=1)
    idle = [Kill(3, "worker", "pages-0"), Kill(4, "scheduler", "scheduler-0"), Kill(5, "master", "pages-0")]
    assert unproven([command, claim]) == []
    assert unproven([command, *idle]) == ["no kill met a claim in flight"]
    assert unproven([claim, *idle]) == ["no kill met a command in flight", "no kill met an open transaction in flight"]
    assert not any(k.in_hand for k in idle)
