"""Mail servers that fail in every way, and clocks that jump: what is to be told is told, once, and time goes on.

One deployment lives through all of it, working day after working day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from engine.commands import urge
from ledger.calendar import local_day, moment
from ledger.clock import set_target, target_of, wall_now
from ledger.database import calendar_of
from ledger.schema import clock, heartbeat, message, notice
from tests.bench.world import OFFICE
from tests.faults.expected import wrongs
from tests.faults.killing import NINE_THIRTY, plan_of, settle
from tests.faults.mailserver import MailServer, mail_server
from tests.faults.site import Site, build, running, wait_until

pytestmark = [
    pytest.mark.slow,
    # A mail server that is taken away in the middle of a conversation does not close what it talks on.
    pytest.mark.filterwarnings("ignore:unclosed (transport|<socket):ResourceWarning"),
]

DAY_SECONDS = 86400
Trouble = Callable[[MailServer], None]


@pytest.fixture(scope="module")
def off(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By how many seconds the machine's clock is wrong, for the processes under test."""
    file = tmp_path_factory.mktemp("clock") / "off"
    file.write_text("0")
    return file


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, off: Path) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("mail")
    world = build(f"sqlite:///{folder / 'duban.sqlite3'}", 8)
    with mail_server() as mail, running(world, mail, folder, more={"DUBAN_TEST_FAULTS_CLOCK": str(off)}) as deployed:
        settle(deployed)
        yield deployed
    world.db.close()


# ---------------------------------------------------------------- what happens, and what is looked at
def next_morning(site: Site) -> None:
    """Somebody is urged, and the clock goes to half past nine of the next working day: round, tiers, digest."""
    world = site.world
    urged = world.shares(world.items(world.runs[0])[0])
    world.act(world.actors[OFFICE, "coordinator"], urge, urged, words="请抓紧办理")()
    with site.db.write() as tx:
        day = calendar_of(tx.connection).after(local_day(tx.now), 1)
        set_target(tx.connection, moment(day, NINE_THIRTY))


def has_arrived(site: Site) -> bool:
    with site.db.read() as connection:
        times = target_of(connection)
    return times is not None and times[0] == times[1]


def states(site: Site) -> Counter[str]:
    with site.db.read() as connection:
        return Counter(connection.execute(select(message.c.state)).scalars())


def failed(site: Site) -> int:
    """Mails that were tried and are not sent."""
    tried = select(func.count()).where(message.c.error.is_not(None), message.c.state != "sent")
    with site.db.read() as connection:
        return connection.execute(tried).scalar_one()


def last_beat(site: Site) -> datetime:
    with site.db.read() as connection:
        beat: datetime = connection.execute(select(heartbeat.c.beat_at).where(heartbeat.c.name == "tick")).scalar_one()
    return beat


def beats_about(site: Site, at: datetime) -> bool:
    return abs(last_beat(site) - at) < timedelta(minutes=2)


def agree(site: Site, dead: int = 0) -> None:
    """The books, but for letters that nobody will ever take."""
    found = wrongs(site.db, site.mail.taken, plan_of(site.world))
    undelivered = [w for w in found if " is dead: " in w or w.startswith("the mail server never got")]
    assert [w for w in found if w not in undelivered] == []
    assert len(undelivered) == 2 * dead, undelivered


# ---------------------------------------------------------------- mail servers
def down(server: MailServer) -> None:
    server.stop()


def deaf(server: MailServer) -> None:
    server.deaf = True


def stalling(server: MailServer) -> None:
    server.stall = 5


def busy(server: MailServer) -> None:
    server.answer = "451 try again later"


def full(server: MailServer) -> None:
    server.recipients = lambda address: "452 mailbox full"


def closing(server: MailServer) -> None:
    server.recipients = lambda address: "421 service not available"


def dropping(server: MailServer) -> None:
    server.drop = True


def healed(server: MailServer) -> None:
    server.deaf, server.stall, server.drop, server.answer = False, 0.0, False, "250 OK"
    server.recipients = lambda address: "250 OK"
    server.start()


