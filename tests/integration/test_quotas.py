"""Quotas: what the shares of an item have to reach together of the one figure that adds up, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from bpmn.plan import Indicator, Share
from engine.commands import (
    Entry,
    StepDraft,
    amend_quota,
    amend_quotas,
    amend_target,
    answer,
    check,
    plan_steps,
    report,
    step_done,
)
from ledger.database import Database, calendar_of
from ledger.errors import Invalid, NotAllowed, NotFound, Questions, Refused
from ledger.queries.standing import Standing, part_light, standings
from ledger.schema import indicator, notice
from tests.hostile import machine
from tests.hostile.machine import _item
from tests.integration import test_adjusting
from tests.integration.test_adjusting import GROUND, House, at
from tests.integration.test_indexes import client_of

A, B, C, D = "renshe", "jiaoyu", "daye", "yangxin"
NO = "11"
FIGURES = (
    Indicator("trained", "培训人次", ">=", Decimal(100), "人次", "培训 100 人次"),
    Indicator("rate", "满意率", ">=", Decimal(90), "%", "满意率 90%", sum="latest"),
)
SHARES = (Share(machine.A, "responsible", Decimal(40)), Share(machine.B, "responsible", Decimal(60)))
PARTED = replace(_item(NO, [], [machine.A, machine.B], [], indicators=FIGURES), shares=SHARES)
TWO = replace(
    _item(
        "12",
        [],
        [machine.A, machine.B],
        [],
        indicators=(replace(FIGURES[0], key="taught"), replace(FIGURES[0], key="jobs", name="就业人数")),
    ),
    shares=SHARES,
)


@pytest.fixture
def house(migrated: Database) -> Iterator[House]:
    yield from test_adjusting.verified(migrated, PARTED, TWO)


def number(house: House, key: str, no: str = NO) -> int:
    own = indicator.c.key == key, indicator.c.item_id == house.item(no).id
    return int(house.row(select(indicator.c.id).where(*own)).id)


def standing(house: House, no: str = NO) -> Standing:
    item_id = house.item(no).id
    with house.db.read() as connection:
        return standings(connection, calendar_of(connection), house.db.clock.now(connection), [item_id])[item_id]


def reported(house: House, unit: str, no: str = NO, **values: int) -> None:
    figures = {number(house, key, no): Decimal(value) for key, value in values.items()}
    house.do(unit, report, house.share(no, unit).id, Entry(figures), confirmed=True)


def step_planned(house: House, no: str) -> int:
    """A's step, at which half of the target is to be reached."""
    house.sign_for(no, A)
    share = house.share(no, A)
    house.do(A, plan_steps, share.id, steps=[StepDraft("办两期班", date(2025, 6, 20), "张三", Decimal(50))])
    house.do("zhuanban", answer, house.petition(no, A), agree=True)
    return int(share.id)


# ---------------------------------------------------------------- of which figure they are
def test_a_quota_is_held_against_the_figure_that_it_is_of(house: House) -> None:
    """40 of the 100 are A's; that 10 per cent are content says nothing about them."""
    house.sign_for(NO, A)
    house.until(at(6, 29))
    reported(house, A, trained=40, rate=10)
    shown = standing(house)
    assert shown.counted is not None and shown.counted.name == "培训人次"
    with house.db.read() as connection:
        clock = calendar_of(connection), house.db.clock.now(connection)
    part = shown.part(house.share(NO, A).id)
    assert part_light(part, shown.item, shown.gauges, *clock).colour != "red"
    reported(house, A, trained=10, rate=100)
    part = standing(house).part(part.id)
    assert part_light(part, shown.item, shown.gauges, *clock).colour == "red"


def test_a_step_asks_for_its_part_of_the_quota(house: House) -> None:
    share, done = step_planned(house, NO), {"step": 1, "words": "办了两期。"}
    reported(house, A, trained=10)
    with pytest.raises(Questions, match="为目标的 25"):
        house.do(A, step_done, share, **done)
    reported(house, A, trained=20)  # half of its 40, a fifth of the 100
    house.do(A, step_done, share, **done)


def test_a_quota_of_an_item_with_two_sums_is_held_against_none_of_them(house: House) -> None:
    share, done = step_planned(house, "12"), {"step": 1, "words": "办了两期。"}
    reported(house, A, "12", taught=50, jobs=20)  # half of 40, but nobody has said that the 40 are of these
    assert standing(house, "12").counted is None
    with pytest.raises(Questions, match="就业人数累计 20 人次，为目标的 20"):
        house.do(A, step_done, share, **done)


def test_each_judgement_of_a_reading_is_told(house: House) -> None:
    house.sign_for(NO, A)
    reported(house, A, trained=40, rate=90)
    for key, value in (("trained", 38), ("rate", 88), ("trained", 36)):
        figures = {number(house, key): Decimal(value)}
        house.do("zhuanban", check, house.share(NO, A).id, figures=figures, reason="核对花名册。")
    told = select(notice.c.tier).where(notice.c.tier.like("check:%"), notice.c.unit == A)
    assert len(house.rows(told)) == 3


