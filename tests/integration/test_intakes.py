"""批示件 on both databases: registered, proposed, decided, carried out as an item, reported; and a ledger that
verifies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from engine import ticking
from engine.commands import (
    IntakeRef,
    TodoRef,
    acknowledge,
    acknowledge_many,
    add_unit,
    apply_for_text,
    decide_clearing,
    decide_days,
    decide_intake,
    present,
    propose,
    register,
    register_on,
    reorganise,
    terminate_item,
)
from engine.reorganising import Change
from engine.verifying import differences
from ledger import uploads
from ledger.attachments import readable
from ledger.calendar import WorkCalendar, end_of, last_day, moment
from ledger.database import Database, calendar_of
from ledger.directory import leave_post, take_post
from ledger.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from ledger.files import Store
from ledger.queries.intakes import Asked, IntakeView, intake_view
from ledger.queries.intakes import register as register_page
from ledger.rules.days import Decision
from ledger.rules.intakes import DAYS, Verb
from ledger.schema import (
    AnyRow,
    assignment,
    content,
    due,
    event,
    intake,
    item,
    message,
    notice,
    post,
    run,
    todo,
    unit,
)
from ledger.verification import Scene
from ledger.visibility import Sight, sight_of
from tests import samples
from tests.hostile.machine import found
from tests.integration.test_adjusting import GROUND, House
from tests.integration.test_indexes import client_of
from webapp.settings import Settings

A, B, C, D, OFFICE = "renshe", "jiaoyu", "daye", "yangxin", "jiuye-lingdao"
SAID = {
    "leader": "张明（市长）",
    "given_on": "2025-05-22",
    "carrier": "report",
    "wording": "text",
    "instruction": "请人社局牵头，摸清高校毕业生就业底数，月底前报我。",
    "paper": "关于我市高校毕业生就业情况的报告",
    "paper_no": "黄人社文〔2025〕12号",
}
FILED: Mapping[str, Any] = {
    "outcome": "file",
    "leads": "市人社局",
    "others": "市教育局、大冶市",
    "days": 5,
    "opinion": "建议由市人社局牵头办理。",
}
READ: Mapping[str, Any] = {"outcome": "read", "readers": "市人社局，市教育局", "opinion": "请两局阅知。"}


class Office(House):
    """A house that registers cases."""

    def case(self, intake_id: int) -> AnyRow:
        return self.row(select(intake).where(intake.c.id == intake_id))

    def ref(self, intake_id: int) -> IntakeRef:
        row = self.case(intake_id)
        return IntakeRef(row.id, row.step or "present", row.arm)

    def registered(self, **more: str) -> int:
        said = {**SAID, **more}
        return int(self.do("zhuanban", register, "instruction", office=OFFICE, title="摸清毕业生就业底数", values=said))

    def proposed(self, **more: Any) -> int:
        made = self.registered()
        self.do("zhuanban", propose, self.ref(made), **{**FILED, **more})
        return made

    def filed(self, **more: Any) -> int:
        made = self.proposed(**more)
        self.do("lingdao", decide_intake, self.ref(made), outcome=more.get("outcome", "file"), ground="同意拟办意见。")
        return made

    def number(self, intake_id: int) -> str:
        return str(
            self.row(select(item.c.no).join(intake, intake.c.item_id == item.c.id).where(intake.c.id == intake_id)).no
        )

    def todos(self, intake_id: int) -> list[tuple[str, str, str]]:
        rows = self.rows(
            select(todo.c.step, todo.c.unit, todo.c.role)
            .where(todo.c.owner_kind == "intake", todo.c.owner_id == intake_id, todo.c.closed_at.is_(None))
        )  # fmt: skip
        return [tuple(r) for r in rows]

    def kinds(self, intake_id: int) -> list[str]:
        stream = f"item:{self.case(intake_id).item_id}"
        return [r.kind for r in self.rows(select(event.c.kind).where(event.c.stream == stream).order_by(event.c.seq))]

    def acknowledged(self, intake_id: int, *units: str) -> None:
        self.sign_for(self.number(intake_id), *units)

    def faults(self) -> list[str]:
        with self.db.read() as connection:
            return [f"{f.rule}: {f.message}" for f in differences(Scene(connection, clock=self.db.clock))]


@pytest.fixture
def house(migrated: Database) -> Iterator[Office]:
    found(migrated)
    made = Office(migrated)
    yield made
    ticking.tick(migrated)
    assert made.faults() == []


def test_units_that_were_merged_since_the_proposal_are_handed_it_by_their_successor(house: Office) -> None:
    made = house.proposed(others="市教育局、市财政局、大冶市")
    for key in (A, B):
        house.do("guanli", reorganise, key, Change("merge", to="caizheng"), ground=GROUND)
    house.do("lingdao", decide_intake, house.ref(made), outcome="file", ground="同意拟办意见。")
    of_item = assignment.c.item_id == house.case(made).item_id
    shares = house.rows(select(assignment.c.unit, assignment.c.role).where(of_item).order_by(assignment.c.ord))
    assert [tuple(r) for r in shares] == [("caizheng", "lead"), (C, "cooperating")]


def seat_of(house: Office) -> str:
    return str(house.row(select(post.c.unit).where(post.c.role == "leader")).unit)


def test_a_registered_case_is_an_item_that_nobody_has_been_handed_yet(house: Office) -> None:
    made = house.registered()
    row = house.case(made)
    assert (row.state, row.step, row.no, row.linked) == ("proposing", "propose", "批示〔2025〕1号", False)
    assert house.todos(made) == [("propose", OFFICE, "coordinator")]
    planned = house.row(select(item).where(item.c.id == row.item_id))
    assert (planned.state, planned.title, planned.no) == ("pending", "摸清毕业生就业底数", "批示〔2025〕1号")
    register_run = house.row(select(run).where(run.c.id == row.run_id))
    assert (register_run.short, register_run.office, register_run.ended_at) == ("批示件登记簿", OFFICE, None)
    words = house.rows(
        select(content.c.field, content.c.text).where(
            content.c.stream == f"item:{row.item_id}", content.c.seq == row.seq
        )
    )
    assert {r.field for r in words} == {"leader", "instruction", "paper", "paper_no"}
    payload = house.row(select(event.c.payload).where(event.c.kind == "intake.registered")).payload
    assert SAID["leader"] not in payload and SAID["instruction"] not in payload


def test_one_register_takes_every_case_of_its_office_and_numbers_them(house: Office) -> None:
    first, second = house.registered(), house.registered()
    assert [house.case(n).no for n in (first, second)] == ["批示〔2025〕1号", "批示〔2025〕2号"]
    assert house.case(first).run_id == house.case(second).run_id
    assert len(house.rows(select(run.c.id).where(run.c.short == "批示件登记簿"))) == 1


def test_from_the_leaders_word_to_the_report(house: Office) -> None:
    made = house.proposed()
    assert house.todos(made) == [("decide", seat_of(house), "leader")]
    house.do("lingdao", decide_intake, house.ref(made), outcome="file", ground="同意拟办意见。")
    no = house.number(made)
    row = house.case(made)
    opened = house.row(select(item).where(item.c.id == row.item_id))
    assert (row.state, row.outcome, house.todos(made)) == ("carrying", "file", [])
    assert (opened.state, opened.completion, opened.lifecycle) == ("open", "lead", "standard")
    assert opened.due_at == end_of(date(2025, 5, 30))  # five working days after Friday, 23 May
    assert "审定" in opened.due_steps and "方案" not in opened.due_steps
    shares = house.rows(select(assignment.c.unit, assignment.c.role).where(assignment.c.item_id == row.item_id))
    assert {tuple(r) for r in shares} == {(A, "lead"), (B, "cooperating"), (C, "cooperating")}
    assert house.tiers(no, A) == [("tier:-3", 1), ("tier:0", 1), ("tier:1", 1), ("tier:5", 1)]
    for name in (B, C, A):
        house.close(no, name)
    assert (house.case(made).state, house.todos(made)) == ("presenting", [("present", OFFICE, "coordinator")])
    house.do("zhuanban", present, house.ref(made), account="底数已摸清。", on=date(2025, 5, 23), further="很好。")
    row = house.case(made)
    assert (row.state, row.step, row.ended_at is not None, house.todos(made)) == ("presented", None, True, [])
    own = [k for k in house.kinds(made) if k.startswith("intake.")]
    assert own == [f"intake.{k}" for k in ("registered", "proposed", "decided", "carried", "presented")]


def test_what_is_only_to_be_read_ends_with_the_last_tap(house: Office) -> None:
    made = house.filed(**READ, leads="", others="", days=None)
    house.acknowledged(made, A)
    assert house.case(made).state == "carrying"
    house.acknowledged(made, B)
    row = house.case(made)
    assert (row.state, row.step, house.todos(made)) == ("read", None, [])
    closed = house.row(select(item).where(item.c.id == row.item_id))
    assert (closed.state, closed.n_done, closed.n_total, closed.lifecycle) == ("closed", 2, 2, "read")
    assert house.rows(select(due.c.id).join(assignment, due.c.owner_id == assignment.c.id).where(
        due.c.owner_kind == "assignment", assignment.c.item_id == row.item_id)) == []  # fmt: skip


def test_one_person_reads_for_two_units_at_once(house: Office) -> None:
    made = house.filed(**READ, leads="", others="", days=None)
    shares = [house.share(house.number(made), name) for name in (A, B)]
    with house.db.write() as tx:
        take_post(tx, house.who(A).person_id, B, "liaison")
    house.do(A, acknowledge_many, [TodoRef(s.id, s.step, s.arm) for s in shares])
    assert house.case(made).state == "read"


def test_a_proposal_comes_back_and_is_made_anew(house: Office) -> None:
    made = house.proposed()
    house.do("lingdao", decide_intake, house.ref(made), outcome="return", ground="请增加市财政局。")
    row = house.case(made)
    assert (row.state, row.arm, row.outcome) == ("proposing", 2, None)
    house.do("zhuanban", propose, house.ref(made), **{**FILED, "others": "市财政局"})
    house.do("lingdao", decide_intake, house.ref(made), outcome="file", ground="同意。")
    units = house.rows(select(assignment.c.unit).where(assignment.c.item_id == row.item_id))
    assert {r.unit for r in units} == {A, "caizheng"}


def test_what_needs_nothing_is_put_on_file(house: Office) -> None:
    made = house.proposed()
    house.do("lingdao", decide_intake, house.ref(made), outcome="shelve", ground="已由另件办理。")
    row = house.case(made)
    assert (row.state, row.outcome, house.todos(made)) == ("shelved", "shelve", [])
    assert house.row(select(item.c.state).where(item.c.id == row.item_id)).state == "terminated"


def test_the_office_records_what_a_leader_decided_and_says_who(house: Office) -> None:
    made = house.proposed()
    with pytest.raises(Invalid) as refused:
        house.do("zhuanban", decide_intake, house.ref(made), outcome="file", ground="电话请示。")
    assert set(refused.value.fields) == {"decider"}
    house.do("zhuanban", decide_intake, house.ref(made), outcome="file", ground="电话请示。", decider="李强（副市长）")
    assert house.case(made).state == "carrying"


def test_where_no_leader_is_seated_the_office_is_asked(house: Office) -> None:
    with house.db.write() as tx:
        leave_post(tx, house.row(select(post.c.id).where(post.c.role == "leader")).id)
    made = house.proposed()
    assert house.todos(made) == [("decide", OFFICE, "coordinator")]


def test_an_item_that_is_given_up_is_reported_all_the_same(house: Office) -> None:
    made = house.filed()
    house.do("zhuanban", terminate_item, house.case(made).item_id, ground=GROUND)
    assert house.case(made).state == "presenting"


def test_a_word_upon_an_item_that_is_under_way(house: Office) -> None:
    of_plan = house.item("2")
    made = house.do("zhuanban", register_on, of_plan.id, "instruction", values=SAID)
    row = house.case(made)
    assert (row.item_id, row.run_id, row.state, row.linked, row.outcome) == (
        of_plan.id,
        of_plan.run_id,
        "carrying",
        True,
        "file",
    )
    for name in (A, B):
        house.close("2", name)
    assert house.case(made).state == "presenting"
    with pytest.raises(Refused, match="不在办理中"):
        house.do("zhuanban", register_on, of_plan.id, "instruction", values=SAID)
    house.do("zhuanban", present, house.ref(made), account="已落实。", on=date(2025, 5, 23))
    assert house.case(made).state == "presented"


# ---------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("field", "words", "said"),
    [
        ("leader", "", "请填写批示领导"),
        ("given_on", "2025-06-30", "不能晚于今天"),
        ("given_on", "昨天", "不是日期"),
        ("carrier", "fax", "请从列表中选择"),
        ("instruction", "", "请填写批示内容"),
        ("paper", "长" * 201, "过长"),
        ("instruction", "请与李某联系，电话13812345678。", "本系统不保存个人号码"),
    ],
)
def test_what_is_missing_or_wrong_is_said_beside_its_field(house: Office, field: str, words: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        house.registered(**{field: words})
    assert said in refused.value.fields[field]
    assert house.rows(select(intake.c.id)) == []


def test_a_number_of_a_person_does_not_stand_in_a_title(house: Office) -> None:
    with pytest.raises(Invalid) as refused:
        house.do("zhuanban", register, "instruction", office=OFFICE, title="联系13812345678", values=SAID)
    assert "个人号码" in refused.value.fields["title"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"leads": ""}, "leads"),
        ({"leads": "市某局"}, "leads"),
        ({"others": "有关部门"}, "others"),
        ({"days": None}, "until"),
        ({"until": date(2025, 6, 30)}, "until"),
        ({"days": 0}, "days"),
        ({"days": None, "until": date(2025, 5, 1)}, "until"),
        ({"opinion": " "}, "opinion"),
        ({"outcome": "shelve"}, "outcome"),
        ({**READ, "readers": ""}, "readers"),
    ],
)
def test_a_proposal_names_units_and_a_date(house: Office, more: Mapping[str, Any], field: str) -> None:
    made = house.registered()
    with pytest.raises(Invalid) as refused:
        house.do("zhuanban", propose, house.ref(made), **{**FILED, **more})
    assert field in refused.value.fields


def test_what_was_not_proposed_is_not_decided(house: Office) -> None:
    made = house.proposed()
    with pytest.raises(Invalid) as refused:
        house.do("lingdao", decide_intake, house.ref(made), outcome="read", ground="阅知即可。")
    assert "退回重拟" in refused.value.fields["outcome"]
    with pytest.raises(Invalid):
        house.do("lingdao", decide_intake, house.ref(made), outcome="file", ground=" ")


def test_only_the_office_and_the_leader_act(house: Office) -> None:
    with pytest.raises(NotAllowed):
        house.do(A, register, "instruction", office=OFFICE, title="某事", values=SAID)
    with pytest.raises(NotFound):
        house.do("zhuanban", register, "letter", office=OFFICE, title="某事", values=SAID)
    made = house.registered()
    for login in (A, "lingdao", "ducha"):
        with pytest.raises(NotAllowed):
            house.do(login, propose, house.ref(made), **FILED)
    with pytest.raises(Refused, match="还不能审定"):
        house.do("lingdao", decide_intake, house.ref(made), outcome="file", ground="同意。")
    old = house.ref(made)
    house.do("zhuanban", propose, old, **FILED)
    with pytest.raises(Refused, match="不能再拟办"):
        house.do("zhuanban", propose, old, **FILED)
    with pytest.raises(NotAllowed):
        house.do(A, decide_intake, house.ref(made), outcome="file", ground="同意。")
    house.do("lingdao", decide_intake, house.ref(made), outcome="return", ground="请重拟。")
    with pytest.raises(Conflict):
        house.do("zhuanban", propose, old, **FILED)


# ---------------------------------------------------------------- who sees what
def sight(house: Office, login: str) -> Sight:
    with house.db.read() as connection:
        return sight_of(connection, house.who(login))


def seen(house: Office, login: str, intake_id: int) -> IntakeView:
    with house.db.read() as connection:
        now = house.db.clock.now(connection)
        return intake_view(connection, calendar_of(connection), now, sight(house, login), intake_id)


def listed(house: Office, login: str, **asked: Any) -> list[str]:
    with house.db.read() as connection:
        now = house.db.clock.now(connection)
        found = register_page(connection, calendar_of(connection), now, sight(house, login), Asked(**asked))
    return [line.no for line in found.lines]


def test_who_takes_part_reads_the_word_and_not_what_the_office_writes(house: Office) -> None:
    made = house.filed()
    for login in ("zhuanban", "ducha", "lingdao"):
        view = seen(house, login, made)
        assert ("批示原文", SAID["instruction"]) in view.told and view.reads_all
        assert any(FILED["opinion"] in dict(line.quotes).values() for step in view.steps for line in step.lines)
    part = seen(house, B, made)
    assert ("批示原文", SAID["instruction"]) in part.told and not part.reads_all
    assert not any(FILED["opinion"] in dict(line.quotes).values() for step in part.steps for line in step.lines)
    administrator = seen(house, "guanli", made)
    assert SAID["instruction"] not in dict(administrator.told).values()
    with pytest.raises(NotFound):
        seen(house, D, made)
    before = house.registered()
    with pytest.raises(NotFound):
        seen(house, B, before)


def test_the_register_shows_what_may_be_seen_and_is_narrowed(house: Office) -> None:
    first, second = house.filed(), house.registered(leader="李强（副市长）")
    nos = [house.case(n).no for n in (second, first)]
    assert listed(house, "zhuanban") == listed(house, "lingdao") == nos
    assert listed(house, A) == nos[1:] and listed(house, D) == []
    assert listed(house, "zhuanban", leader="李强（副市长）") == nos[:1]
    assert listed(house, "zhuanban", state="carrying") == nos[1:]
    assert listed(house, "zhuanban", late=True) == []
    house.until(datetime.fromisoformat("2025-06-03T10:00+08:00"))
    assert listed(house, "zhuanban", late=True) == nos


def test_a_scan_is_for_those_who_take_part(house: Office, tmp_path: Path) -> None:
    store = Store(tmp_path)
    waiting = uploads.take(
        house.db, store, Settings(demo=True).limits, house.who("zhuanban").person_id, "intake_new-instruction",
        name="批示扫描件.pdf", source=BytesIO(samples.pdf()),
    )  # fmt: skip
    made = house.do(
        "zhuanban", register, "instruction", office=OFFICE, title="附扫描件", values=SAID, files=[waiting.id]
    )
    assert [f.name for f in seen(house, "lingdao", made).files] == ["批示扫描件.pdf"]

    def may(login: str) -> bool:
        with house.db.read() as connection:
            try:
                return bool(readable(connection, sight(house, login), waiting.id))
            except NotFound:
                return False

    assert [may(n) for n in ("zhuanban", "ducha", "guanli", A)] == [True, True, False, False]
    house.do("zhuanban", propose, house.ref(made), **FILED)
    house.do("lingdao", decide_intake, house.ref(made), outcome="file", ground="同意。")
    assert [may(n) for n in (A, B, D, "guanli")] == [True, True, False, False]


def test_a_word_can_be_cleared_and_the_chain_still_verifies(house: Office) -> None:
    made = house.filed()
    row = house.case(made)
    number = house.do("guanli", apply_for_text, row.item_id, row.seq, ["instruction", "leader"], ground="误录涉密批示")
    house.do("ducha", decide_clearing, number, agree=True, understood=True)
    told = dict(seen(house, "zhuanban", made).told)
    assert SAID["instruction"] not in told.values() and SAID["leader"] not in told.values()
    assert len(listed(house, "zhuanban")) == 1


# ---------------------------------------------------------------- 呈批单
def test_the_sheet_says_everything_once_and_names_a_gist_a_gist(house: Office) -> None:
    made = house.registered(carrier="spoken", wording="text")
    ref = house.ref(made)
    house.do("zhuanban", propose, ref, **{**FILED, "days": None, "until": date(2025, 6, 20)})
    house.do("lingdao", decide_intake, house.ref(made), outcome="file", ground="同意立项。")
    house.do("zhuanban", terminate_item, house.case(made).item_id, ground="不再单独办理。")
    house.do("zhuanban", present, house.ref(made), account="已报告。", on=date(2025, 5, 23))
    sheet = client_of(house.db, "zhuanban").get(f"/intakes/{made}/sheet").text
    assert "批示大意" in sheet
    assert "批示原文" not in sheet
    assert "记录方式" not in sheet
    assert sheet.count("同意立项") == 1
    assert "不再单独办理" not in sheet  # what ended the item is not what was decided on the case
    assert {"2025年5月22日", "2025年6月20日前办结", "2025年5月23日呈报"} == {
        t for t in ("2025年5月22日", "2025年6月20日前办结", "2025年5月23日呈报") if t in sheet
    }


def test_a_case_that_is_over_is_added_to_with_a_clear_word(house: Office) -> None:
    made = house.filed()
    item_id = house.case(made).item_id
    house.do("zhuanban", terminate_item, item_id, ground=GROUND)
    with pytest.raises(Refused, match="本任务已终止，不能再增加单位；确需继续办理的，请另行交办。"):
        house.do("zhuanban", add_unit, item_id, to=D, role="cooperating", ground=GROUND)
    client = client_of(house.db, "zhuanban")
    assert "增加单位" not in client.get(f"/items/{item_id}").text
    form = {"to": D, "role": "cooperating", "ground": GROUND}
    assert "确需继续办理的，请另行交办" in client.post(f"/items/{item_id}/verbs/add", data=form).text


# ---------------------------------------------------------------- time, mails, tampering
def test_each_step_has_its_days_and_is_told_with_the_digest(house: Office) -> None:
    made = house.registered()
    assert house.case(made).due_at == end_of(date(2025, 5, 27))  # two working days
    assert DAYS[Verb.PROPOSE] == 2
    house.until(datetime.fromisoformat("2025-05-26T10:00+08:00"))
    told = house.rows(select(notice.c.tier, notice.c.unit, notice.c.state).where(notice.c.owner_kind == "intake"))
    assert [tuple(r) for r in told] == [("waiting:propose", OFFICE, "sent")]
    house.do("zhuanban", propose, house.ref(made), **FILED)
    house.do("lingdao", decide_intake, house.ref(made), outcome="file", ground="同意。")
    house.until(datetime.fromisoformat("2025-05-27T10:00+08:00"))
    told = house.rows(
        select(notice.c.tier, notice.c.state).where(notice.c.owner_kind == "intake").order_by(notice.c.id)
    )
    assert [tuple(r) for r in told] == [("waiting:propose", "sent"), ("waiting:decide", "moot")]


def clock(day: int, hour: int = 10, month: int = 5) -> datetime:
    return moment(date(2025, month, day), time(hour))


def chased(house: Office) -> list[tuple[str, str, str, str]]:
    told = select(notice.c.tier, notice.c.unit, notice.c.role, notice.c.state).where(notice.c.tier.like("chasing:%"))
    return [tuple(r) for r in house.rows(told.order_by(notice.c.at, notice.c.id))]


def armed(house: Office) -> list[tuple[str, int, datetime]]:
    rows = house.rows(select(due.c.kind, due.c.arm, due.c.at).where(due.c.owner_kind == "intake").order_by(due.c.at))
    return [(r.kind, r.arm, r.at) for r in rows]


def mails_to(house: Office, login: str) -> list[str]:
    who = message.c.person_id == house.who(login).person_id
    return [r.context for r in house.rows(select(message.c.context).where(who, message.c.kind == "digest"))]


def test_whoever_stands_at_a_step_is_chased_until_it_is_done(house: Office) -> None:
    """拟办 by 05-27, reminded on that day, the next and 05-30 with copies; then the same of 审定, by 06-06."""
    made = house.registered()
    assert armed(house) == [("tier:0", 1, clock(27, 9)), ("tier:1", 1, clock(28, 9)), ("tier:3", 1, clock(30, 9))]
    office = (OFFICE, "coordinator", "sent")
    house.until(clock(27))
    assert chased(house) == [("chasing:propose.0", *office)]
    assert "待拟办" in mails_to(house, "zhuanban")[-1] or "摸清毕业生就业底数" in mails_to(house, "zhuanban")[-1]
    house.until(clock(28))
    house.until(clock(30))
    head = ("chasing:propose.3", OFFICE, "deputy_head", "sent")
    assert chased(house)[1:] == [("chasing:propose.1", *office), ("chasing:propose.3", *office), head]
    assert armed(house) == []
    copied = [m for m in mails_to(house, f"{A}-fenguan") if '"copied":true' in m.replace(" ", "")]
    assert len(copied) == 1  # the deputy head of the host organ
    assert not any('"copied":true' in m.replace(" ", "") for m in mails_to(house, "zhuanban"))
    house.do("zhuanban", propose, house.ref(made), **FILED)
    leader = (seat_of(house), "leader", "sent")
    due_day = last_day(house.case(made).due_at)
    assert [kind for kind, _, _ in armed(house)] == ["tier:0", "tier:1", "tier:3"]
    house.until(moment(house_calendar(house).after(due_day, 3), time(10)))
    copies = [("chasing:decide.3", OFFICE, role, "sent") for role in ("deputy_head", "coordinator")]
    assert chased(house)[4:] == [(f"chasing:decide.{n}", *leader) for n in (0, 1, 3)] + copies
    house.do("lingdao", decide_intake, house.ref(made), outcome="file", ground="同意拟办意见。")
    assert armed(house) == []  # 承办 is chased by the item's own ladder


def house_calendar(house: Office) -> WorkCalendar:
    with house.db.read() as connection:
        return calendar_of(connection)


def test_what_is_done_in_time_is_not_chased_and_what_comes_back_is_chased_anew(house: Office) -> None:
    made = house.proposed()
    assert len(armed(house)) == 3
    house.do("lingdao", decide_intake, house.ref(made), outcome="return", ground="请重新提出。")
    assert {arm for _, arm, _ in armed(house)} == {2}
    house.do("zhuanban", propose, house.ref(made), **READ)
    house.do("lingdao", decide_intake, house.ref(made), outcome="read", ground="阅知。")
    house.until(clock(10, month=6))
    assert (armed(house), chased(house)) == ([], [])


def test_presenting_is_chased_when_the_item_is_over(house: Office) -> None:
    made = house.filed()
    house.do("zhuanban", terminate_item, house.case(made).item_id, ground=GROUND)
    assert house.todos(made) == [("present", OFFICE, "coordinator")]
    house.until(moment(last_day(house.case(made).due_at), time(10)))
    assert chased(house) == [("chasing:present.0", OFFICE, "coordinator", "sent")]
    house.do("zhuanban", present, house.ref(made), account="已报告。", on=date(2025, 5, 23))
    assert armed(house) == []


def test_reminders_of_a_step_follow_a_decision_about_days(house: Office) -> None:
    house.registered()
    house.do("guanli", decide_days, [Decision(date(2025, 5, 28), False, "通知")])
    assert armed(house) == [
        ("tier:0", 1, clock(27, 9)),
        ("tier:1", 1, clock(29, 9)),
        ("tier:3", 1, clock(3, 9, month=6)),
    ]


TAMPERED = {
    "missing": lambda c: c.execute(delete(due).where(due.c.owner_kind == "intake", due.c.kind == "tier:1")),
    "wrong": lambda c: c.execute(update(due).where(due.c.owner_kind == "intake").values(arm=2)),
    "stray-intake": lambda c: c.execute(update(due).where(due.c.owner_kind == "intake").values(owner_id=77)),
    "changed": lambda c: c.execute(update(intake).values(no="批示〔2025〕9号")),
    "intake-elsewhere": lambda c: c.execute(update(intake).values(arm=4)),
    "intake-without": lambda c: c.execute(delete(todo).where(todo.c.owner_kind == "intake")),
    "intake-item": lambda c: c.execute(update(intake).values(state="carrying", step="carry")),
    "intake-step": lambda c: c.execute(update(intake).values(step="nowhere")),
    "waiting": lambda c: c.execute(delete(notice).where(notice.c.owner_kind == "intake")),
    "baseless": lambda c: c.execute(update(notice).where(notice.c.owner_kind == "intake").values(owner_id=77)),
    "recipient": lambda c: c.execute(update(notice).where(notice.c.owner_kind == "intake").values(unit=A)),
}


@pytest.mark.parametrize("rule", TAMPERED)
def test_verify_finds_what_was_changed(migrated: Database, rule: str) -> None:
    found(migrated)
    house = Office(migrated)
    house.registered()
    assert house.faults() == []
    with migrated.writer.begin() as connection:
        TAMPERED[rule](connection)
    found_rules = {line.partition(":")[0] for line in house.faults()}
    assert rule in found_rules or (rule == "recipient" and "baseless" in found_rules)


def test_a_unit_is_named_by_every_name_the_directory_knows(house: Office) -> None:
    made = house.filed(leads="黄石市人力资源和社会保障局", others="各县（市、区）")
    units = house.rows(
        select(assignment.c.unit).join(unit, unit.c.key == assignment.c.unit).where(
            assignment.c.item_id == house.case(made).item_id, unit.c.kind == "county"
        )
    )  # fmt: skip
    assert len(units) > 3


def test_a_share_is_signed_for_as_any_other(house: Office) -> None:
    made = house.filed()
    share = house.share(house.number(made), A)
    house.do(A, acknowledge, TodoRef(share.id, share.step, share.arm))
    assert house.share(house.number(made), A).state == "working"