TROUBLES = (down, deaf, stalling, busy, full, closing, dropping)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: t.__name__)
def test_trouble_of_the_mail_server_delays_mails_and_nothing_else(site: Site, trouble: Trouble) -> None:
    before = states(site).total()
    trouble(site.mail)
    next_morning(site)
    wait_until(lambda: has_arrived(site), lambda: site.logs[-3000:])  # time does not wait for the mail server
    wait_until(lambda: failed(site) > 0, lambda: site.logs[-3000:])
    stuck = states(site)
    assert stuck.total() > before and stuck["queued"] + stuck["sending"] > 0
    assert stuck["dead"] == 0
    if trouble is not down:
        site.mail.stop()  # it ends what it had in hand
    healed(site.mail)
    wait_until(site.is_quiet, lambda: f"{states(site)}\n{site.logs[-3000:]}")
    agree(site)


def test_a_server_that_is_down_for_long_is_held_against_no_mail(site: Site) -> None:
    site.mail.stop()
    next_morning(site)
    wait_until(lambda: site.logs.count("not sent: SendError") > 50, lambda: site.logs[-3000:])
    with site.db.read() as connection:
        waiting = select(func.max(message.c.attempts)).where(message.c.state == "queued")
        assert connection.execute(waiting).scalar_one() <= 1  # else a weekend without the server would end them
    site.mail.start()
    wait_until(site.is_quiet, lambda: site.logs[-3000:])
    agree(site)


# ---------------------------------------------------------------- the machine's clock
@pytest.mark.parametrize("seconds", [DAY_SECONDS, -DAY_SECONDS, 10 * 365 * DAY_SECONDS])
def test_machine_clock_that_is_set_neither_stops_the_beat_nor_loses_a_mail(site: Site, off: Path, seconds: int) -> None:
    """Set while mails are on their way, and set right again while others are."""
    site.mail.stall = 0.2
    try:
        for wrong_by in (seconds, 0):
            next_morning(site)
            wait_until(lambda: states(site)["sending"] > 0, lambda: site.logs[-3000:])
            off.write_text(str(wrong_by))
            wait_until(partial(beats_about, site, wall_now() + timedelta(seconds=wrong_by)), str, 30)
            wait_until(lambda: has_arrived(site), lambda: site.logs[-3000:])
    finally:
        site.mail.stall = 0
        off.write_text("0")
    wait_until(site.is_quiet, lambda: f"{states(site)}\n{site.logs[-3000:]}")
    agree(site)


# ---------------------------------------------------------------- the clock of business
@pytest.mark.parametrize("days", [3, 21])
def test_weeks_without_a_scheduler_tell_the_highest_tier_alone(site: Site, days: int) -> None:
    for process in site.schedulers:
        process.stop()
    with site.db.write() as tx:
        began = tx.now
        day = calendar_of(tx.connection).on_or_after(local_day(tx.now) + timedelta(days=days))
        tx.connection.execute(update(clock).values(now=moment(day, NINE_THIRTY), target=moment(day, NINE_THIRTY)))
    for process in site.schedulers:
        process.start()
    settle(site)
    tiers = select(notice).where(notice.c.tier.in_(("-3", "0", "1", "5")), notice.c.at > began)
    with site.db.read() as connection:
        rows = connection.execute(tiers.where(notice.c.owner_kind == "assignment")).all()
    told: dict[tuple[int, datetime], set[str]] = {}
    for n in rows:
        if n.state != "superseded":
            told.setdefault((n.owner_id, n.at), set()).add(n.tier)
    assert all(len(tiers) == 1 for tiers in told.values())
    if days > 7:
        assert any(n.state == "superseded" for n in rows)
    agree(site)


# ---------------------------------------------------------------- refused for good: last, since such letters stay dead
def test_one_address_that_is_refused_for_good_concerns_no_other(site: Site) -> None:
    unit = site.world.unit_of(site.world.shares(site.world.items(site.world.runs[0])[0])[0])
    site.mail.recipients = lambda address: "550 no such user" if address.startswith(f"{unit}@") else "250 OK"
    next_morning(site)
    wait_until(lambda: has_arrived(site), lambda: site.logs[-3000:])
    wait_until(lambda: set(states(site)) <= {"sent", "dead"}, lambda: f"{states(site)}\n{site.logs[-3000:]}")
    site.mail.recipients = lambda address: "250 OK"
    assert states(site)["dead"] > 0
    agree(site, dead=states(site)["dead"])
