"""时限明细单, on both databases: each date says how it came about, also when it was counted, taken over or moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from engine.commands import Entry, TodoRef, answer, decide, extend, reassign, resume, revoke, submit, suspend
from ledger.database import Database
from ledger.rules.due import DueRule
from tests.hostile.machine import _item, found
from tests.integration.test_adjusting import WHY, House, at
from tests.integration.test_reorganising import GROUND, grant, sheet_of

A, C, NEW = "renshe", "daye", "caizheng"
COUNTED = DueRule("within", "签收后5个工作日内", days=5, working=True, anchor="acknowledge")
RULE = "2025-05-26 周一签收，次日起算，第 5 个工作日为 2025-06-03 周二，当日 24:00 为限"


@pytest.fixture
def house(migrated: Database) -> Iterator[House]:
    found(migrated, replace(_item("9", [], ["大冶市"], []), due=COUNTED))
    yield House(migrated)


def basis(house: House, no: str, unit: str) -> dict[str, str]:
    return dict(sheet_of(house, house.share(no, unit).id, "zhuanban").basis)


def words(house: House, share_id: int) -> list[str]:
    return [entry.words for entry in sheet_of(house, share_id, "zhuanban").entries]


def test_a_date_that_counts_from_the_signing_says_so_also_at_the_successors(house: House) -> None:
    house.until(at(5, 26))
    house.sign_for("9", C)
    own = basis(house, "9", C)
    assert (own["规则"], own["节假日"]) == (RULE, "跳过休息日 3 天：5月31日至6月2日")
    house.do("zhuanban", suspend, house.share("9", C).id, ground=GROUND)
    house.do("zhuanban", reassign, house.share("9", C).id, to=NEW, ground=GROUND)
    assert basis(house, "9", NEW)["规则"] == RULE
    assert words(house, house.share("9", NEW).id)[0] == f"承接以前：签收，时限自此起算：{RULE}"


def test_a_successor_reads_from_whom_its_date_comes_and_what_moved_it(house: House) -> None:
    house.sign_for("2", A)
    house.do("zhuanban", suspend, house.share("2", A).id, ground=GROUND)
    house.until(at(5, 30))
    house.do("zhuanban", resume, house.share("2", A).id, ground="")
    old = house.share("2", A)
    house.do("zhuanban", reassign, old.id, to=NEW, ground=GROUND)
    assert basis(house, "2", NEW)["承接"] == "承接市人社局的责任，其时限 2025-07-07 周一 照旧"
    moved = words(house, house.share("2", NEW).id)[0]
    assert moved == "承接以前：恢复计时，暂停 5 个工作日不计，时限顺延至 2025-07-07 周一"
    assert words(house, old.id)[-1] == "责任移交，此后由承接单位计时"


def test_days_given_anew_say_from_when_and_what_they_skip(house: House) -> None:
    house.sign_for("2", A)
    house.until(at(7, 3))
    house.do("zhuanban", reassign, house.share("2", A).id, to=NEW, ground=GROUND)
    assert basis(house, "2", NEW)["承接"] == (
        "承接市人社局的责任，其时限 2025-06-30 周一 承接时已过，另给办理时间："
        "2025-07-03 周四交办，次日起算，第 3 个工作日为 2025-07-08 周二，当日 24:00 为限；"
        "跳过休息日 2 天：7月5日至7月6日"
    )


def test_a_return_says_by_which_days(house: House) -> None:
    house.sign_for("2", A)
    house.until(at(6, 30))
    for login, agree in (("renshe-fenguan", True), ("zhuanban", False)):
        mine = house.share("2", A)
        if mine.state == "working":
            house.do(A, submit, TodoRef(mine.id, mine.step, mine.arm), Entry(), summary="已完成。")
            mine = house.share("2", A)
        house.do(login, decide, TodoRef(mine.id, mine.step, mine.arm), agree=agree, reason="缺名单。")
    assert words(house, house.share("2", A).id)[-1] == (
        "退回补正，上一次报送不计；2025-06-30 周一退回，次日起算，第 3 个工作日为 2025-07-03 周四，"
        "当日 24:00 为限；期间没有休息日"
    )


def test_what_is_redone_says_who_set_the_date(house: House) -> None:
    house.sign_for("2", A)
    mine = house.share("2", A)
    house.do(A, submit, TodoRef(mine.id, "work", mine.arm), Entry(), summary="已完成。")
    for login in ("renshe-fenguan", "zhuanban"):
        mine = house.share("2", A)
        house.do(login, decide, TodoRef(mine.id, mine.step, mine.arm), agree=True)
    house.do("zhuanban", revoke, mine.id, until=date(2025, 7, 30), ground=GROUND)
    assert basis(house, "2", A)["重办"] == "办结撤销，重办期限 2025-07-30 周三，由撤销时核定"


def test_every_original_date_on_a_sheet_is_told_when_it_moves(house: House) -> None:
    house.sign_for("2", A)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), **WHY)
    house.do("renshe-keshi", answer, house.petition("2", A), agree=True)
    grant(house, "2", A)
    house.do("zhuanban", suspend, house.share("2", A).id, ground=GROUND)
    house.until(at(5, 30))
    house.do("zhuanban", resume, house.share("2", A).id, ground="")
    said = "恢复计时，暂停 5 个工作日不计，时限顺延至 2025-07-22 周二，原时限顺延至 2025-07-07 周一"
    assert words(house, house.share("2", A).id)[-1] == said
    assert "对原时限 2025-07-07" in sheet_of(house, house.share("2", A).id, "zhuanban").judgements[0]


def test_what_lapsed_with_a_share_that_went_on_is_told(house: House) -> None:
    house.sign_for("2", A)
    house.do(A, extend, house.share("2", A).id, until=date(2025, 7, 15), **WHY)
    old = house.share("2", A)
    house.do("zhuanban", reassign, old.id, to=NEW, ground=GROUND)
    assert words(house, old.id)[-1] == "责任移交，此后由承接单位计时；尚未批准的延期申请随之失效"
