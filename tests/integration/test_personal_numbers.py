"""Identity-card and mobile numbers are stopped before they become a record, in text and in files, on both databases."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from sqlalchemy import func, select

from engine.commands import Entry, StepDraft, TodoRef, dispute, extend, plan_steps, report, report_round, submit, urge
from ledger.errors import Invalid
from ledger.files import Store
from ledger.schema import content, event, indicator, share, upload
from ledger.uploads import FIELD, take
from tests.integration.test_adjusting import A, House, at
from tests.integration.test_adjusting import house as house
from tests.integration.test_indexes import client_of
from webapp.settings import Settings

PHONE = "139-1234-5678"


def events(house: House) -> int:
    return int(house.row(select(func.count(event.c.id).label("n"))).n)


def refused(house: House, who: str, command: object, *args: object, **kwargs: object) -> dict[str, str]:
    before = events(house)
    with pytest.raises(Invalid) as error:
        house.do(who, command, *args, **kwargs)  # type: ignore[arg-type]
    assert events(house) == before
    assert "5678" not in str(error.value)
    return error.value.fields


def test_every_free_text_is_asked(house: House) -> None:
    house.sign_for("2", A)
    own, until = house.share("2", A), date(2025, 7, 15)
    assert set(refused(house, A, report, own.id, Entry(progress=f"联系 {PHONE}"))) == {"progress"}
    assert set(refused(house, A, report, own.id, Entry(problem=f"联系 {PHONE}"))) == {"problem"}
    said = refused(house, A, extend, own.id, until=until, reason=f"找 {PHONE}", progress="过半。")
    assert list(said) == ["reason"] and said["reason"].startswith("“申请理由”有手机号码")
    assert set(refused(house, A, dispute, own.id, facts="不属", basis=PHONE, to="")) == {"basis"}
    ref = TodoRef(own.id, "work", own.arm)
    assert set(refused(house, A, submit, ref, Entry(), summary=f"完成，{PHONE}")) == {"summary"}
    steps = [StepDraft("论证", date(2025, 6, 20), f"王科长 {PHONE}")]
    assert set(refused(house, A, plan_steps, own.id, steps=steps)) == {"who-1"}
    assert set(refused(house, "zhuanban", urge, [own.id], words=f"请回电 {PHONE}")) == {"words"}
    house.do(A, report, own.id, Entry(progress="已对接，电话 0714-6512345，邮箱 rsj@huangshi.example。"))


def test_a_round_names_the_item(house: House) -> None:
    house.sign_for("2", A)
    house.until(at(5, 30, 18))
    asked = house.rows(select(share).where(share.c.unit == A, share.c.assignment_id.is_(None)))[-1]
    own = house.share("2", A).id
    found = refused(house, A, report_round, asked.id, {own: Entry(progress=f"见 {PHONE}")})
    assert set(found) == {f"progress-{own}"}


def test_what_was_typed_stays_in_the_form(house: House) -> None:
    house.sign_for("1", A)
    own, figure = house.share("1", A), house.row(select(indicator.c.id)).id
    typed = {"act": "report", "progress": f"联系人 {PHONE}", f"figure-{figure}": "12"}
    answer = client_of(house.db, A).post(f"/assignments/{own.id}/report", data=typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert PHONE in page and 'value="12"' in page and "“进展”有手机号码" in page
    assert house.rows(select(content).where(content.c.text.contains(PHONE))) == []


def test_a_sheet_with_such_numbers_is_not_kept(house: House, tmp_path: object) -> None:
    store, limits = Store(tmp_path / "files"), Settings(demo=True).limits  # type: ignore[operator]
    person = house.who(A).person_id

    def hand(name: str, data: bytes) -> None:
        take(house.db, store, limits, person, "report-1", name=name, source=BytesIO(data))

    with pytest.raises(Invalid) as sheet:
        hand("名单.csv", f"姓名,电话\n张三,{PHONE}\n".encode())
    assert sheet.value.fields[FIELD].startswith("“名单.csv”的第 2 行第 2 列有手机号码，没有留存")
    with pytest.raises(Invalid) as named:
        hand("张三13912345678.csv", b"a,b\n")
    assert "名称里" in named.value.fields[FIELD]
    assert house.rows(select(upload)) == [] and list(store.digests()) == [] and list(store.uploads()) == []
    hand("进度.csv", "单位,累计\n市人社局,1200\n".encode())
    assert Decimal(len(house.rows(select(upload)))) == 1
