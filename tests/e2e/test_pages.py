"""Every page there is, as the people who open it see it, at the width of a desk and of a phone.

A new page must get a row here: a GET route without one fails `test_every_page_has_a_row`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Connection, make_url, select
from werkzeug.exceptions import HTTPException

from engine import drafting
from engine.commands import (
    IntakeRef,
    add_unit,
    apply_for_name,
    apply_for_text,
    decide_clearing,
    decide_days,
    dispute,
    enter,
    extend,
    hand_over,
    perform,
    propose,
    register,
    register_on,
    reorganise,
    suspend,
)
from engine.reorganising import Change
from ledger import exports, uploads, views
from ledger.clock import StoredClock
from ledger.database import Database
from ledger.directory import Scope, register_person, take_post
from ledger.files import Store
from ledger.people import Actor, actor_of
from ledger.queries.ledger import Filters
from ledger.resets import offer
from ledger.rules.days import Decision
from ledger.schema import assignment, content, indicator, item, person, plan_draft, post, round_, share, upload
from tests import samples
from tests.e2e.conftest import pictures_of
from tests.e2e.deployment import START, Site, build
from tests.e2e.visitor import Visitor, visit
from webapp import hashing
from webapp.app import create_app
from webapp.demo.mailsink import Mailbox
from webapp.demo.office import Office
from webapp.demo.people import PASSWORD
from webapp.settings import Settings

pytestmark = pytest.mark.e2e

WIDTHS = (1280, 390)


# ---------------------------------------------------------------- who has done what before the pages are opened
@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run with an item in every state that a page shows differently."""
    file = tmp_path_factory.mktemp("pages") / "duban.sqlite3"
    build(file, act)
    return file


def act(office: Office) -> None:
    office.at(START)
    for unit in ("renshe", "daye", "guozi", "hubei-shifan", "xuanchuan"):
        office.acknowledge(unit)
    photos = put(office, "daye", "liaison", ("对接会现场.png", samples.png(640, 480)))
    office.report("daye", "13", "已上门对接用人单位九家。", {"trainee-posts": 214}, photos)
    closes(office, "guozi", "8")
    papers = put(
        office, "renshe", "liaison", ("兑现情况说明.pdf", samples.pdf()), ("兑现明细（5月）.xlsx", samples.xlsx())
    )
    office.apply("renshe", "4", "政策兑现全部完成。", files=papers)
    office.decide("renshe", "4")  # signed: waits for the coordinator
    office.apply("renshe", "17", "创业担保贷款全程网上办。")  # waits for the deputy head
    office.apply("daye", "24", "两场校园专场招聘已办。")  # waits for the lead
    office.apply("renshe", "27", "直播带岗每周两场。")
    office.decide("renshe", "27")
    office.decide("renshe", "27", agree=False, reason="缺每场的岗位数和参加人数。")
    put(office, "renshe", "liaison", ("总结.docx", samples.docx()), form=f"submit-{share_of(office, '11', 'renshe')}-1")
    halfway(office, f"submit-{share_of(office, '11', 'renshe')}-1")
    write_sheet(office)
    keep_views(office)
    put(office, "jiuye-lingdao", "coordinator", ("审核意见.pdf", samples.pdf()))
    office.urge(("jiuye-lingdao", "coordinator"), ["jiaoyu"], "20", "请周三前签收并反馈。")
    change(office)
    clear(office)
    hand_on_posts(office)
    change_units(office)
    decide_on_days(office)
    perform(office.db, actor(office, "zhuanban"), drafting.revise, 1)
    hear_from_above(office)


def hear_from_above(office: Office) -> None:
    """A case just registered, one that was proposed, one upon an item that is under way."""
    zhuanban = actor(office, "zhuanban")
    said = {
        "leader": "张明（市长）",
        "given_on": "2025-05-22",
        "carrier": "brief",
        "wording": "text",
        "instruction": "请人社局牵头，会同有关单位摸清底数，月底前报我。",
    }
    in_register: dict[str, Any] = {"office": "jiuye-lingdao", "values": said}
    perform(office.db, zhuanban, register, "instruction", title="摸清高校毕业生就业底数", **in_register)
    second = perform(office.db, zhuanban, register, "instruction", title="研究零工驿站布点", **in_register)
    given: dict[str, Any] = {"outcome": "file", "leads": "市人社局", "others": "市教育局", "days": 10}
    perform(office.db, zhuanban, propose, IntakeRef(second, "propose", 1), opinion="建议由市人社局牵头办理。", **given)
    perform(office.db, zhuanban, register_on, 13, "instruction", values=said)


