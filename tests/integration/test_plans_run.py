"""返乡创业, 科技成果转化 and 妈妈岗 side by side, each to its end on the simulated clock, on both databases.

Hardly a row of theirs has a date: what must not happen (reminders, red lights) counts as much as what must.
Every expected number is typed here with its arithmetic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date, time
from typing import Any

from sqlalchemy import select

from engine.verifying import differences
from ledger.calendar import moment
from ledger.database import Database
from ledger.queries.standing import Standing, standings
from ledger.schema import assignment, item, notice, round_, run, share, todo
from ledger.verification import Scene
from webapp.demo import campaign
from webapp.demo.campaign import FANXIANG, KEJI, MAMAGANG
from webapp.demo.office import Office

# 各县(市、区) are six units, 各在黄高校 three; 职业院校, 各行业主管部门 and 相关部门 nobody until they are named.
SHARES = {
    # items 1 to 9 and 11 to 51, by heading
    FANXIANG: (10 + 7 + 7 + 2 + 1 + 8 + 12 + 9)
    + (8 + 6 + 8 + 5 + 4 + 7 + 1 + 1 + 9 + 2 + 3 + 11 + 7 + 2)
    + (9 + 8 + 2 + 3 + 4 + 3 + 10 + 7)
    + (10 + 9 + 9 + 8)
    + (4 + 1 + 3 + 2 + 10 + 5 + 10)
    + (3 + 2 + 1 + 4 + 3 + 3 + 5 + 9 + 8),
    KEJI: (10 + 11 + 8) + (10 + 8 + 8) + (9 + 8) + (12 + 12 + 12 + 1),
    MAMAGANG: (8 + 9 + 2) + (1 + 2 + 3) + (1 + 1 + 1 + 1) + (1 + 3 + 6) + (2 + 3),
}


class Town:
    """The offices of the three plans on one clock."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.offices: dict[str, Office] = {}

    def at(self, year: int, month: int, day: int, hour: int) -> None:
        next(iter(self.offices.values())).at(moment(date(year, month, day), time(hour)))

    def start(self, plan: str) -> None:
        """Hand a plan out; everybody signs for it."""
        self.offices[plan] = office = Office(self.db, campaign.start(self.db, plan))
        for unit in sorted({unit for unit, _ in self.open(plan, "acknowledge")}):
            office.acknowledge(unit)

    def open(self, plan: str, *steps: str) -> list[tuple[str, str]]:
        """(unit, number of the item) of every todo of a share at these steps."""
        with self.db.read() as c:
            rows = c.execute(
                select(assignment.c.unit, item.c.no)
                .select_from(
                    todo.join(assignment, assignment.c.id == todo.c.owner_id).join(
                        item, item.c.id == assignment.c.item_id
                    )
                )
                .where(todo.c.owner_kind == "assignment", todo.c.closed_at.is_(None), todo.c.step.in_(steps))
                .where(todo.c.run_id == self.offices[plan].run_id)
                .order_by(assignment.c.id)
            ).all()
        return [(r.unit, r.no) for r in rows]

    def apply(self, plan: str, but: Collection[str] = ()) -> None:
        """申请办结 by every unit that still works on an item, and its signature."""
        for unit, no in self.open(plan, "work"):
            if no not in but:
                self.offices[plan].apply(unit, no, "任务全部完成，佐证材料齐备。")
        for unit, no in self.open(plan, "sign"):
            self.offices[plan].decide(unit, no)

    def agree(self, plan: str) -> None:
        """同意办结 of everything that waits for its reviewer."""
        for unit, no in self.open(plan, "review", "host_review"):
            self.offices[plan].decide(unit, no)

    def standing(self, plan: str, no: str) -> Standing:
        return next(s for s in self.standings(plan) if s.item.no == no)

    def standings(self, plan: str) -> Collection[Standing]:
        with self.db.write() as tx:  # its instant is the business clock's
            ids = tx.connection.execute(select(item.c.id).where(item.c.run_id == self.offices[plan].run_id)).scalars()
            return standings(tx.connection, tx.calendar, tx.now, list(ids)).values()

    def report_year(self, plan: str, units: str, no: str, figures: dict[str, dict[str, int]]) -> None:
        for unit in units.split():
            entry = (figures.get(unit, {}), "本年度情况已汇总。")
            self.offices[plan].report_round(unit, "yearly", {no: entry})


FARMERS = "nongye renshe tuanshiwei"  # item 38 of 返乡创业
NEEDS = "keji renshe guotou daye yangxin huangshigang xisaishan xialu kaifaqu xingang"  # item 4 of 科技成果转化


def test_three_plans_without_dates_run_to_their_ends(migrated: Database) -> None:
    town = Town(migrated)
    campaign.prepare(migrated, moment(date(2025, 5, 26), time(9)))
    town.start(FANXIANG)
    town.start(KEJI)
    town.at(2025, 7, 16, 9)
    town.start(MAMAGANG)
    first_half_year(town)
    the_years(town)
    the_end(town)
    with migrated.read() as c:
        check_ledger(c)
        assert list(differences(Scene(c, clock=migrated.clock))) == []


