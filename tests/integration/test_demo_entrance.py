"""The accounts that the demonstration's log-in page offers."""

from __future__ import annotations

import re

from engine.commands import register, reorganise
from engine.reorganising import Change
from tests.integration.test_adjusting import GROUND, House
from tests.integration.test_adjusting import house as house
from tests.integration.test_intakes import OFFICE, SAID
from webapp.app import create_app
from webapp.settings import Settings


def page(house: House) -> str:
    return create_app(Settings(demo=True, database_url=house.db.url), house.db).test_client().get("/login").text


def named(html: str, login: str) -> str:
    """The unit that stands beside an account."""
    before = html[: html.index(f'value="{login}"')]
    return re.sub(r"<[^>]+>", "", before[before.rindex('<th scope="row">') :].partition("</th>")[0])


def test_who_came_from_a_unit_that_has_ended_is_told_apart(house: House) -> None:
    assert (named(page(house), "jiaoyu"), named(page(house), "renshe")) == ("市教育局", "市人社局")
    house.do("guanli", reorganise, "jiaoyu", Change("merge", to="renshe"), ground=GROUND)
    html = page(house)
    assert (named(html, "jiaoyu"), named(html, "renshe")) == ("市人社局 原市教育局", "市人社局")


def test_a_register_is_no_plan_of_the_demonstration(house: House) -> None:
    house.do("zhuanban", register, "instruction", office=OFFICE, title="摸清就业底数", values=SAID)
    assert "登记簿" not in page(house)
