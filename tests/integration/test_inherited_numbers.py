"""A number that one unit has taken over from another opens, for whoever answers for it now, to who reported, checked
and settled it, and to why it was moved; and what a unit reads once its lead was taken away."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from engine.commands import Entry, check, correct, reassign, reorganise, report, settle
from engine.reorganising import Change
from ledger.queries.figures import Origin, ReadingLine, origin
from ledger.queries.timeline import records
from ledger.rules.texts import number_words
from tests import samples
from tests.integration.test_file_pages import Site, fetch
from tests.integration.test_file_pages import report as report_by_form
from tests.integration.test_file_pages import site as site
from tests.integration.test_indexes import client_of
from tests.integration.test_levels import BAOAN, CHENGUI, JINHU, NO, C, D, Levels
from tests.integration.test_levels import house as house
from tests.integration.test_number_origins import words_of
from tests.integration.test_posts import join

GROUND = "领导小组第3次会议议定。"
A, E, F = "renshe", "jiaoyu", "caizheng"


def origin_for(house: Levels, login: str) -> Origin:
    view = house.view(login)
    with house.db.read() as connection:
        return origin(connection, view, records(connection, house.item(NO).id), house.figure())


def told(lines: Sequence[ReadingLine]) -> list[tuple[str, ...]]:
    """Of each line what it says: unit, how or why it came, who, and the values reported, checked, settled."""
    return [
        (
            line.by.unit_name if line.by else "",
            "承接" if line.taken else line.how,
            line.who,
            *(number_words(v) for v in (line.value, *(j.value for j in (line.checked, line.settled) if j))),
        )
        for line in lines
    ]


def shown(house: Levels, login: str) -> dict[str, list[tuple[str, ...]] | None]:
    return {p.unit: None if lines is None else told(lines) for p, lines in origin_for(house, login).shares}


@pytest.fixture
def judged(house: Levels) -> Levels:
    """30 of 大冶市, checked as 29, put right to 28, settled as 27."""
    house.sign_for(NO, C)
    house.report(C, 30)
    own, i = house.share(NO, C).id, house.figure()
    house.do("zhuanban", check, own, figures={i: Decimal(29)}, reason="核对花名册。")
    house.do(C, correct, own, figures={i: Decimal(28)}, reason="重复计算。", confirmed=True)
    house.do("ducha", settle, own, figures={i: Decimal(27)}, reason="现场核查。")
    return house


OF_DAYE = [
    ("大冶市", "更正", "大冶市联络员", "28", "27"),
    ("大冶市", "填报", "大冶市联络员", "30", "29"),
]


def test_who_takes_over_sees_who_reported_checked_and_settled_it(judged: Levels) -> None:
    judged.do("zhuanban", reassign, judged.share(NO, C).id, to=E, ground=GROUND)
    office = "市就业领导小组专班办工作人员"
    expected = [("大冶市", "承接", office, "28", "27"), *OF_DAYE]
    for login in (E, "zhuanban", "ducha"):
        assert shown(judged, login) == {E: expected}
    lines = dict((p.unit, lines) for p, lines in origin_for(judged, E).shares)[E] or ()
    assert [line.reason for line in lines] == [GROUND, "重复计算。", "按计划推进。"]
    assert [j.reason for line in lines for j in (line.checked, line.settled) if j] == [
        "现场核查。", "现场核查。", "核对花名册。",
    ]  # fmt: skip
    # Who gave it away reads its own, and nothing of what comes after.
    found = origin_for(judged, C)
    own = [(u, how, who, *rest) for _, how, who, *rest in OF_DAYE for u in ("",)]
    assert shown(judged, C) == {C: own, E: None}
    assert [found.words(p, lines) for p, lines in found.shares if lines] == ["已由其他单位承接，曾报 27 个"]
    assert {k: v is None for k, v in shown(judged, D).items()} == {C: True, E: True}


def test_the_page_says_it_and_the_number_of_the_ended_share_leads_there(judged: Levels) -> None:
    former = judged.share(NO, C).id
    judged.do("zhuanban", reassign, former, to=E, ground=GROUND)
    client, item_id = client_of(judged.db, E), judged.item(NO).id
    page = client.get(f"/items/{item_id}/figures/{judged.figure()}").get_data(as_text=True)
    assert "承接大冶市的填报" in page
    assert page.count(f'id="share-{former}"') == 1
    words = words_of(page)
    assert {GROUND, "重复计算。", "现场核查。", "核对花名册。", "市就业领导小组专班办工作人员移交"} <= set(words)
    assert "只供本单位" not in page


def test_a_number_that_moves_twice_is_told_from_its_beginning(judged: Levels) -> None:
    join(judged, F, F, "liaison")
    for to, value in ((E, 31), (F, 33)):
        judged.do("zhuanban", reassign, judged.share(NO, C if to == E else E).id, to=to, ground=GROUND)
        judged.sign_for(NO, to)
        judged.report(to, value)
    lines = shown(judged, F)
    assert lines.keys() == {F}
    assert [(unit, how, value) for unit, how, _, value, *_ in lines[F] or ()] == [
        ("", "填报", "33"),
        ("市教育局", "承接", "31"),
        ("市教育局", "填报", "31"),
        ("大冶市", "承接", "28"),
        ("大冶市", "更正", "28"),
        ("大冶市", "填报", "30"),
    ]


def test_a_part_that_moves_between_towns_takes_its_readings_along(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, JINHU, CHENGUI)
    house.report(JINHU, 31)
    house.do(C, check, house.share(NO, JINHU).id, figures={house.figure(): Decimal(30)}, reason="重复。")
    house.do(C, reassign, house.share(NO, JINHU).id, to=BAOAN, ground=GROUND)
    expected = [
        ("金湖街道", "承接", "大冶市联络员", "31", "30"),
        ("金湖街道", "填报", "金湖街道联络员", "31", "30"),
    ]
    for login in (BAOAN, C, "ducha"):
        assert shown(house, login)[BAOAN] == expected
        assert JINHU not in shown(house, login)
    assert shown(house, JINHU) == {JINHU: [("", *expected[1][1:])]}
    assert BAOAN not in shown(house, "zhuanban")


def test_shares_that_join_show_both_sources_with_their_marks(house: Levels) -> None:
    house.handed()
    house.sign_for(NO, JINHU, CHENGUI)
    house.report(JINHU, 31)
    house.report(CHENGUI, 22)
    house.do(
        "daye-ducha", settle, house.share(NO, JINHU).id, figures={house.figure(): Decimal(28)}, reason="实地看过。"
    )
    house.do("guanli", reorganise, JINHU, Change("merge", to=CHENGUI), ground=GROUND)
    found = shown(house, CHENGUI)[CHENGUI] or []
    assert [(unit, how, *values) for unit, how, _, *values in found] == [
        ("金湖街道", "承接", "50"),
        ("", "填报", "22"),
        ("金湖街道", "填报", "31", "28"),
    ]
    lines = dict((p.unit, lines) for p, lines in origin_for(house, CHENGUI).shares)[CHENGUI] or ()
    assert (lines[0].reason, lines[2].settled and lines[2].settled.reason) == (GROUND, "实地看过。")
    assert shown(house, C)[CHENGUI] == found
    assert JINHU not in shown(house, C)


# ---------------------------------------------------------------- a lead that was taken away
def test_who_has_lost_the_lead_reads_its_own_alone(house: Levels) -> None:
    house.sign_for("1", A, E)
    join(house, F, F, "liaison")
    lead, other = house.share("1", A).id, house.share("1", E).id
    assert house.view(A, "1").readable == {p.id for p in house.view(A, "1").parts}
    house.do("zhuanban", reassign, lead, to=F, ground=GROUND)
    house.do(E, report, other, Entry({house.figure("1"): Decimal(20)}, "此后填报。"))
    assert house.view(A, "1").readable == {lead}
    assert house.view(F, "1").readable == {p.id for p in house.view(F, "1").parts}
    assert not [line for line in house.lines(A, "1") if "此后填报。" in line]
    assert [line for line in house.lines(F, "1") if "此后填报。" in line]


def test_nor_does_it_open_what_others_attach_later(site: Site) -> None:
    house, no = Levels(site.db), "13"
    client, county = site.enter("renshe"), site.enter("daye")
    assert report_by_form(site, client, (samples.pdf("lead"), "牵头.pdf"), no=no).status_code == 302
    own, item_id = site.last(), house.item(no).id
    house.do("zhuanban", reassign, house.share(no, "renshe").id, to="xuanchuan", ground=GROUND)
    assert report_by_form(site, county, (b"later", "后补.txt"), no=no, unit="daye").status_code == 302
    number = site.last()
    asked = {a: fetch(site.enter(a), f"/files/{number}").status_code for a in ("renshe", "renshe-fenguan", "xuanchuan")}
    assert asked == {"renshe": 404, "renshe-fenguan": 404, "xuanchuan": 200}
    assert fetch(client, f"/files/{own}").status_code == 200
    page = client.get(f"/items/{item_id}").get_data(as_text=True)
    assert "牵头.pdf" in page
    assert "后补.txt" not in page
