"""The demonstration: four plans side by side on its day, and the same people for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from bpmn.library import plan_keys, plan_xml
from bpmn.reading import read_plan
from engine.verifying import differences
from ledger import organisation
from ledger.clock import StoredClock
from ledger.database import Database
from ledger.migrating import upgrade
from ledger.queries.standing import standings
from ledger.schema import item, person, post, run
from ledger.verification import Scene
from webapp.demo import campaign
from webapp.demo.people import units_of

HUANGSHI = organisation.load("huangshi")
RUNS = (campaign.PLAN, campaign.FANXIANG, campaign.KEJI, campaign.MAMAGANG)  # in the order in which they start


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'duban.sqlite3'}"
    upgrade(url)
    made = Database(url, StoredClock())
    campaign.build(made)
    yield made
    made.close()


def test_every_plan_of_the_library_runs(demo: Database) -> None:
    with demo.read() as c:
        started = c.execute(select(run.c.plan, run.c.started_at, run.c.ended_at)).all()
        assert {r.plan for r in started} == set(plan_keys())
        assert all(r.started_at.date() == day for r in started if (day := campaign.STARTS.get(r.plan)))
        assert [r.ended_at for r in started] == [None] * 4
        assert list(differences(Scene(c, clock=StoredClock()))) == []


def test_each_plan_has_something_to_show(demo: Database) -> None:
    with demo.write() as tx:
        ids = tx.connection.execute(select(item.c.id)).scalars()
        stands = standings(tx.connection, tx.calendar, tx.now, list(ids)).values()
    colours = {key: Counter(s.light.colour for s in stands if s.item.run_id == n) for n, key in enumerate(RUNS, 1)}
    assert {key: sum(found.values()) for key, found in colours.items()} == dict(
        zip(RUNS, (33, 50, 12, 15), strict=True)
    )
    assert colours[campaign.PLAN]["red"] == 3
    assert [s.item.no for s in stands if s.due_at is None and s.light.colour not in ("grey", "blue")] == []
    assert len([s for s in stands if s.presumed]) == 3


def test_whoever_a_plan_names_has_people_and_only_once(demo: Database) -> None:
    with demo.read() as c:
        held = c.execute(select(post.c.unit, post.c.role)).all()
        names = c.execute(select(person.c.name)).scalars().all()
    assert len(set(names)) == len(names)
    seats = Counter((r.unit, r.role) for r in held)
    assert max(seats.values()) == 1
    for key in RUNS:
        plan = read_plan(plan_xml(key))
        office = HUANGSHI.resolve(plan.facts.office)
        assert office is not None
        assert (office.units[0].key, "coordinator") in seats
        for unit in units_of(plan, HUANGSHI):
            assert (unit, "liaison") in seats, (key, unit)
            assert (unit, "deputy_head") in seats or HUANGSHI.unit(unit).kind == "body", (key, unit)


def test_one_unit_has_work_from_all_four(demo: Database) -> None:
    named = [set(units_of(read_plan(plan_xml(key)), HUANGSHI)) for key in RUNS]
    assert {"renshe", "daye", "xialu"} <= set.intersection(*named)
