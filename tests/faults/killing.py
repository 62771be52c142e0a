"""SIGKILL for web workers and schedulers while they have claims and commands in hand; then the books are checked.

A victim is first stopped (SIGSTOP), so that what it holds can be looked at without a race: the requests it has accepted
and not answered, the write transaction it is in, the mails it has claimed. If it holds nothing it may go on, and is
caught again a moment later; only a kill of somebody with work in hand counts.
"""

from __future__ import annotations

import signal
import time as stopwatch
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import time
from pathlib import Path
from random import Random

from sqlalchemy import select, text
from sqlalchemy.engine import make_url

from bpmn.plan import Plan
from engine import published
from ledger.calendar import local_day, moment
from ledger.clock import set_target
from ledger.database import calendar_of
from ledger.schema import message
from tests.bench.world import World
from tests.faults.browser import Outcome, Wires
from tests.faults.crowd import ClockMover, Diary, Person, balance, crowd
from tests.faults.expected import wrongs
from tests.faults.mailserver import mail_server
from tests.faults.processes import Supervised, send, sockets, sqlite_writers
from tests.faults.site import Site, build, running, wait_until

NINE_THIRTY = time(9, 30)
PEOPLE = 8
ITEMS = 12  # and more for a longer run
HASTE = 0.12  # so that nobody is done before the last kill
CLOCK_SECONDS = 0.7
MAIL_SECONDS = 0.05  # what the mail server takes for a mail
CHASE_SECONDS = 20  # to catch a victim with something in hand, before another is chosen
IDLE_SECONDS = 120  # in which nobody at all has anything in hand: then something is wrong with the run
DEEP = 0.6  # of the kills wait for an open transaction or a mail on its way; a request that was accepted is not enough
DECK = {"worker": 8, "scheduler": 8, "pages": 3, "master": 1}  # shuffled and dealt, so that no short run misses a kind

Log = Callable[[dict[str, object]], None]


@dataclass
class Kill:
    """One kill, and what the victim held when it was stopped for it."""

    n: int
    what: str  # worker: a child of gunicorn; pages: gunicorn with its children; master: gunicorn alone; scheduler
    name: str
    requests: int = 0  # accepted, not yet answered
    transactions: int = 0  # open write transactions
    mails: int = 0  # sessions with the mail server
    leases: list[tuple[int, int]] = field(default_factory=list)  # (message, attempt) in state `sending`

    @property
    def command(self) -> bool:
        return self.what != "scheduler" and (self.requests > 0 or self.transactions > 0)

    @property
    def claim(self) -> bool:
        """A mail on its way, or due rows being fired."""
        return self.what == "scheduler" and (self.mails > 0 or self.transactions > 0)

    @property
    def in_hand(self) -> bool:
        return self.command or self.claim


@dataclass(frozen=True)
class Summary:
    """The figures of one scenario; `wrong` names everything that was not as it must be."""

    database: str
    seed: int
    kills: int  # of somebody with work in hand
    kills_empty_handed: int  # of gunicorn's master, which works for nobody itself
    kills_by_victim: dict[str, int]
    with_commands_in_flight: int
    with_claims_in_flight: int
    with_transaction_open: int
    requests_in_flight: int
    requests_broken: int
    claims_taken_over: int
    acts: int
    acknowledged: int
    refused: int
    unavailable: int
    lost: int
    doubled: int
    mails: int
    mails_sent_again: int
    restarts: int
    seconds: float
    wrong: list[str]


class Killer:
    """Chooses a victim at random, looks into its hands, kills it."""

    def __init__(self, site: Site, wires: Wires, chance: Random) -> None:
        self.site, self.wires, self.chance, self.kills = site, wires, chance, list[Kill]()
        self._deck = list[str]()
        self._name = make_url(site.url).database or ""

    def kill(self) -> Kill:
        """One kill. Raises: AssertionError when nobody has had anything in hand for long."""
        until = stopwatch.monotonic() + IDLE_SECONDS
        while (kill := self._chase(self._deal())) is None:
            assert stopwatch.monotonic() < until, self.site.logs[-3000:]
        self.kills.append(kill)
        return kill

    def _deal(self) -> str:
        if not self._deck:
            self._deck = self.chance.sample(list(DECK), sum(DECK.values()), counts=list(DECK.values()))
        return self._deck.pop()

    def _chase(self, what: str) -> Kill | None:
        """Kill at the first of many moments at which something is in hand; nobody is killed when none comes."""
        deep, until = self.chance.random() < DEEP, stopwatch.monotonic() + CHASE_SECONDS
        while stopwatch.monotonic() < until:
            stopwatch.sleep(self.chance.uniform(0.01, 0.1))
            process = self.chance.choice(self.site.schedulers if what == "scheduler" else self.site.pages)
            pids = self._pids(what, process)
            if not pids:
                continue  # it is still getting up from the last time
            send(pids, signal.SIGSTOP)
            kill = self._look(what, process, pids)
            if kill.transactions > 0 or kill.claim or (kill.command and not deep) or what == "master":
                send(pids, signal.SIGKILL)
                return kill
            send(pids, signal.SIGCONT)
        return None

    def _pids(self, what: str, process: Supervised) -> list[int]:
        children = process.children()
        match what:
            case "worker":
                return [self.chance.choice(children)] if children else []
            case "pages":
                return [process.pid, *children] if process.pid and children else []
        return [process.pid] if process.pid else []

    def _look(self, what: str, process: Supervised, pids: list[int]) -> Kill:
        held = [] if what == "master" else sockets(pids)
        kill = Kill(len(self.kills) + 1, what, process.name)
        kill.requests = len({s.there for s in held} & self.wires.now())
        kill.mails = sum(s.there == self.site.mail.port for s in held)
        with self.site.db.read() as connection:
            found = select(message.c.id, message.c.attempts).where(message.c.state == "sending")
            kill.leases = [(r.id, r.attempts) for r in connection.execute(found)]
            if not self.site.db.is_sqlite:
                begun = "SELECT client_port FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
                ports = set(connection.execute(text(begun)).scalars())
                kill.transactions = len({s.here for s in held} & ports)
        if self.site.db.is_sqlite:
            kill.transactions = len(sqlite_writers(Path(self._name)) & set(pids))
        return kill


