"""确认责任单位: 妈妈岗 names nobody for three of its measures; the coordinator confirms who stands in their place."""

from __future__ import annotations

from datetime import date, time

import pytest
from sqlalchemy import select

from engine.commands import confirm_unit, perform
from engine.verifying import differences
from ledger.calendar import moment
from ledger.database import Database
from ledger.errors import NotAllowed, NotFound, Refused
from ledger.people import actor_of
from ledger.schema import assignment, item
from ledger.verification import Scene
from tests.integration.test_pages import html, post
from webapp.app import create_app
from webapp.demo import campaign
from webapp.demo.campaign import MAMAGANG
from webapp.demo.office import Office
from webapp.demo.people import PASSWORD
from webapp.settings import Settings

NOON = moment(date(2025, 7, 16), time(12))


@pytest.fixture
def mothers(migrated: Database) -> Office:
    campaign.prepare(migrated, NOON)
    return Office(migrated, campaign.start(migrated, MAMAGANG))


def presumed(office: Office) -> dict[str, int]:
    """Number of the item -> the share that waits to be confirmed."""
    with office.db.read() as c:
        rows = c.execute(
            select(item.c.no, assignment.c.id)
            .join(item, item.c.id == assignment.c.item_id)
            .where(assignment.c.presumed)
            .order_by(item.c.ord)
        ).all()
    return {r.no: r.id for r in rows}


def act(office: Office, unit: str, role: str, assignment_id: int) -> None:
    person = office.holder(unit, role)
    with office.db.read() as c:
        actor = actor_of(c, person)
    assert actor is not None
    perform(office.db, actor, confirm_unit, assignment_id)


def test_only_what_nobody_is_named_for_is_to_be_confirmed(mothers: Office) -> None:
    assert list(presumed(mothers)) == ["（七）", "（八）", "（十）"]


def test_the_coordinator_confirms_once(mothers: Office) -> None:
    first, second, third = presumed(mothers).values()
    act(mothers, "renshe", "coordinator", first)
    assert list(presumed(mothers).values()) == [second, third]
    with pytest.raises(Refused, match="已经明确"):
        act(mothers, "renshe", "coordinator", first)
    with pytest.raises(NotFound):
        act(mothers, "renshe", "coordinator", 999)
    with mothers.db.read() as c:
        assert list(differences(Scene(c, clock=mothers.db.clock))) == []


@pytest.mark.parametrize(
    ("unit", "role"), [("renshe", "liaison"), ("renshe", "deputy_head"), ("zhengfuban", "inspector")]
)
def test_nobody_else_confirms(mothers: Office, unit: str, role: str) -> None:
    before = presumed(mothers)
    with pytest.raises(NotAllowed, match="专班办工作人员"):
        act(mothers, unit, role, before["（七）"])
    assert presumed(mothers) == before


def test_pages_say_so_until_it_is_confirmed(mothers: Office) -> None:
    app = create_app(Settings(demo=True, database_url=mothers.db.url), mothers.db)
    with mothers.db.read() as c:
        item_id, share_id = c.execute(
            select(item.c.id, assignment.c.id)
            .join(item, item.c.id == assignment.c.item_id)
            .where(item.c.no == "（七）")
        ).one()
    liaison, coordinator = app.test_client(), app.test_client()
    for client, account in ((liaison, "renshe"), (coordinator, "renshe-zhuanban")):
        assert post(client, "/login", at="/login", account=account, password=PASSWORD).status_code == 302
    said = "文件没有写明责任单位，按职能列市人社局，待专班办确认。"
    page = html(liaison.get(f"/items/{item_id}"))
    assert said in page and f"/assignments/{share_id}/confirm" not in page
    assert f"/assignments/{share_id}/confirm" in html(coordinator.get(f"/items/{item_id}"))
    assert html(coordinator.get("/ledger")).count('<span class="state">待确认</span>') == 3
    assert html(coordinator.get("/plans/1")).count("责任单位待确认") == 3
    assert post(coordinator, f"/assignments/{share_id}/confirm").status_code == 302
    page = html(coordinator.get(f"/items/{item_id}"))
    assert said not in page and "确认责任单位：市人社局" in page


def test_a_plan_without_end_number_and_dates_shows_none(mothers: Office) -> None:
    app = create_app(Settings(demo=True, database_url=mothers.db.url), mothers.db)
    coordinator = app.test_client()
    assert post(coordinator, "/login", at="/login", account="renshe-zhuanban", password=PASSWORD).status_code == 302
    for page in ("/plans", "/plans/1"):
        shown = html(coordinator.get(page))
        assert "2025-07-15 起，未定期限" in shown
        assert "序时" not in shown.replace("按序时推进", "") and "None" not in shown
    assert "序时 <b>" not in html(coordinator.get("/ledger?run=1"))
    shown = html(coordinator.get("/items/1"))
    assert "方案没有写明时限，不作预警。" in shown and "方案期限至" not in shown