# ---------------------------------------------------------------- all at once
def quotas(house: House, **given: int | None) -> dict[int, Decimal | None]:
    return {house.share(NO, u).id: None if q is None else Decimal(q) for u, q in given.items()}


def test_the_quotas_of_all_units_are_changed_at_once(house: House) -> None:
    item_id = house.item(NO).id
    house.do("zhuanban", amend_quotas, item_id, quotas=quotas(house, renshe=55, jiaoyu=45), ground=GROUND)
    assert (house.share(NO, A).quota, house.share(NO, B).quota) == (55, 45)
    assert house.told("quota:") == [(B, "liaison"), (A, "liaison")]
    page = client_of(house.db, "zhuanban").get(f"/items/{item_id}").get_data(as_text=True)
    assert "调整 市人社局 的份额" in page and "调整 市教育局 的份额" in page
    # Who keeps its own is told nothing.
    wanted = quotas(house, renshe=55, jiaoyu=50)
    house.do("zhuanban", amend_quotas, item_id, quotas=wanted, gap="留有余量。", ground=GROUND)
    assert len(house.told("quota:")) == 3


def test_quotas_that_do_not_add_up_want_a_ground(house: House) -> None:
    item_id, keep = house.item(NO).id, {"gap": "", "ground": GROUND}

    def faults(login: str = "zhuanban", **given: int | None) -> dict[str, str]:
        with pytest.raises(Invalid) as wrong:
            house.do(login, amend_quotas, item_id, quotas=quotas(house, **given), **keep)
        return dict(wrong.value.fields)

    assert faults(renshe=50) == {"gap": "各单位的份额合计比目标值 100 多 10；请改成一致，或者在这里写明原因。"}
    assert faults(renshe=30)["gap"].startswith("各单位的份额合计比目标值 100 少 10")
    a, b = (f"quota-{house.share(NO, u).id}" for u in (A, B))
    assert set(faults(renshe=-1, jiaoyu=None)) == {a, b}
    assert set(faults(renshe=40, jiaoyu=60)) == {"quotas"}
    with pytest.raises(NotFound):
        house.do("zhuanban", amend_quotas, item_id, quotas={house.share("2", A).id: Decimal(1)}, **keep)
    with pytest.raises(NotAllowed, match="由专班办工作人员办理"):
        house.do(A, amend_quotas, item_id, quotas=quotas(house, renshe=50), **keep)
    with pytest.raises(Refused, match="请逐家调整"):
        house.do("zhuanban", amend_quotas, house.item("12").id, quotas={}, **keep)
    house.do("zhuanban", amend_quotas, item_id, quotas=quotas(house, renshe=50), gap="市级统筹。", ground=GROUND)
    assert house.share(NO, A).quota == 50


def test_a_figure_beside_the_one_that_adds_up_changes_nothing_about_the_sum(house: House) -> None:
    """One share, or the target, is held against the others where a rate stands beside the sum, too."""
    with pytest.raises(Invalid, match="合计比目标值 100 多 10"):
        house.do("zhuanban", amend_quota, house.share(NO, A).id, quota=Decimal(50), ground=GROUND)
    said: dict[str, object] = {"ground": GROUND}
    item_id, rate, trained = house.item(NO).id, number(house, "rate"), number(house, "trained")
    house.do("zhuanban", amend_target, item_id, indicator=rate, target=Decimal(95), **said)
    with pytest.raises(Invalid, match="合计比目标值 120 少 20"):
        house.do("zhuanban", amend_target, item_id, indicator=trained, target=Decimal(120), **said)


def test_the_form_of_all_quotas_shows_them_and_keeps_what_was_typed(house: House) -> None:
    item_id, a, b = house.item(NO).id, house.share(NO, A).id, house.share(NO, B).id
    client, tab = client_of(house.db, "zhuanban"), f"item_amend_quota-{house.item(NO).id}"
    page = client.get(f"/items/{item_id}?tab={tab}").get_data(as_text=True)
    assert "调整各单位份额" in page and 'data-whole="100"' in page
    assert f'name="quota-{a}"' in page and 'value="40"' in page and 'value="60"' in page
    assert f"tab={tab}" not in client_of(house.db, A).get(f"/items/{item_id}").get_data(as_text=True)
    path, typed = f"/items/{item_id}/verbs/amend_quota", {f"quota-{a}": "70 人次", f"quota-{b}": "约四十"}
    wrong = client.post(path, data={**typed, "ground": "议定"})
    assert wrong.status_code == 422 and 'value="70 人次"' in wrong.text and f'id="err-quota-{b}"' in wrong.text
    wrong = client.post(path, data={**typed, f"quota-{b}": "40", "ground": "议定"})
    assert wrong.status_code == 422 and "合计比目标值 100 多 10" in wrong.text
    done = client.post(path, data={**typed, f"quota-{b}": "40", "ground": "议定", "gap": "留有余量"})
    assert done.status_code == 302 and (house.share(NO, A).quota, house.share(NO, B).quota) == (70, 40)
    assert client.post(path, data={"quota-x": "1", "ground": "议定"}).status_code == 404