def scenario(url: str, folder: Path, kills: int, seed: int, log: Log) -> Summary:
    """A run of a plan from its first day to its end, through so many kills of processes with work in hand. One of each
    process on SQLite, several on PostgreSQL."""
    started, chance = stopwatch.monotonic(), Random(seed)
    world = build(url, ITEMS + kills * 2 // 3)
    several = not world.db.is_sqlite
    n = 2 if several else 1
    diary, wires = Diary(), Wires()
    with mail_server(MAIL_SECONDS) as mail, running(world, mail, folder, pages=n, workers=n, schedulers=n) as site:
        people = crowd(site, diary, wires, PEOPLE, seed, haste=HASTE)
        clock = ClockMover(site, wires, CLOCK_SECONDS)
        for thread in (*people, clock):
            thread.start()
        wait_until(lambda: diary.count(Outcome.DONE) > len(people), lambda: site.logs[-3000:])
        killer = Killer(site, wires, chance)
        while sum(k.in_hand for k in killer.kills) < kills:
            kill = killer.kill()
            log({"event": "kill", "seconds": round(stopwatch.monotonic() - started, 1), **_line(kill)})
            stopwatch.sleep(chance.uniform(0.1, 0.6))
        clock.stopping.set()
        clock.join()
        finish(site, people)
        found = _summary(site, diary, killer, seed, stopwatch.monotonic() - started)
    world.db.close()
    log({"event": "summary", **asdict(found)})
    return found


def finish(site: Site, people: list[Person]) -> None:
    """Nobody is killed any more: every share is closed, and the clock goes on past the next digest."""
    for person in people:
        person.haste, person.pause = 1.0, 0.0
    for person in people:
        person.join()
    settle(site)


def settle(site: Site) -> None:
    """Go on past the next digest, and wait until everything that was to happen has happened."""
    with site.db.write() as tx:
        day = calendar_of(tx.connection).after(local_day(tx.now), 1)
        set_target(tx.connection, moment(day, NINE_THIRTY))
    wait_until(site.is_quiet, lambda: site.logs[-3000:])
    stopwatch.sleep(1)  # a beat that was under way
    wait_until(site.is_quiet, lambda: site.logs[-3000:])


def _line(kill: Kill) -> dict[str, object]:
    return {**asdict(kill), "leases": len(kill.leases)}


def _summary(site: Site, diary: Diary, killer: Killer, seed: int, seconds: float) -> Summary:
    with site.db.read() as connection:
        books = balance(connection, diary.acts)
        attempts = dict(connection.execute(select(message.c.id, message.c.attempts)).all())
    stood = {lease for kill in killer.kills if kill.what == "scheduler" for lease in kill.leases}
    wrong = [*diary.surprises, *books.lost, *books.doubled, *books.refused_yet_there]
    wrong += wrongs(site.db, site.mail.taken, plan_of(site.world))
    wrong += site.verify()
    wrong += unproven(killer.kills)
    victims = [k.what for k in killer.kills]
    return Summary(
        database="sqlite" if site.db.is_sqlite else "postgresql",
        seed=seed,
        kills=sum(k.in_hand for k in killer.kills),
        kills_empty_handed=sum(not k.in_hand for k in killer.kills),
        kills_by_victim={what: victims.count(what) for what in DECK},
        with_commands_in_flight=sum(k.command for k in killer.kills),
        with_claims_in_flight=sum(k.claim for k in killer.kills),
        with_transaction_open=sum(k.transactions > 0 for k in killer.kills),
        requests_in_flight=sum(k.requests for k in killer.kills),
        requests_broken=diary.count(Outcome.UNKNOWN),
        claims_taken_over=sum(attempts[one] > attempt for one, attempt in stood),
        acts=len(diary.acts),
        acknowledged=diary.count(Outcome.DONE),
        refused=diary.count(Outcome.REFUSED),
        unavailable=diary.count(Outcome.AWAY, Outcome.UNSENT),
        lost=len(books.lost),
        doubled=len(books.doubled),
        mails=len(attempts),
        mails_sent_again=site.mail.sent_again,
        restarts=sum(p.starts - 1 for p in site.processes),
        seconds=round(seconds, 1),
        wrong=wrong,
    )


def unproven(kills: Sequence[Kill]) -> list[str]:
    """What the kills of a run never met: without it the run is no proof, however clean the books are."""
    wanted = {
        "a command": any(k.command for k in kills),
        "a claim": any(k.claim for k in kills),
        "an open transaction": any(k.transactions > 0 for k in kills),
    }
    return [f"no kill met {what} in flight" for what, met in wanted.items() if not met]


def plan_of(world: World) -> Plan:
    """The plan of the world's run, as it was published."""
    with world.db.read() as connection:
        return published.of_run(connection, world.runs[0]).plan
