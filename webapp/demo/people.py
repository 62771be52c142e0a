"""People for every unit of the demonstration. Names are invented; everything addresses their posts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from bpmn.plan import Plan
from ledger.database import Tx
from ledger.directory import register_person, take_post
from ledger.organisation import Organisation
from ledger.schema import person
from webapp import hashing

PASSWORD = "duban-demo"
INSPECTING = "zhengfuban"
COORDINATORS = {"jiuye-lingdao": "zhuanban"}  # the account of an office's coordinator; others are called after it

# The lower units that a county hands its shares down to in the demonstration, and who looks over it there.
TOWNS = {"daye": ("daye-jinhu", "daye-chengui", "daye-baoan")}
COUNTY_INSPECTORS = {"daye": ("daye-ducha", "daye-zhengfuban")}

_SURNAMES = "陈李王张刘杨黄赵周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = [
    "静",
    "敏",
    "伟",
    "洋",
    "磊",
    "晓燕",
    "志强",
    "文博",
    "雅琴",
    "建华",
    "思远",
    "海燕",
    "俊杰",
    "慧",
    "子涵",
    "国栋",
    "丽娟",
    "明",
    "雪梅",
    "浩然",
    "玉兰",
    "鹏",
    "佳怡",
    "家栋",
]


@dataclass(frozen=True)
class Seat:
    """A person with the posts held: (unit, role)."""

    login: str
    posts: tuple[tuple[str, str], ...]


def seats(plan: Plan, organisation: Organisation) -> list[Seat]:
    """A liaison and a deputy head for each unit the plan names; its office's coordinator; those who look on."""
    office = organisation.resolve(plan.facts.office)
    if office is None:
        raise LookupError(plan.facts.office)
    body = office.units[0]
    # A body has no staff of its own: its coordinator also holds what the plan hands to it.
    roles = ("coordinator", "liaison") if body.kind == "body" else ("coordinator",)
    found = [
        Seat(COORDINATORS.get(body.key, f"{body.key}-zhuanban"), tuple((body.key, role) for role in roles)),
        Seat("ducha", ((INSPECTING, "inspector"),)),
        Seat("lingdao", ((INSPECTING, "leader"),)),
    ]
    for key in units_of(plan, organisation):
        if key != body.key or body.kind != "body":
            found += [Seat(key, ((key, "liaison"),)), Seat(f"{key}-fenguan", ((key, "deputy_head"),))]
    return [*found, Seat("guanli", ((INSPECTING, "administrator"),)), *_below(units_of(plan, organisation))]


def _below(units: Sequence[str]) -> list[Seat]:
    """The people of the towns of a county that takes part, and its inspector."""
    counties = [key for key in units if key in TOWNS]
    towns = [town for county in counties for town in TOWNS[county]]
    found = [
        seat
        for key in towns
        for seat in (Seat(key, ((key, "liaison"),)), Seat(f"{key}-fenguan", ((key, "deputy_head"),)))
    ]
    inspectors = [Seat(login, ((key, "inspector"),)) for login, key in map(COUNTY_INSPECTORS.__getitem__, counties)]
    return [*found, *inspectors]


def units_of(plan: Plan, organisation: Organisation, *roles: str) -> list[str]:
    """Keys of the units that the plan names in these roles (all of them when none is given), in printed order."""
    shares = [share for item in plan.items for share in item.shares if not roles or share.role in roles]
    found = [organisation.resolve(share.unit) for share in shares]
    return list(dict.fromkeys(unit.key for resolution in found if resolution for unit in resolution.units))


def seat_people(tx: Tx, plan: Plan, organisation: Organisation) -> None:
    """Give every seat a person, who keeps it in the next plan. All share one password, which the login page prints."""
    shared = hashing.hashed(PASSWORD)
    known = set(tx.connection.execute(select(person.c.login)).scalars())
    new = [seat for seat in seats(plan, organisation) if seat.login not in known]
    for n, seat in enumerate(new, start=len(known)):
        name = (
            _SURNAMES[n % len(_SURNAMES)] + _GIVEN[(n * 7 + n // 72) % len(_GIVEN)]
        )  # 72 pairs until the two lists meet again
        email = f"{seat.login}@{organisation.jurisdiction}.example"
        person_id = register_person(tx, login=seat.login, name=name, email=email, password_hash=shared)
        for unit, role in seat.posts:
            take_post(tx, person_id, unit, role)