def change(office: Office) -> None:
    """What may come at any time: one applies for more time, one objects, one is suspended, a unit is added."""
    renshe, jiaoyu, zhuanban = (actor(office, login) for login in ("renshe", "jiaoyu", "zhuanban"))
    perform(
        office.db,
        renshe,
        extend,
        share_of(office, "5", "renshe"),
        until=date(2025, 9, 30),
        reason="部分企业用工计划调整，须重新核对岗位信息。",
        progress="已归集岗位六千余个，其余正在核实。",
    )
    facts, basis = "校园场地由各高校管理，本单位只协助组织。", "“三定”规定第三条。"
    perform(office.db, jiaoyu, dispute, share_of(office, "20", "jiaoyu"), facts=facts, basis=basis, to="hubei-shifan")
    perform(office.db, zhuanban, suspend, share_of(office, "7", "renshe"), ground="全市防汛应急响应期间暂停。")
    told: dict[str, Any] = {
        "source": "phone",
        "told_by": "联络员来电，上午十点。",
        "progress": "零工驿站已选址。",
        "figures": {},
    }
    perform(office.db, zhuanban, enter, share_of(office, "18", "daye"), **told)
    office.split("daye", "26", date(2025, 8, 15), ["daye-jinhu", "daye-chengui"])
    for town in ("daye-jinhu", "daye-chengui"):
        office.acknowledge(town)
    office.report("daye-jinhu", "26", "招聘会进村进社区，现场接受咨询。", {"local-job-fairs": 2})
    office.apply("daye-chengui", "26", "一场招聘会办结，名单已存档。")
    office.decide("daye-chengui", "26")  # signed: waits for the county
    add = {"to": "caizheng", "role": "cooperating", "ground": "领导小组第2次会议议定。"}
    perform(office.db, zhuanban, add_unit, 27, **add)


def hand_on_posts(office: Office) -> None:
    """市商务局's liaison has handed over; 市国资委 has a head."""
    hashed = hashing.hashed(PASSWORD)
    new = {"name": "周岚", "email": "shangwu-2@huangshi.example", "password_hash": hashed}
    note = "第19项的场地已谈妥，合同在会签；联系人：王主任。"
    left = actor(office, "shangwu").desk("shangwu", "liaison")
    assert left is not None
    perform(office.db, actor(office, "shangwu"), hand_over, left.post_id, login="shangwu-2", note=note, **new)
    with office.db.write() as tx:
        head = register_person(tx, login="guozi-1", name="吴敏", email="guozi-1@huangshi.example", password_hash=hashed)
        take_post(tx, head, "guozi", "head")
        take_post(tx, actor(office, "guozi").person_id, "guozi", "handler", Scope(plan="huangshi-2025-bairi"))
        take_post(tx, head, "guozi", "liaison", Scope(rank="B"))


def change_units(office: Office) -> None:
    """市数据局 is to be renamed."""
    ground = "机构改革方案，市委编办第12号文件。"
    later = Change("rename", name="黄石市数据和政务服务局", short="市数据政务局", day=date(2025, 6, 30))
    guanli = actor(office, "guanli")
    perform(office.db, guanli, reorganise, "shuju", later, ground=ground)


def decide_on_days(office: Office) -> None:
    """A day off in July, a Saturday that is worked."""
    words = [
        Decision(date(2025, 7, 25), False, "防汛值守，黄政办〔2025〕9号。"),
        Decision(date(2025, 7, 26), True, "补班。"),
    ]
    perform(office.db, actor(office, "guanli"), decide_days, words)


def clear(office: Office) -> None:
    """依规清除: one record cleared, one application for a name and one for a record that wait."""
    guanli, ducha = (actor(office, login) for login in ("guanli", "ducha"))
    ground = "《个人信息保护法》第四十七条，当事人申请删除。"
    closed = perform(office.db, guanli, apply_for_text, 8, record(office, 8), ["summary"], ground=ground)
    perform(office.db, ducha, decide_clearing, closed, agree=True, understood=True)
    perform(office.db, guanli, apply_for_text, 13, record(office, 13), ["progress"], ground=ground)
    perform(office.db, ducha, apply_for_name, actor(office, "guozi").person_id, ground="该同志调离，申请删除姓名。")