def first_half_year(town: Town) -> None:
    """What has no date is grey, whatever happens; 妈妈岗 is done by September."""
    lights = {plan: Counter(s.light.word for s in town.standings(plan)) for plan in SHARES}
    assert lights == {
        # Nobody has reported anything: of what is to be reached by the end of 2025 (400 and 20 in item 38) a quarter of
        # the time is gone, of the 600 of 2025 to 2027 a sixth; of what is due in 2027 not yet a tenth.
        FANXIANG: {"未定时限": 47, "按序时推进": 2, "严重滞后": 1},
        KEJI: {"未定时限": 11, "严重滞后": 1},
        MAMAGANG: {"未定时限": 15},
    }
    town.at(2025, 9, 10, 10)
    town.apply(MAMAGANG)
    town.at(2025, 9, 11, 15)
    town.agree(MAMAGANG)
    assert {s.light.colour for s in town.standings(MAMAGANG)} == {"blue"}
    town.at(2025, 11, 10, 10)
    town.apply(KEJI, but=["4"])
    town.apply(FANXIANG, but=["15", "21", "38", "45"])
    town.at(2025, 11, 11, 15)
    town.agree(KEJI)
    town.agree(FANXIANG)


def the_years(town: Town) -> None:
    """A yearly figure is held against the year that is asked for: 2 courses by the end of 2025, 4 by 2026."""
    founders = {"trained-founders": 400, "rural-founders": 20}
    for year, courses in ((2025, 2), (2026, 4), (2027, 6)):
        town.at(year, 12, 8, 10)
        asked = town.standing(FANXIANG, "38")
        assert (asked.gauges[0].name, int(asked.gauges[0].target)) == ("高素质农民培训", courses)
        assert asked.light.colour == "red", "0 of 2, then 2 of 4 and 4 of 6, with the last weeks of the year to go"
        late = " tuanshiwei" if year == 2026 else ""
        figures = {"nongye": {"farmer-courses": courses, **(founders if year == 2025 else {})}}
        town.report_year(FANXIANG, FARMERS.removesuffix(late or "-"), "38", figures)
        needs = 200 * (year - 2024)
        town.report_year(KEJI, NEEDS, "4", {"keji": {"solved-needs": needs}})
        if late:
            town.at(2027, 1, 5, 10)
            town.report_year(FANXIANG, late, "38", {})
        assert town.standing(KEJI, "4").light.colour == "green"
        assert town.standing(FANXIANG, "38").light.colour == "green"


def the_end(town: Town) -> None:
    """The dated rows in time; the row without a date two weeks after the plan's period, and not late."""
    town.at(2027, 12, 20, 10)
    town.offices[FANXIANG].report("nongye", "15", "龙头企业名单已核定。", {"farm-leaders": 200})
    town.offices[FANXIANG].report("renshe", "21", "劳务品牌名单已核定。", {"brands": 30})
    town.apply(FANXIANG, but=["45"])
    town.apply(KEJI)
    town.at(2027, 12, 21, 15)
    town.agree(FANXIANG)
    town.agree(KEJI)
    town.at(2028, 1, 14, 10)
    left = town.standing(FANXIANG, "45")
    assert (left.light.colour, left.light.word, left.left) == ("grey", "未定时限", "")
    town.apply(FANXIANG)
    town.at(2028, 1, 17, 15)
    town.agree(FANXIANG)
    town.at(2028, 1, 31, 18)


def check_ledger(c: Any) -> None:
    ended = c.execute(select(run.c.plan, run.c.ended_at)).all()
    assert {r.plan: r.ended_at for r in ended} == {
        MAMAGANG: moment(date(2025, 9, 11), time(15)),
        KEJI: moment(date(2027, 12, 21), time(15)),
        FANXIANG: moment(date(2028, 1, 17), time(15)),
    }
    shares = c.execute(select(run.c.plan, assignment.c.state).join(run, run.c.id == assignment.c.run_id)).all()
    assert Counter(tuple(r) for r in shares) == {(plan, "closed"): count for plan, count in SHARES.items()}
    # One occurrence a year of either yearly row, asked of 3 and of 10 units; one report came late, none was missed.
    assert Counter(c.execute(select(round_.c.cadence)).scalars()) == {"yearly": 3 + 3}
    assert Counter(c.execute(select(share.c.state)).scalars()) == {"reported": 3 * 3 + 3 * 10}
    # Beside what was handed out and asked for only the late report was chased, before, on and after its day.
    tiers = Counter(c.execute(select(notice.c.tier)).scalars())
    chased = {tier: count for tier, count in tiers.items() if tier.lstrip("-").isdigit()}
    assert chased == {"-3": 1, "0": 1, "1": 1}
    assert (tiers["handed"], tiers["request"]) == (sum(SHARES.values()), 9 + 30)
