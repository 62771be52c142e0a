"""人员表 and 单位表: nothing of a table is left unsaid because something else is wrong in it."""

from __future__ import annotations

import pytest

from ledger import organisation
from webapp.people_file import people_of
from webapp.units_file import names_in, units_of

PEOPLE = """账号,姓名,邮箱,单位,岗位
liuyi,刘一,liuyi@x.cn,市教育局,联络员
liuer,刘二,bad-email,市教育局,联络员
liusan,刘三,liusan@x.cn,火星局,联络员
liusi,刘四,liusi@x.cn,市教育局,局长
liu wu,刘五,刘五,火星局,局长
,,,市教育局,联络员
"""


def test_each_line_of_people_says_all_that_is_wrong_with_it() -> None:
    people, numbers = people_of("人员.csv", PEOPLE.encode(), organisation.load("huangshi"))
    assert numbers == [2, 3, 4, 5, 6, 7]
    wrong = [one.wrong for one in people]
    assert wrong[0] == "" and people[0].unit and people[0].role == "liaison"
    assert "bad-email" in wrong[1] and "火星局" in wrong[2] and "局长" in wrong[3]
    assert all(words in wrong[4] for words in ("liu wu", "“刘五”不是邮箱", "火星局", "局长"))
    assert "缺账号、姓名、邮箱" in wrong[5] and "不能用" not in wrong[5]
    assert [one.unit for one in people[2:3]] == [""] and people[3].role == ""


def test_a_kind_that_is_none_stays_to_be_refused_with_all_else() -> None:
    rows, numbers = units_of("单位.csv", "全称,类别\n甲局,教育机关\n乙局,党政机关\n丙县,县（市、区）\n".encode())
    assert [(r.name, r.kind) for r in rows] == [("甲局", "教育机关"), ("乙局", "organ"), ("丙县", "county")]
    assert numbers == [2, 3, 4]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("甲局、乙局，丙局,丁局；戊局\n己局", ("甲局", "乙局", "丙局", "丁局", "戊局", "己局")),
        ("各县(市、区)、各区", ("各县(市、区)", "各区")),
        ("各县（市、区），甲局", ("各县（市、区）", "甲局")),
        ("甲局(乙局、丙局", ("甲局(乙局", "丙局")),
        (" 、甲局、甲局", ("甲局",)),
    ],
)
def test_names_stand_between_any_stops_but_not_those_in_brackets(words: str, names: tuple[str, ...]) -> None:
    assert names_in(words) == names