def actor(office: Office, login: str) -> Actor:
    with office.db.read() as connection:
        found = actor_of(
            connection, connection.execute(select(person.c.id).where(person.c.login == login)).scalar_one()
        )
    assert found is not None
    return found


def record(office: Office, item_id: int) -> int:
    """The number of the record in which something was written."""
    with office.db.read() as connection:
        where = (content.c.stream == f"item:{item_id}") & content.c.field.in_(("progress", "summary"))
        return int(connection.execute(select(content.c.seq).where(where)).scalar_one())


def put(office: Office, unit: str, role: str, *files: tuple[str, bytes], form: str = "") -> list[int]:
    """Files that the holder of a post has put into a form; the deployment takes the store along with the database."""
    person, store = office.holder(unit, role), store_of(office)
    taken = [
        uploads.take(office.db, store, Settings(demo=True).limits, person, form, name=name, source=BytesIO(content))
        for name, content in files
    ]
    return [made.id for made in taken]


def halfway(office: Office, form: str) -> None:
    """A file of which half has arrived."""
    person, store, content = office.holder("renshe", "liaison"), store_of(office), samples.pdf(padding=90_000)
    limits = Settings(demo=True).limits
    made = uploads.announce(
        office.db, store, limits, person, form, name="活动照片汇编.pdf", size=len(content), mark="halfway"
    )
    uploads.accept(office.db, store, person, made.id, 0, content[:40_000])


def write_sheet(office: Office) -> None:
    """A sheet that the coordinator has asked for."""
    with office.db.write() as tx:
        exports.ask(tx, office.holder("jiuye-lingdao", "coordinator"), Filters())
    exports.write_next(office.db, store_of(office))


def keep_views(office: Office) -> None:
    """Views of the coordinator, one of them shared with the office."""
    with office.db.read() as connection:
        owner = actor_of(connection, office.holder("jiuye-lingdao", "coordinator"))
    assert owner is not None
    for name, unit in (("红黄灯", "jiuye-lingdao"), ("红黄灯，只给自己", None)):
        asked = Filters(light="warn", columns="title.due.lead")
        perform(office.db, owner, views.keep, name, asked, unit, as_default=False)


def store_of(office: Office) -> Store:
    return Store(Path(str(make_url(office.db.url).database)).parent / "files")


def share_of(office: Office, no: str, unit: str) -> int:
    with office.db.read() as connection:
        found = select(assignment.c.id).join(item, item.c.id == assignment.c.item_id)
        return int(connection.execute(found.where(item.c.no == no, assignment.c.unit == unit)).scalar_one())


def closes(office: Office, unit: str, no: str) -> None:
    office.apply(unit, no, "校园招聘名额扩大，招聘公告全部发布。")
    office.decide(unit, no)
    office.decide(unit, no)


# ---------------------------------------------------------------- the list
@dataclass(frozen=True)
class Row:
    """Who opens which address. Braces are looked up in the database: {item 13}, {share daye weekly}, {form ...}."""

    name: str
    account: str | None
    address: str
    status: int = 200
    heading: str | None = None


