"""人员表: the people that a table (.xlsx, .csv) names, each line an account and one post; more posts are more lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.enrolling import Enrolment
from ledger.directory import account_faults
from ledger.organisation import Ended, Organisation
from ledger.rules.texts import as_seen
from ledger.rules.verbs import Role
from ledger.tables import Column, Line, read_table

COLUMNS = (
    Column("login", "账号"),
    Column("name", "姓名"),
    Column("email", "邮箱"),
    Column("unit", "单位"),
    Column("role", "岗位"),
    Column("password", "初始密码", required=False),
)
_ROLES: Mapping[str, str] = {r.value: r.value for r in Role} | {r.label: r.value for r in Role}
_LONGEST_PASSWORD = 200
_ACCOUNT = {c.key: c.heading for c in COLUMNS[:3]}


def people_of(name: str, content: bytes, known: Organisation) -> tuple[list[Enrolment], list[int]]:
    """The people of a table, their units and posts by what the directory calls them, and the numbers of their lines.
    What cannot be understood of a line stands in it (`wrong`), so that it is told with all others.

    Raises: TableError for what is no such table.
    """
    lines = read_table(name, content, COLUMNS)
    return [_enrolment(line, known) for line in lines], [line.number for line in lines]


def _enrolment(line: Line, known: Organisation) -> Enrolment:
    resolution = known.resolve(line["unit"])
    units = [u.key for u in resolution.units] if resolution else []
    unit, role = units[0] if len(units) == 1 else "", _ROLES.get(line["role"], "")
    wrong = "".join(_faults(line, unit, role, resolution.ended if resolution else None))
    return Enrolment(line["login"], line["name"], line["email"], unit, role, line["password"], wrong)


def _faults(line: Line, unit: str, role: str, ended: Ended | None) -> Iterator[str]:
    faults = account_faults(line["login"], line["name"], line["email"])
    if missing := [heading for key, heading in _ACCOUNT.items() if not line[key]]:
        yield f"{'、'.join(_ACCOUNT.values())}都要填写，这一行缺{'、'.join(missing)}。"
    yield from (fault for key, fault in faults.items() if line[key])
    if len(line["password"]) > _LONGEST_PASSWORD:
        yield f"密码太长，请写 {_LONGEST_PASSWORD} 个字符以内的密码。"
    if not line["unit"]:
        yield "没有写单位（合并的单元格请先取消合并，再逐行填满）。"
    elif ended is not None:
        yield f"{ended.words}。"
    elif not unit:
        yield f"单位目录中没有“{as_seen(line['unit'])[:80]}”这一个单位。"
    if not role:
        yield f"岗位“{as_seen(line['role'])[:40]}”不对，可用：{'、'.join(r.label for r in Role)}。"
