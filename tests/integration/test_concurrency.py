"""People who act at the same moment, in real threads on real databases: one winner a todo, the others told why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, time
from itertools import cycle
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, insert, select, text

from bpmn.plan import Role
from engine import commands
from engine.advancing import advance_run
from engine.desk import perform
from ledger.calendar import moment
from ledger.clock import StoredClock, set_clock
from ledger.database import Database, Tx
from ledger.errors import Conflict
from ledger.migrating import upgrade
from ledger.people import SYSTEM
from ledger.schema import advance, assignment, event, item, reading, share, todo
from ledger.verification import broken_chains, replay_differences
from tests.bench.world import KNOWN, OFFICE, UNITS, Act, World, found, generated, item_of
from tests.conftest import empty

START = date(2025, 5, 23)
SEVEN = [u.key for u in UNITS[:7]]
TIMES = 6  # a race is a matter of chance


@pytest.fixture
def world(db_url: str) -> Iterator[World]:
    """Items of seven responsible units, and items of one responsible and six cooperating units."""
    upgrade(db_url)
    db = Database(db_url, StoredClock())
    with db.writer.begin() as connection:
        set_clock(connection, moment(START, time(9)))
    together: list[tuple[str, Role]] = [(key, "responsible") for key in SEVEN]
    helped: list[tuple[str, Role]] = [(SEVEN[0], "responsible"), *((key, "cooperating") for key in SEVEN[1:])]
    extra = [item_of(f"seven{n}", "extra", START, together) for n in range(TIMES)]
    extra += [item_of(f"helped{n}", "extra", START, helped) for n in range(TIMES)]
    try:
        yield found(db, generated(TIMES, START, extra))
        with db.read() as connection:
            assert broken_chains(connection) == []
            assert replay_differences(connection) == []
    finally:
        db.close()


def at_once(acts: Sequence[Act]) -> list[BaseException | None]:
    """Give all acts at the same moment; what each raised."""
    barrier = Barrier(len(acts))

    def give(act: Act) -> BaseException | None:
        barrier.wait()
        try:
            act()
        except Exception as error:
            return error
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(give, acts))


def _shares(w: World, element: str) -> list[int]:
    return w.shares(w.item(w.runs[0], element))


def _sole_winner(acts: Sequence[Act], names: Sequence[str]) -> None:
    """One act went through; the others were told by whom they were overtaken."""
    raised = at_once(acts)
    winners = [name for name, error in zip(names, raised, strict=True) if error is None]
    lost = [error for error in raised if error is not None]
    assert len(winners) == 1, raised
    assert all(isinstance(error, Conflict) for error in lost), raised
    assert {error.who for error in lost if isinstance(error, Conflict)} == set(winners)


def _rivals(w: World, unit: str) -> tuple[list, list[str]]:
    """The two liaisons (A, B 角) of a unit and how a conflict names them."""
    actors = [w.actors[unit, "liaison"], w.colleagues[unit]]
    return actors, [f"{KNOWN.unit(unit).short} {a.name}" for a in actors]


def test_of_two_liaisons_who_sign_for_the_same_todo_one_wins(world: World) -> None:
    for n in range(TIMES):
        ref, _ = world.todo(_shares(world, f"i{n}")[0])
        actors, names = _rivals(world, UNITS[2 * n % len(UNITS)].key)
        _sole_winner([world.act(a, commands.acknowledge, ref) for a in actors], names)


def test_of_two_liaisons_who_apply_at_once_one_wins(world: World) -> None:
    for n in range(TIMES):
        one = _shares(world, f"i{n}")[0]
        world.bring_to(one, "work")
        ref, _ = world.todo(one)
        actors, names = _rivals(world, UNITS[2 * n % len(UNITS)].key)
        acts = [
            world.act(a, commands.submit, ref, world.entry(one, n), summary=f"第 {n} 次", confirmed=True)
            for n, a in enumerate(actors)
        ]
        _sole_winner(acts, names)
    with world.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(reading)).scalar_one() == TIMES


def test_of_two_liaisons_who_report_the_same_round_one_wins(world: World) -> None:
    for n in range(1, TIMES + 1):
        world.open_round(world.runs[0], n)
        actors, names = _rivals(world, SEVEN[n % 7])
        owed = world.owed(world.runs[0])[SEVEN[n % 7]]
        _sole_winner([world.act(a, commands.report_round, owed, {}, nothing_new=True) for a in actors], names)


def test_seven_units_of_one_item_never_stand_in_each_others_way(world: World) -> None:
    for n in range(TIMES):
        shares = _shares(world, f"seven{n}")
        for step in (world.acknowledge, world.submit, world.decide, world.decide):
            assert at_once([step(s) for s in shares]) == [None] * 7
    closed = select(func.count()).where(item.c.element.like("seven%"), item.c.state == "closed", item.c.n_done == 7)
    with world.db.read() as connection:
        assert connection.execute(closed).scalar_one() == TIMES
        assert connection.execute(select(func.count()).select_from(advance)).scalar_one() == 0


def test_an_item_closes_while_its_cooperating_units_act(world: World) -> None:
    """Each of them is done or is told that the item was closed; nobody deadlocks, nothing stays open behind it."""
    for n in range(TIMES):
        responsible, *others = _shares(world, f"helped{n}")
        world.bring_to(responsible, "review")
        for other in others:
            world.bring_to(other, "work")
        closing, *feedback = at_once([world.decide(responsible), *(world.submit(o) for o in others)])
        assert closing is None
        assert {type(error) for error in feedback} <= {type(None), Conflict}, feedback
    still_open = (
        select(func.count())
        .select_from(
            todo.join(assignment, assignment.c.id == todo.c.owner_id).join(item, item.c.id == assignment.c.item_id)
        )
        .where(item.c.element.like("helped%"), todo.c.owner_kind == "assignment", todo.c.closed_at.is_(None))
    )
    with world.db.read() as connection:
        assert connection.execute(still_open).scalar_one() == 0


def test_rounds_are_reported_while_the_same_shares_are_decided(world: World) -> None:
    """A unit reports on many items while each of them moves on."""
    unit = SEVEN[0]
    shares = [_shares(world, f"seven{n}")[0] for n in range(TIMES)]
    for one in shares:
        world.bring_to(one, "review")
    for n in range(1, TIMES + 1):
        world.open_round(world.runs[0], n)
        acts = [world.report_round(world.owed(world.runs[0])[unit], unit, dict.fromkeys(shares, n))]
        acts += [world.decide(one, agree=False) for one in shares]
        assert at_once(acts) == [None] * len(acts)
        for one in shares:
            world.bring_to(one, "review")
    reported = select(func.count()).where(share.c.unit == unit, share.c.state == "reported")
    with world.db.read() as connection:
        assert connection.execute(reported).scalar_one() == TIMES


def test_the_same_units_are_urged_in_any_order_while_they_apply(world: World) -> None:
    coordinator = world.actors[OFFICE, "coordinator"]
    shares = [_shares(world, f"seven{n}")[k] for n, k in zip(range(TIMES), cycle(range(7)), strict=False)]
    for one in shares:
        world.bring_to(one, "work")
    urging = [
        world.act(coordinator, commands.urge, ids, words="请抓紧办理") for ids in (shares, shares[::-1], shares[2:])
    ]
    applying: list[Callable[[], object]] = [world.report(one, 5) for one in shares]
    assert at_once([*urging, *applying]) == [None] * (len(urging) + len(applying))


def test_a_plan_ends_once_though_two_items_closed_at_its_end(db_url: str) -> None:
    """The first drain may already see the second item closed, while its row of `advance` comes after."""
    upgrade(db_url)
    db = Database(db_url, StoredClock())
    with db.writer.begin() as connection:
        set_clock(connection, moment(START, time(9)))
    world = found(db, generated(1, START))
    for one in _shares(world, "i0"):
        world.close(one)
    with db.write() as tx:
        tx.connection.execute(insert(advance), {"run_id": world.runs[0], "item_id": world.items(world.runs[0])[0]})
    advance_run(db, world.runs[0])
    ended = select(func.count()).select_from(event).where(event.c.kind == "run.ended")
    with db.read() as connection:
        assert connection.execute(select(func.count()).select_from(advance)).scalar_one() == 0
        assert connection.execute(ended).scalar_one() == 1
        assert replay_differences(connection) == []
    db.close()


@pytest.mark.postgres
def test_the_victim_of_a_deadlock_is_tried_again(postgres_url: str) -> None:
    """Two acts lock two rows crosswise: PostgreSQL ends one of them, and the person never hears of it."""
    empty(postgres_url)
    upgrade(postgres_url)
    db = Database(postgres_url)
    with db.writer.begin() as connection:
        connection.execute(text("INSERT INTO counter (name, value) VALUES ('a', 0), ('b', 0)"))
    meet, runs = Barrier(2), list[str]()

    def crosswise(tx: Tx, names: str) -> None:
        runs.append(names)
        tx.allocate(names[0])
        if len(runs) <= 2:
            meet.wait(10)
        tx.allocate(names[1])

    threads = [Thread(target=perform, args=(db, SYSTEM, crosswise, names)) for names in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with db.read() as connection:
        values = set(connection.execute(text("SELECT value FROM counter")).scalars())
    db.close()
    assert values == {2}
    assert len(runs) >= 3  # on a busy machine the one that is tried again may meet the other once more