ROWS = (
    Row("login", None, "/login", heading="督办台账"),
    Row("forgotten password", None, "/password/forgotten", heading="忘记密码"),
    Row("new password by a link", None, "/password/reset?token={reset xuanchuan}", heading="设置新密码"),
    Row("link that has run out", None, "/password/reset?token=x", status=410, heading="设置新密码"),
    Row("own account", "renshe", "/account", heading="我的账号"),
    Row("link to a new address", "renshe", "/account/email/confirm", heading="确认新邮箱"),
    Row("link that has run out", "renshe", "/account/email/confirm?token=x", status=410, heading="确认新邮箱"),
    Row("change of password", "renshe", "/account/password", heading="修改密码"),
    Row("posts of a unit", "guozi-1", "/posts", heading="本单位岗位"),
    Row("posts are for the head", "renshe", "/posts", status=403, heading="这里不能办理"),
    Row("post to hand over", "keji", "/posts/{post keji}/hand-over", heading="岗位交接"),
    Row("post of somebody else", "guanli", "/posts/{post keji}/hand-over", heading="岗位交接"),
    Row("inbox with a hand-over", "shangwu-2", "/inbox", heading="待办"),
    Row("applications to sign", "renshe-fenguan", "/inbox/sign", heading="批量审签"),
    Row("nothing to sign", "keji", "/inbox/sign", heading="批量审签"),
    Row("applications signed", "renshe-fenguan", "/inbox/signed?shares={part 4 renshe}", heading="审签结果"),
    Row("units", "guanli", "/units", heading="单位"),
    Row("units found", "guanli", "/units?words=jyj", heading="单位"),
    Row("unit", "guanli", "/units/jiaoyu"),
    Row("unit with a change to come", "guanli", "/units/shuju"),
    Row("unit to enter", "guanli", "/units/new", heading="登记单位"),
    Row("groups of units", "guanli", "/units/groups", heading="单位组"),
    Row("group of units", "guanli", "/units/groups?name=在黄高校", heading="单位组"),
    Row("working calendar", "guanli", "/calendar", heading="工作日历 2025年"),
    Row("working calendar of a year to come", "guanli", "/calendar?year=2027", heading="工作日历 2027年"),
    Row("working calendar is for the administrator", "ducha", "/calendar", status=403, heading="这里不能办理"),
    Row("units are for the administrator", "renshe", "/units", status=403, heading="这里不能办理"),
    Row("accounts", "guanli", "/people", heading="账号"),
    Row("accounts of a unit", "guanli", "/people?words=人社", heading="账号"),
    Row("accounts to open", "guanli", "/people/new", heading="开通账号"),
    Row("first things to do", "guanli", "/setup", heading="初始设置"),
    Row("first things are the administrator's", "renshe", "/setup", status=403, heading="这里不能办理"),
    Row("no account found", "guanli", "/people?words=没有这个人", heading="账号"),
    Row("account", "guanli", "/people/{person renshe}"),
    Row("own account as administrator", "guanli", "/people/{person guanli}"),
    Row("accounts are not for everybody", "renshe", "/people", status=403, heading="这里不能办理"),
    Row("mails that go out", "guanli", "/outgoing", heading="发信"),
    Row("mails are the administrator's", "zhuanban", "/outgoing", status=403, heading="这里不能办理"),
    Row("log of log-ins", "guanli", "/logs/logins", heading="登录日志"),
    Row("no log-in found", "guanli", "/logs/logins?outcome=crowded", heading="登录日志"),
    Row("decisions", "guanli", "/logs/decisions", heading="权限变更"),
    Row("decisions as inspector", "ducha", "/logs/decisions", heading="权限变更"),
    Row("inbox of a liaison", "renshe", "/inbox", heading="待办"),
    Row("inbox by plan", "renshe", "/inbox?by=plan", heading="待办"),
    Row("inbox by light", "zhuanban", "/inbox?by=light", heading="待办"),
    Row("nothing found in the inbox", "renshe", "/inbox?q=没有", heading="待办"),
    Row("inbox of a county", "daye", "/inbox", heading="待办"),
    Row("inbox of a deputy head", "renshe-fenguan", "/inbox", heading="待办"),
    Row("inbox of a coordinator", "zhuanban", "/inbox", heading="待办"),
    Row("inbox with nothing in it", "ducha", "/inbox", heading="待办"),
    Row("overview of a coordinator", "zhuanban", "/home", heading="概览"),
    Row("overview of a leader", "lingdao", "/home", heading="概览"),
    Row("overview of a deputy head", "renshe-fenguan", "/home", heading="概览"),
    Row("overview of a county inspector", "daye-ducha", "/home", heading="概览"),
    Row("item to sign for", "jiaoyu", "/items/{item 20}", heading="开展“六进”校园活动"),
    Row("item to report on", "daye", "/items/{item 13}", heading="募集就业见习岗位"),
    Row("item to apply for", "renshe", "/items/{item 11}?tab=submit-{part 11 renshe}-1"),
    Row("item with three figures", "daye", "/items/{item 26}"),
    Row("item sent back", "renshe", "/items/{item 27}", heading="直播带岗和空中面试"),
    Row("item to sign", "renshe-fenguan", "/items/{item 17}"),
    Row("item with feedback to accept", "renshe", "/items/{item 24}"),
    Row("item to review", "zhuanban", "/items/{item 4}"),
    Row("item to urge", "zhuanban", "/items/{item 2}"),
    Row("item of many units", "lingdao", "/items/{item 32}"),
    Row("item that recurs", "daye", "/items/{item 10}"),
    Row("item of others' reports", "yangxin", "/items/{item 13}"),
    Row("item with an extension to decide", "renshe-fenguan", "/items/{item 5}"),
    Row("item with an extension under way", "renshe", "/items/{item 5}"),
    Row("item with an objection to decide", "zhuanban", "/items/{item 20}"),
    Row("item suspended", "zhuanban", "/items/{item 7}?tab=resume-{part 7 renshe}"),
    Row("item with a unit added", "zhuanban", "/items/27"),
    Row("form for more time", "renshe", "/items/{item 21}?tab=extend-{part 21 renshe}"),
    Row("form of an objection", "daye", "/items/{item 13}?tab=object-{part 13 daye}"),
    Row("form to move a share", "zhuanban", "/items/{item 13}?tab=reassign-{part 13 daye}"),
    Row("form to put words right", "zhuanban", "/items/13?tab=item_amend_text-13"),
    Row("form for another date", "zhuanban", "/items/13?tab=item_amend_due-13"),
    Row("form for other quotas", "zhuanban", "/items/13?tab=item_amend_quota-13"),
    Row("form for another target", "zhuanban", "/items/11?tab=item_amend_target-11"),
    Row("form for another date of a share", "zhuanban", "/items/{item 13}?tab=amend_due-{part 13 daye}"),
    Row("form to add a unit", "zhuanban", "/items/13?tab=item_add-13"),
    Row("item with an entry to confirm", "daye", "/items/{item 18}?todo={part 18 daye}"),
    Row("form of an entry by proxy", "zhuanban", "/items/{item 13}?tab=enter-{part 13 daye}"),
    Row("form of a correction", "daye", "/items/{item 13}?tab=correct-{part 13 daye}"),
    Row("form of a settled value", "ducha", "/items/{item 13}?tab=settle-{part 13 daye}"),
    Row("form to copy", "zhuanban", "/items/{item 13}?tab=copy-{part 13 daye}"),
    Row("form to hand on", "daye", "/items/{item 13}?tab=hand_on-{part 13 daye}"),
    Row("origin of a number", "zhuanban", "/items/{item 13}/figures/{figure 13}", heading="就业见习岗位"),
    Row("time sheet", "zhuanban", "/assignments/{part 7 renshe}/time", heading="时限明细单"),
    Row("time sheet of a return", "renshe", "/assignments/{part 27 renshe}/time", heading="时限明细单"),
    Row("item handed down", "daye", "/items/{item 26}?tab=report-{part 26 daye}", heading="智汇黄石高校行和招聘会"),
    Row("form to hand down", "daye", "/items/{item 14}?tab=split-{part 14 daye}"),
    Row("form to hand down to more", "daye", "/items/{item 26}?tab=split-{part 26 daye}"),
    Row("part to review", "daye", "/items/{item 26}?todo={part 26 daye-chengui}"),
    Row("part of a town", "daye-jinhu", "/items/{item 26}"),
    Row("form of a town for more time", "daye-jinhu", "/items/{item 26}?tab=extend-{part 26 daye-jinhu}"),
    Row("item handed down as the office sees it", "zhuanban", "/items/{item 26}"),
    Row("item handed down as an inspector sees it", "ducha", "/items/{item 26}"),
    Row("inbox of a town", "daye-jinhu", "/inbox", heading="待办"),
    Row("ledger of a county inspector", "daye-ducha", "/ledger", heading="台账"),
    Row("time sheet of a part", "daye", "/assignments/{part 26 daye-jinhu}/time", heading="时限明细单"),
    Row("time sheet of others' part", "zhuanban", "/assignments/{part 26 daye-jinhu}/time", status=404),
    Row("report with what lower units have come to", "daye", "/rounds/{share daye weekly}", heading="第1期周调度"),
    Row("item closed", "guozi", "/items/{item 8}", heading="扩大国有企业招聘规模"),
    Row("item not yet open", "ducha", "/items/{item 33}"),
    Row("rounds of a county", "daye", "/rounds", heading="报送"),
    Row("rounds all reported", "ducha", "/rounds", heading="报送"),
    Row("report with figures", "renshe", "/rounds/{share renshe weekly}", heading="第1期周调度"),
    Row("report not signed for", "jiaoyu", "/rounds/{share jiaoyu weekly}", heading="第1期周调度"),
    Row("report of words", "xuanchuan", "/rounds/{share xuanchuan weekly}", heading="第1期周调度"),
    Row("ledger", "zhuanban", "/ledger", heading="台账"),
    Row("ledger of a participant", "hubei-shifan", "/ledger", heading="台账"),
    Row("ledger filtered", "zhuanban", "/ledger?words=就业&role=lead&unit=市人社局&sort=due", heading="台账"),
    Row("ledger in other columns", "zhuanban", "/ledger?columns=title.timeliness.lead.clause", heading="台账"),
    Row("exports", "zhuanban", "/exports", heading="导出"),
    Row("views", "zhuanban", "/ledger/views", heading="台账视图"),
    Row("no views yet", "keji", "/ledger/views", heading="台账视图"),
    Row("ledger by timeliness", "zhuanban", "/ledger?timeliness=not_due&due=next_month", heading="台账"),
    Row("ledger with nothing found", "zhuanban", "/ledger?words=没有这样的任务", heading="台账"),
    Row("plans", "zhuanban", "/plans"),
    Row("plan", "zhuanban", "/plans/1"),
    Row("plan of a participant", "hubei-shifan", "/plans/1"),
    Row("war room", "lingdao", "/plans/1/warroom", heading="百日攻坚"),
    Row("war room of a participant", "renshe-fenguan", "/plans/1/warroom", heading="百日攻坚"),
    Row("war room is not for everybody", "daye", "/plans/1/warroom", status=403, heading="这里不能办理"),
    Row("figures of all plans", "zhuanban", "/figures", heading="指标总览"),
    Row("figures that a participant reads", "daye", "/figures?light=green", heading="指标总览"),
    Row("no figures found", "zhuanban", "/figures?unit=没有这家单位", heading="指标总览"),
    Row("changes of a plan", "zhuanban", "/plans/1/changes", heading="变更记录"),
    Row("changes that a participant sees", "hubei-shifan", "/plans/1/changes", heading="变更记录"),
    Row("plans that are written", "zhuanban", "/plans/studio", heading="方案编制"),
    Row("plans are not written by everybody", "renshe", "/plans/studio", status=403, heading="这里不能办理"),
    Row("cover of a new plan", "zhuanban", "/plans/studio/new", heading="新建方案"),
    Row("editor", "zhuanban", "/plans/studio/{draft 1}"),
    Row("publishing what changes nothing", "zhuanban", "/plans/studio/{draft 1}/publish", heading="发布第 2 版"),
    Row("version", "zhuanban", "/plans/studio/versions/1"),
    Row("cases", "zhuanban", "/intakes", heading="批示件"),
    Row("cases of a unit with none", "keji", "/intakes", heading="批示件"),
    Row("no case found", "zhuanban", "/intakes?state=read", heading="批示件"),
    Row("form of a case", "zhuanban", "/intakes/new/instruction", heading="登记批示件"),
    Row("form of a case upon an item", "zhuanban", "/intakes/new/instruction?item={item 13}", heading="登记批示件"),
    Row("case to propose on", "zhuanban", "/intakes/1", heading="摸清高校毕业生就业底数"),
    Row("case to decide", "lingdao", "/intakes/2", heading="研究零工驿站布点"),
    Row("case to record a decision on", "zhuanban", "/intakes/2", heading="研究零工驿站布点"),
    Row("case upon an item", "zhuanban", "/intakes/3", heading="募集就业见习岗位"),
    Row("item with a case", "daye", "/items/{item 13}", heading="募集就业见习岗位"),
    Row("sheet of a case", "lingdao", "/intakes/2/sheet", heading="批示件呈批单"),
    Row("case one may not see", "keji", "/intakes/1", status=404, heading="没有找到"),
    Row("clearings of an inspector", "ducha", "/clearings", heading="依规清除"),
    Row("clearings of an administrator", "guanli", "/clearings", heading="依规清除"),
    Row("clearing to confirm", "ducha", "/clearings/2", heading="清除第 5 号办理记录的进展"),
    Row("clearing that waits for the other", "guanli", "/clearings/2"),
    Row("clearing of a name", "guanli", "/clearings/3", heading="清除账号 guozi 的姓名"),
    Row("clearing that was done", "guanli", "/clearings/1"),
    Row("clearing asked for", "ducha", "/items/{item 4}/records/4/clearing", heading="申请清除记录中的内容"),
    Row("clearing of a name asked for", "guanli", "/clearings/name", heading="申请清除姓名"),
    Row("clearing by somebody else", "zhuanban", "/clearings", status=403, heading="这里不能办理"),
    Row("item whose words may be cleared", "ducha", "/items/{item 4}"),
    Row("item with words cleared", "ducha", "/items/{item 8}"),
    Row("mails", "zhuanban", "/demo/mail", heading="邮件"),
    Row("mails with nothing found", "zhuanban", "/demo/mail?kind=overdue", heading="邮件"),
    Row("mail that asks for a report", "renshe", "/demo/mail/{mail request}"),
    Row("mail that hands out", "renshe", "/demo/mail/{mail handed}"),
    Row("mail that sends back", "renshe", "/demo/mail/{mail returned}"),
    Row("mail of the week", "zhuanban", "/demo/mail/{mail weekly}"),
    Row("mail alone", "renshe", "/demo/mail/{mail request}/html"),
    Row("mail of the week alone", "zhuanban", "/demo/mail/{mail weekly}/html"),
    Row("item one may not see", "keji", "/items/{item 4}", status=404, heading="没有找到"),
    Row("no such page", "renshe", "/nowhere", status=404, heading="没有这一页"),
    Row("no such page for a stranger", None, "/nowhere", status=404, heading="没有这一页"),
    Row("address of a form", "renshe", "/inbox/acknowledge", status=405, heading="请求没有读懂"),
)

