"""What printed names mean in 黄石."""

import json
from pathlib import Path

import pytest

from ledger.organisation import Group, Organisation, OrganisationError, Unit, load

LABEL = Path(__file__).parent.parent / "data" / "huangshi-2025-bairi.json"
HUANGSHI = load("huangshi")


def resolved(printed: str) -> list[str]:
    resolution = HUANGSHI.resolve(printed)
    assert resolution is not None, printed
    return [unit.short for unit in resolution.units]


def test_every_unit_printed_in_bairi_resolves() -> None:
    tasks = json.loads(LABEL.read_text("utf-8"))["tasks"]
    printed = {unit for task in tasks for role in ("lead", "responsible", "cooperating") for unit in task[role]}
    assert len(printed) == 20
    assert [name for name in printed if HUANGSHI.resolve(name) is None] == []


@pytest.mark.parametrize(
    "printed", ["人行黄石分行", "市政府办(金融科)", "各县(市、区)人民政府", "市政务服务管理局", "大冶市文旅局"]
)
def test_names_printed_in_the_other_plans_resolve(printed: str) -> None:
    assert resolved(printed)


def test_counties_are_six_and_the_port_park_is_apart() -> None:
    counties = ["大冶市", "阳新县", "黄石港区", "西塞山区", "下陆区", "开发区·铁山区"]
    assert resolved("各县(市、区)") == counties
    assert resolved("新港园区") == ["新港园区"]


def test_universities_are_three() -> None:
    assert resolved("在黄高校") == ["湖北师范大学", "湖北理工学院", "湖北工程职业学院"]


@pytest.mark.parametrize(
    ("printed", "short"),
    [
        ("各县（市、区）", "大冶市"),
        ("各县( 市 、区 )", "大冶市"),
        ("开发区•铁山区", "开发区·铁山区"),
        ("市人力资源和社会保障局", "市人社局"),
        ("人社局", "市人社局"),
        ("市邮政局", "市邮政管理局"),
    ],
)
def test_widths_brackets_dots_and_spaces_do_not_matter(printed: str, short: str) -> None:
    assert resolved(printed)[0] == short


def test_leading_group_and_its_office_are_one_body_hosted_by_the_labour_bureau() -> None:
    group = HUANGSHI.resolve("市就业促进和劳动保护工作领导小组")
    office = HUANGSHI.resolve("市就业促进和劳动保护工作领导小组办公室")
    assert group is not None and group == office
    assert group.units[0].kind == "body"
    assert group.units[0].host == "renshe"


@pytest.mark.parametrize("printed", ["有关部门", "50家包保部门单位"])
def test_open_groups_expand_to_nobody(printed: str) -> None:
    resolution = HUANGSHI.resolve(printed)
    assert resolution is not None
    assert resolution.open and resolution.units == ()


def test_unknown_names_and_files_are_said() -> None:
    assert HUANGSHI.resolve("市外星局") is None
    with pytest.raises(KeyError):
        load("nowhere")
    with pytest.raises(KeyError):
        load("../secrets")


def test_two_units_may_not_share_a_name() -> None:
    with pytest.raises(OrganisationError, match="“甲”指两个单位"):
        Organisation("x", "x", (Unit("a", "甲局", "甲", "organ"), Unit("b", "乙局", "甲", "organ")), ())
    with pytest.raises(OrganisationError, match="成员不在目录中：z"):
        Organisation("x", "x", (), (Group("组", members=("z",)),))


def test_counties_are_jurisdictions_with_bureaus_and_towns_of_their_own() -> None:
    below: dict[str, list[str]] = {}
    for unit in HUANGSHI.units:
        below.setdefault(HUANGSHI.place_of(unit), []).append(unit.short)
    assert {"金湖街道", "陈贵镇", "茗山乡", "大冶市人社局", "大冶市文旅局"} <= set(below["daye"])
    assert (len([u for u in HUANGSHI.units if u.parent == "daye" and u.kind == "town"])) == 13
    assert (len([u for u in HUANGSHI.units if u.parent == "yangxin" and u.kind == "town"])) == 16
    assert "大冶市" in below["huangshi"] and "市人社局" in below["huangshi"]
    assert all(HUANGSHI.unit(u.parent).kind == "county" for u in HUANGSHI.units if u.kind == "town" and u.parent)
    assert not [u for u in HUANGSHI.units if u.kind == "town" and u.parent is None]


def test_a_lower_unit_of_a_bureau_belongs_to_the_county_as_well() -> None:
    county, bureau = Unit("c", "甲县", "甲县", "county"), Unit("b", "甲县局", "甲县局", "organ", parent="c")
    station = Unit("s", "甲县站", "甲县站", "institution", parent="b")
    made = Organisation("city", "市", (county, bureau, station), ())
    assert [made.place_of(u) for u in made.units] == ["city", "c", "c"]


def test_no_unit_stands_above_itself() -> None:
    with pytest.raises(OrganisationError, match="成了自己的上级"):
        Organisation(
            "x", "x", (Unit("a", "甲", "甲", "organ", parent="b"), Unit("b", "乙", "乙", "organ", parent="a")), ()
        )