# What pages fetch for themselves: (address, kind of content).
PARTS = (
    ("/plans/1/diagram.bpmn", "application/xml"),
    ("/plans/1/lights.json", "application/json"),
    ("/plans/studio/{draft 1}/draft.bpmn", "application/xml"),
    ("/plans/studio/{draft 1}/draft.json", "application/json"),
    ("/plans/studio/{draft 1}/units?words=srsj", "application/json"),
    ("/plans/studio/{draft 1}/figures?words=gw", "application/json"),
    ("/plans/studio/{draft 1}/explain?element=cadence", "application/json"),
    ("/plans/studio/versions/1/diagram.bpmn", "application/xml"),
    ("/demo/clock", "text/html"),
    ("/calendar/2025.csv", "text/csv"),
    ("/ledger/units", "text/html"),
    ("/ledger/plans", "text/html"),
    ("/ledger/views/1", "text/html"),  # leads to the ledger
    ("/", "text/html"),  # leads to the inbox, or to the overview
    ("/healthz", "application/json"),
    ("/healthz/ready", "application/json"),
    ("/healthz/live", "application/json"),
    ("/metrics", "text/plain"),
    ("/files/{file 对接会现场.png}", "image/png"),
    ("/uploads/{upload 审核意见.pdf}", "application/pdf"),
    ("/exports/1", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("/people/template.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("/units/template.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("/setup/units.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
)


class Places:
    """Looks up what stands in braces."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def address(self, template: str) -> str:
        with self.site.db.read() as connection:
            return re.sub(r"\{(\w+) (.+?)\}", lambda found: str(self._id(connection, *found.groups())), template)

    def _id(self, connection: Connection, kind: str, words: str) -> int | str:
        match kind, words.split():
            case "item" | "part" | "figure", [no, *unit]:
                found = _OF_ITEM[kind].where(item.c.no == no, *(assignment.c.unit == key for key in unit))
            case "share", [unit, cadence]:
                found = select(share.c.id).join(round_, round_.c.id == share.c.round_id)
                found = found.where(share.c.unit == unit, round_.c.cadence == cadence)
            case (("person" | "post"), [login]):
                held = select(post.c.id).join(person, person.c.id == post.c.person_id).where(post.c.until.is_(None))
                found = (select(person.c.id) if kind == "person" else held).where(person.c.login == login)
            case "reset", [login]:
                with self.site.db.write() as tx:
                    return offer(tx, tx.connection.execute(select(person.c.id).filter_by(login=login)).scalar_one())
            case "draft", [version]:
                found = select(plan_draft.c.id).where(plan_draft.c.base_version_id == int(version))
            case "file", [name]:
                found = select(content.c.seq, content.c.field).where(content.c.text == name)
                return int(connection.execute(found).one().field.removeprefix("file-"))
            case "upload", [name]:
                found = select(upload.c.id).where(upload.c.name == name)
            case "mail", [sort]:
                return next(head.number for head in Mailbox(self.site.mail).heads() if head.kind == sort)
            case _:
                raise LookupError(kind)
        return int(connection.execute(found).scalar_one())


_OF_ITEM = {
    "item": select(item.c.id),
    "part": select(assignment.c.id).join(item, item.c.id == assignment.c.item_id),
    "figure": select(indicator.c.id).join(item, item.c.id == indicator.c.item_id),
}


# ---------------------------------------------------------------- the tests
Window = Callable[[str | None, int], Visitor]


@pytest.fixture(scope="module")
def window(site: Site, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Window]:
    """One window of each width, in which one person after another sits down; everybody logs in once."""
    windows: dict[int, Visitor] = {}
    cookies: dict[str | None, Any] = {}
    with ExitStack() as stack:

        def at(account: str | None, width: int) -> Visitor:
            if width not in windows:
                windows[width] = stack.enter_context(visit(browser, site, width, pictures_of("pages"), ""))
            visitor = windows[width]
            if visitor.name != (account or "guest"):
                visitor.name = account or "guest"
                visitor.page.context.clear_cookies()
                if account in cookies:
                    visitor.page.context.add_cookies(cookies[account])
                elif account:
                    visitor.go("/login")
                    visitor.log_in(account)
                    cookies[account] = visitor.page.context.cookies()
            visitor.complaints.clear()
            return visitor

        yield at


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "-"))
def test_page_is_whole(window: Window, site: Site, row: Row, width: int) -> None:
    visitor = window(row.account, width)
    visitor.go(Places(site).address(row.address), row.status)
    if row.heading:
        expect(visitor.page.get_by_role("heading", level=1)).to_have_text(row.heading)
    visitor.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    visitor.look(row.name.replace(" ", "-"))
    visitor.assert_uncovered()
    if width == WIDTHS[0]:
        visitor.look_at_paper()


@pytest.mark.parametrize("width", WIDTHS)
def test_wrong_password_is_said_beside_the_field(window: Window, width: int) -> None:
    visitor = window(None, width)
    visitor.go("/login")
    visitor.expect_refusal("/login")
    visitor.page.get_by_label("账号").fill(f"nobody-{width}")
    visitor.page.get_by_label("密码").fill("wrong")
    visitor.press("登录")
    expect(visitor.page.get_by_role("alert")).to_contain_text("还可再试 4 次")
    visitor.look("wrong-password")


@pytest.mark.parametrize("width", WIDTHS)
def test_form_that_lay_too_long_is_answered_in_words(window: Window, width: int) -> None:
    visitor = window("guozi", width)
    visitor.go("/inbox")
    visitor.expect_refusal("/logout")
    visitor.page.locator(".who [name=csrf_token]").evaluate("field => { field.value = 'old' }")
    visitor.press("退出")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("页面已经过期")
    visitor.look("stale")


@pytest.mark.parametrize(("address", "kind"), PARTS)
def test_part_of_a_page_answers(window: Window, address: str, kind: str) -> None:
    administered = address.startswith(("/units", "/people", "/calendar"))
    visitor = window("guanli" if administered else "zhuanban", WIDTHS[0])
    answer = visitor.page.request.get(visitor.site.url + Places(visitor.site).address(address))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith(kind)


def test_every_page_has_a_row(site: Site) -> None:
    app = create_app(Settings(demo=True, database_url=site.db.url), Database(site.db.url, StoredClock()))
    addresses = app.url_map.bind("127.0.0.1")
    seen = set()
    for template in (*(row.address for row in ROWS if row.status == 200), *(address for address, _ in PARTS)):
        path = re.sub(r"\{.+?\}", "1", template).split("?")[0]
        try:
            seen.add(addresses.match(path, method="GET")[0])
        except HTTPException:
            pytest.fail(f"no route answers {path}")
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())} - {"static"}
    assert pages - seen == set()
