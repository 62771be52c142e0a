"""Every route x every role x own unit, another unit, another jurisdiction: what is answered, and whether anything was
written. A new route without a row fails.

A cell names roles by a letter (below) and what they get; `*` is everybody else. A form that is taken answers with
302, and something was written; `302-` is taken without a trace. Everything else must leave the database as it was.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import make_url, select, update
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from bpmn.library import plan_xml
from bpmn.writing import write_plan
from engine import accounts, drafting, opening
from engine.clockwork import advance_to
from engine.commands import (
    Entry,
    IntakeRef,
    TodoRef,
    acknowledge,
    apply_for_name,
    extend,
    hand_over,
    perform,
    propose,
    register,
    reorganise,
    report,
    submit,
)
from engine.reorganising import Change
from ledger import resets, sessions, uploads, views
from ledger.calendar import moment
from ledger.clock import StoredClock, wall_now
from ledger.database import Database
from ledger.directory import leave_post, register_person, register_units, take_post
from ledger.files import Store
from ledger.migrating import upgrade
from ledger.organisation import Organisation, Unit
from ledger.people import actor_of
from ledger.queries.ledger import Filters
from ledger.rules.days import Decision
from ledger.schema import (
    assignment,
    event,
    heartbeat,
    indicator,
    item,
    login_session,
    person,
    plan_version,
    post,
    round_,
    share,
)
from ledger.sessions import Lifetime, Origin
from tests import samples
from tests.bench.world import KNOWN, generated
from webapp import days, hashing
from webapp.app import create_app
from webapp.demo import campaign
from webapp.demo.mailsink import Mailbox
from webapp.demo.office import Office
from webapp.settings import Settings
from webapp.units import mark_of

START = date(2025, 5, 23)
NOW = moment(date(2025, 5, 26), time(10))

ROLES = {
    "L": "liaison",
    "S": "section_head",
    "D": "deputy_head",
    "H": "head",
    "C": "coordinator",
    "I": "inspector",
    "E": "leader",
    "A": "administrator",
}
# Where each role of each place has its post. The run is 百日攻坚; `own` takes part in the item, `other` does not.
PLACES = {
    "own": {"C": "jiuye-lingdao", "I": "zhengfuban", "E": "zhengfuban", "A": "zhengfuban", "": "renshe"},
    "other": {"": "jiwei"},
    "foreign": {"C": "xs-zhuanban", "I": "xs-zhengfuban", "E": "xs-zhengfuban", "A": "xs-zhengfuban", "": "xs-renshe"},
}
ELSEWHERE = Organisation(
    "xishui",
    "浠水县",
    (
        Unit("xs-renshe", "浠水县人力资源和社会保障局", "县人社局", "organ"),
        Unit("xs-zhengfuban", "浠水县人民政府办公室", "县政府办", "organ"),
        Unit("xs-zhuanban", "浠水县就业工作领导小组", "县就业领导小组", "body", host="xs-renshe"),
    ),
    (),
)
VISITORS = [*((place, letter) for place in PLACES for letter in ROLES), ("nopost", ""), ("nobody", "")]


@dataclass(frozen=True)
class Who:
    """What a route answers to the roles of each place; `nopost` is logged in without a post, `nobody` is not."""

    own: str
    other: str
    foreign: str
    nopost: str
    nobody: str = "login"

    def expected(self, place: str, letter: str) -> str:
        cell: str = getattr(self, place)
        if place in ("nopost", "nobody"):
            return cell
        answers = dict(part.split("=") for part in cell.split())
        return next((answer for letters, answer in answers.items() if letter in letters), None) or answers["*"]


@dataclass(frozen=True)
class Row:
    """One route. `{names}` in the address (where it is not the rule itself) and in the fields stand for the world's."""

    method: str
    rule: str
    who: Who
    at: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    body: str = ""  # what is sent instead of fields, by its name in the world
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.at or self.rule}"


def get(rule: str, who: Who, at: str = "") -> Row:
    return Row("GET", rule, who, at)


def form(rule: str, who: Who, at: str = "", **fields: str) -> Row:
    return Row("POST", rule, who, at, fields)


def all_in(answer: str, nobody: str = "login") -> Who:
    """No difference between people who are logged in."""
    return Who(f"*={answer}", f"*={answer}", f"*={answer}", answer, nobody)


PAGE, TAKEN, IDLE, SAVED = all_in("200"), all_in("302"), all_in("302-"), all_in("200+")
SIGNS = Who("D=200+ *=200", "*=200", "*=200", "200")  # that it was shown is kept
SEES_TO_SIGN = Who("D=200+ *=200", "IEA=200 *=404", "*=404", "404")
OPEN_PAGE, OPEN_FORM, OPEN_SAVED = (all_in(answer, nobody=answer) for answer in ("200", "302", "200+"))
SEES = Who("*=200", "IEA=200 *=404", "*=404", "404")
SEES_OTHER_RUN = Who("IEA=200 *=404", "*=200", "*=404", "404")
SEES_WALL = Who("LA=403 *=200", "IE=200 A=403 *=404", "*=404", "404")  # whoever answers for others
SEES_OTHER_WALL = Who("IE=200 A=403 *=404", "LA=403 *=200", "*=404", "404")
PUTS_FILES = Who("*=201+", "IEA=201+ *=404", "*=404", "404")
GONE = all_in("410")
WRONG_PASSWORD = all_in("422+")  # the try is counted
OWN_UPLOAD = Who("L=200 *=404", "*=404", "*=404", "404")
OWN_UPLOAD_TAKEN = Who("L=302 *=404", "*=404", "*=404", "404")
READS_REPORTS = Who("A=404 *=200", "IE=200 *=404", "*=404", "404")
SEES_VIEW = Who("LSDH=302 *=404", "*=404", "*=404", "404")  # shared with the unit of the own place
OWN_VIEW = Who("L=302 SDH=403 *=404", "*=404", "*=404", "404")
UNKNOWN = Who("*=404", "*=404", "*=404", "404")
# An act on a share: who holds its todo acts, who sees the item is told why not, the others do not know of it.
LIAISON = Who("L=302 *=409", "IEA=409 *=404", "*=404", "404")
SIGNER = Who("D=302 *=409", "IEA=409 *=404", "*=404", "404")
NOT_TO_CONFIRM = Who("*=409", "IEA=409 *=404", "*=404", "404")  # 百日攻坚 names everybody
OFFICE = Who("CI=302 *=409", "I=302 EA=409 *=404", "*=404", "404")
COORDINATOR = Who("C=302 *=409", "IEA=409 *=404", "*=404", "404")
SECTION = Who("S=302 *=409", "IEA=409 *=404", "*=404", "404")
SEEN_OF_OTHER_RUN = Who("IEA=409 *=404", "*=409", "*=404", "404")
ASKED = Who("L=200 *=404", "*=404", "*=404", "404")
REPORTS = Who("L=302 *=404", "*=404", "*=404", "404")
ADMINISTRATOR = Who("A=200 *=403", "A=200 *=403", "A=200 *=403", "403")
OVERSEER = Who("IA=200 *=403", "IA=200 *=403", "IA=200 *=403", "403")
ADMINISTERS = Who("A=200 *=403", "A=200 *=403", "A=404 *=403", "403")
ADMINISTERS_ELSEWHERE = Who("A=404 *=403", "A=404 *=403", "A=200 *=403", "403")
DECIDES = Who("A=302 *=403", "A=302 *=403", "A=404 *=403", "403")
DECIDES_FOR_ALL = Who("A=302 *=403", "A=302 *=403", "A=302 *=403", "403")  # one calendar, of places below none
DECIDES_TOGETHER = Who("A=409 *=403", "A=409 *=403", "A=409 *=403", "403")
SHOWN_ONCE = Who("A=200+ *=403", "A=200+ *=403", "A=404 *=403", "403")
SETS_UP = replace(ADMINISTRATOR, nobody="login")
SET_UP = all_in("404", nobody="404")  # there is an administrator
ENROLS = Who("A=200+ *=403", "A=200+ *=403", "A=409 *=403", "403")
NO_TABLE = Who("A=422 *=403", "A=422 *=403", "A=422 *=403", "403")
ENTERS = Who("A=302 *=403", "A=302 *=403", "A=302 *=403", "403")
WRONG_UNIT = Who("A=422 *=403", "A=422 *=403", "A=404 *=403", "403")
WRONG_POST = Who("A=404 *=403", "A=404 *=403", "A=404 *=403", "403")
CLEARS = Who("IA=200 *=403", "IA=200 *=403", "IA=404 *=403", "403")
CLEARS_NAME = Who("IA=302 *=403", "IA=302 *=403", "IA=422 *=403", "403")
CLEARS_TEXT = Who("IA=302 *=403", "IA=302 *=403", "IA=404 *=403", "403")
CONFIRMS = Who("I=302 *=403", "I=302 *=403", "IA=404 *=403", "403")  # an administrator has applied
WRITES = Who("C=200 *=403", "C=200 *=403", "C=200 *=403", "403")
BEGINS = Who("C=302 *=403", "C=422 *=403", "C=422 *=403", "403")
OWN_DRAFT = Who("C=200 *=403", "C=404 *=403", "C=404 *=403", "403")
DRAFTED_ALREADY = Who("C=422 *=403", "C=422 *=403", "C=422 *=403", "403")
OWN_DRAFT_SAVED = Who("C=200+ *=403", "C=404 *=403", "C=404 *=403", "403")
OWN_DRAFT_TAKEN = Who("C=302 *=403", "C=404 *=403", "C=404 *=403", "403")
RUNS_ALREADY = Who("C=409 *=403", "C=404 *=403", "C=404 *=403", "403")
HEADS = Who("H=200 *=403", "H=200 *=403", "H=200 *=403", "403")
HANDS = Who("LHA=200 *=404", "A=200 *=404", "*=404", "404")
HANDS_OVER = Who("LHA=302 *=404", "A=302 *=404", "*=404", "404")
RECEIVES = Who("D=302 *=404", "*=404", "*=404", "404")
# A case that no unit has been handed yet: the office and those who look over the place.
SEES_CASE = Who("CIEA=200 *=404", "IEA=200 *=404", "*=404", "404")
READS_CASE = Who("CIE=200 A=403 *=404", "IE=200 A=403 *=404", "*=404", "404")
PROPOSES = Who("C=302 IEA=403 *=404", "IEA=403 *=404", "*=404", "404")
DECIDES_CASE = Who("CE=302 IA=403 *=404", "IEA=403 *=404", "*=404", "404")
NOT_YET = Who("CIEA=409 *=404", "IEA=409 *=404", "*=404", "404")
REGISTERS = Who("C=302 *=403", "C=302 *=403", "C=302 *=403", "403")
REGISTERS_ON = Who("C=302 *=403", "C=403 *=403", "C=403 *=403", "403")
CASE = {"leader": "市长", "given_on": "2025-05-20", "carrier": "paper", "wording": "gist", "instruction": "请落实"}
PROPOSAL = {"step": "propose", "arm": "1", "outcome": "file", "leads": "市人社局", "days": "5", "opinion": "建议立项"}
DECISION = {"step": "decide", "arm": "1", "outcome": "file", "ground": "同意", "decider": "市长"}
MERGER = {"kind": "merge", "to": "caizheng"}
SEEN = mark_of(Change("merge", "caizheng"))
ADMIN = {"login": "second", "name": "第二", "email": "second@example.gov.cn", "unit": "jiaoyu"}
DAY_OFF = {"days": "2025-06-06", "word": "off"}
SEEN_DAY = days.mark_of([Decision(date(2025, 6, 6), False)])
LOOKS_THROUGH = Who("A=200 *=403", "A=200 *=403", "A=404 *=403", "403")
COVER = {"title": "方案", "short": "方案", "issuer": "市政府", "docNo": "无"}
COVER |= {"issued": "2025-05-20", "start": "2025-06-01", "end": "2025-12-31"}
NEW = dict.fromkeys(("new_password", "password_again"), "磁湖边的三只白鹭飞走")
NEWER = {"old_password": "{password}"}
DONE = {"arm": "1", "summary": "已完成"}
SIGN = {"arm": "1", "step": "sign", "act": "agree"}
URGE = {"words": "请抓紧"}
SIGNED = "/assignments/{signed share}/verbs"
EXTEND = {"reason": "台风", "progress": "过半"}
OTHER_DATE = {"until": "2025-12-31", "ground": "议定"}
OTHER_WORDS = {"title": "更正后的标题", "clause": "更正后的原文", "ground": "勘误"}
ANSWER = {"petition": "1", "turn": "1", "act": "agree"}

TABLE = (
    # ------------------------------------------------ doors
    get("/", TAKEN),
    get("/static/<path:filename>", OPEN_PAGE, "/static/icon.svg"),
    get("/login", OPEN_PAGE),
    form("/login", OPEN_FORM, account="jiaoyu", password="duban-demo"),
    form("/logout", TAKEN),
    form("/kept", IDLE),
    get("/account", PAGE),
    get("/account/password", PAGE),
    form("/account/password", TAKEN, **NEW, **NEWER),
    form("/account/email", WRONG_PASSWORD, email="new@example.gov.cn", old_password="wrong"),
    get("/account/email/confirm", GONE, "/account/email/confirm?token=guessed"),
    form("/account/email/confirm", GONE, token="guessed"),
    form("/account/deputies", UNKNOWN, post="999999", login="jiaoyu", until="2025-06-01"),
    form("/account/deputies/<int:post_id>/end", UNKNOWN, "/account/deputies/999999/end"),
    get("/posts", HEADS),
    get("/posts/<int:post_id>/hand-over", HANDS, "/posts/{own post}/hand-over"),
    get("/posts/<int:post_id>/hand-over", UNKNOWN, "/posts/999999/hand-over"),
    form("/posts/<int:post_id>/hand-over", HANDS_OVER, "/posts/{own post}/hand-over", login="own-S", note="见台账"),
    form("/posts/<int:post_id>/hand-over", UNKNOWN, "/posts/999999/hand-over", login="own-S", note="见台账"),
    form("/handovers/<int:handover_id>/receive", UNKNOWN, "/handovers/999999/receive"),
    form("/handovers/<int:handover_id>/receive", RECEIVES, "/handovers/{handover}/receive"),
    form("/account/sessions/<int:session_id>/end", IDLE, "/account/sessions/{session of jiaoyu}/end"),
    form("/account/sessions/end-others", IDLE),
    get("/password/forgotten", OPEN_PAGE),
    form("/password/forgotten", OPEN_SAVED, account="jiaoyu"),
    get("/password/reset", OPEN_PAGE, "/password/reset?token={reset}"),
    form("/password/reset", OPEN_FORM, token="{reset}", **NEW),
    form("/password/reset", all_in("410", nobody="410"), token="guessed", **NEW),
    # ------------------------------------------------ accounts and logs
    get("/setup", SETS_UP),
    get("/setup/units.xlsx", OPEN_PAGE),
    form("/setup/directory", SET_UP, shipped="huangshi"),
    form("/setup/administrator", SET_UP, **ADMIN),
    form("/setup/plan", DECIDES_TOGETHER, plan="huangshi-2025-bairi"),
    get("/people", ADMINISTRATOR),
    get("/people/new", ADMINISTRATOR),
    form("/people/new", ENROLS, login="new", name="新人", email="new@example.gov.cn", unit="jiaoyu", role="liaison"),
    form("/people/import", NO_TABLE),
    get("/people/template.xlsx", ADMINISTRATOR),
    get("/people/<int:person_id>", ADMINISTERS, "/people/{person jiaoyu}"),
    get("/people/<int:person_id>", ADMINISTERS_ELSEWHERE, "/people/{person of foreign}"),
    form("/people/<int:person_id>/deactivate", DECIDES, "/people/{person jiaoyu}/deactivate"),
    form("/people/<int:person_id>/deactivate", DECIDES_TOGETHER, "/people/{person in-both}/deactivate"),
    form("/people/<int:person_id>/activate", DECIDES, "/people/{person inactive}/activate"),
    form("/people/<int:person_id>/unlock", DECIDES, "/people/{person locked}/unlock"),
    form(
        "/people/<int:person_id>/correct",
        DECIDES,
        "/people/{person jiaoyu}/correct",
        name="教育",
        email="new@example.gov.cn",
    ),
    form("/people/<int:person_id>/link", SHOWN_ONCE, "/people/{person jiaoyu}/link"),
    form("/people/<int:person_id>/link", DECIDES_TOGETHER, "/people/{person in-both}/link"),
    form("/people/<int:person_id>/end-sessions", DECIDES, "/people/{person jiaoyu}/end-sessions"),
    form("/people/<int:person_id>/posts", DECIDES, "/people/{person jiaoyu}/posts", unit="jiaoyu", role="head"),
    form("/people/<int:person_id>/posts", WRONG_UNIT, "/people/{person jiaoyu}/posts", unit="xs-renshe", role="head"),
    form(
        "/people/<int:person_id>/posts/<int:post_id>/end", DECIDES, "/people/{person jiaoyu}/posts/{post of jiaoyu}/end"
    ),
    form(
        "/people/<int:person_id>/posts/<int:post_id>/end",
        WRONG_POST,
        "/people/{person jiaoyu}/posts/{post of foreign}/end",
    ),
    get("/units", ADMINISTRATOR),
    get("/units/new", ADMINISTRATOR),
    form("/units/new", ENTERS, name="新设的局", kind="organ"),
    form("/units/import", NO_TABLE),
    get("/units/template.xlsx", ADMINISTRATOR),
    form("/units/<key>/describe", DECIDES, "/units/jiaoyu/describe", kind="organ", aliases="教育主管部门"),
    get("/units/groups", ADMINISTRATOR),
    form("/units/groups", ENTERS, name="各部门", open="1"),
    form("/units/groups/remove", DECIDES, name="在黄高校"),
    get("/units/<key>", ADMINISTERS, "/units/jiaoyu"),
    get("/units/<key>", ADMINISTERS_ELSEWHERE, "/units/xs-renshe"),
    form("/units/<key>/changes", DECIDES, "/units/jiaoyu/changes", **MERGER, ground="方案", seen=SEEN, act="confirm"),
    form("/units/<key>/changes", LOOKS_THROUGH, "/units/jiaoyu/changes", **MERGER, ground="方案", act="confirm"),
    form("/units/<key>/changes", LOOKS_THROUGH, "/units/jiaoyu/changes", **MERGER, act="preview"),
    form("/units/changes/<int:number>/cancel", DECIDES, "/units/changes/{change}/cancel"),
    get("/calendar", ADMINISTRATOR),
    get("/calendar/<int:year>.csv", ADMINISTRATOR, "/calendar/2025.csv"),
    get("/calendar/<int:year>.csv", WRONG_POST, "/calendar/1999.csv"),
    form("/calendar", DECIDES_FOR_ALL, **DAY_OFF, ground="通知", seen=SEEN_DAY, act="confirm"),
    form("/calendar", ADMINISTRATOR, **DAY_OFF, ground="通知", act="confirm"),
    form("/calendar", ADMINISTRATOR, **DAY_OFF, ground="通知", act="preview"),
    get("/logs/logins", ADMINISTRATOR),
    get("/logs/decisions", OVERSEER),
    get("/outgoing", ADMINISTRATOR),
    form("/outgoing/<int:message_id>/again", WRONG_POST, "/outgoing/1/again"),  # that one was not given up
    form("/outgoing/test", DECIDES_TOGETHER),  # no mail server is set up
    # ------------------------------------------------ the inbox, items, rounds
    get("/home", PAGE),
    get("/inbox", PAGE),
    form("/inbox/acknowledge", LIAISON, todo="{share}.acknowledge.1"),
    get("/inbox/sign", SIGNS),
    get("/inbox/signed", PAGE, "/inbox/signed?shares={share to sign}"),
    form("/inbox/sign", SIGNER, todo="{share to sign}.sign.1"),
    get("/items/<int:item_id>", SEES, "/items/{item}"),
    get("/items/<int:item_id>", SEES_TO_SIGN, "/items/{item to sign}"),
    get("/items/<int:item_id>", SEES_OTHER_RUN, "/items/{item of other run}"),
    get("/items/<int:item_id>", UNKNOWN, "/items/999999"),
    get("/items/<int:item_id>/figures/<int:indicator_id>", SEES, "/items/{item}/figures/{figure}"),
    get("/items/<int:item_id>/figures/<int:indicator_id>", UNKNOWN, "/items/{item}/figures/999999"),
    get("/items/<int:item_id>/figures/<int:indicator_id>", UNKNOWN, "/items/{item of other run}/figures/{figure}"),
    form("/items/<int:item_id>/urge", OFFICE, "/items/{item}/urge", assignments="{share}", **URGE),
    form("/items/<int:item_id>/urge", UNKNOWN, "/items/{item}/urge", assignments="{share of other run}", **URGE),
    form("/assignments/<int:assignment_id>/acknowledge", LIAISON, "/assignments/{share}/acknowledge", arm="1"),
    form(
        "/assignments/<int:assignment_id>/acknowledge",
        SEEN_OF_OTHER_RUN,
        "/assignments/{share of other run}/acknowledge",
        arm="1",
    ),
    form("/assignments/<int:assignment_id>/report", LIAISON, "/assignments/{signed share}/report", progress="已对接"),
    form("/assignments/<int:assignment_id>/submit", LIAISON, "/assignments/{signed share}/submit", **DONE),
    form("/assignments/<int:assignment_id>/decide", SIGNER, "/assignments/{share to sign}/decide", **SIGN),
    form("/assignments/<int:assignment_id>/confirm", NOT_TO_CONFIRM, "/assignments/{share}/confirm"),
    get("/assignments/<int:assignment_id>/time", SEES, "/assignments/{share}/time"),
    get("/assignments/<int:assignment_id>/time", SEES_OTHER_RUN, "/assignments/{share of other run}/time"),
    form("/assignments/<int:assignment_id>/verbs/<verb>", LIAISON, f"{SIGNED}/extend", until="2025-12-31", **EXTEND),
    form("/assignments/<int:assignment_id>/verbs/<verb>", COORDINATOR, f"{SIGNED}/suspend", ground="防汛"),
    form("/assignments/<int:assignment_id>/verbs/<verb>", COORDINATOR, f"{SIGNED}/amend_due", **OTHER_DATE),
    form("/assignments/<int:assignment_id>/verbs/<verb>", UNKNOWN, f"{SIGNED}/anything"),
    form("/assignments/<int:assignment_id>/answer", SECTION, "/assignments/{asking share}/answer", **ANSWER),
    form(
        "/items/<int:item_id>/verbs/<verb>",
        COORDINATOR,
        "/items/{item}/verbs/add",
        to="jiwei",
        role="lead",
        ground="定",
    ),
    form("/items/<int:item_id>/verbs/<verb>", COORDINATOR, "/items/{item}/verbs/amend_due", **OTHER_DATE),
    form("/items/<int:item_id>/verbs/<verb>", COORDINATOR, "/items/{item}/verbs/amend_text", **OTHER_WORDS),
    form("/items/<int:item_id>/verbs/<verb>", UNKNOWN, "/items/{item}/verbs/anything"),
    get("/rounds", PAGE),
    get("/rounds/<int:share_id>", ASKED, "/rounds/{round}"),
    form("/rounds/<int:share_id>", REPORTS, "/rounds/{round}", **{"progress-{signed share}": "已对接"}),
    form("/rounds/<int:share_id>/nothing-new", REPORTS, "/rounds/{round}/nothing-new"),
    form("/drafts/<form>", SAVED, "/drafts/report-{share}", progress="写到一半"),  # one's own, whatever its name
    form("/drafts/<form>", all_in("404"), "/drafts/anything", progress="写到一半"),
    form("/uploads/for/<form>", PUTS_FILES, "/uploads/for/report-{signed share}", name="甲.txt", size="12", mark="m"),
    get("/uploads/<int:upload_id>", OWN_UPLOAD, "/uploads/{upload}"),
    Row("PATCH", "/uploads/<int:upload_id>", OWN_UPLOAD, "/uploads/{upload}", headers={"Upload-Offset": "0"}),
    form("/uploads/<int:upload_id>/remove", OWN_UPLOAD_TAKEN, "/uploads/{upload}/remove"),
    get("/files/<int:attachment_id>", READS_REPORTS, "/files/{file}"),
    # ------------------------------------------------ 批示件
    get("/intakes", PAGE),
    get("/intakes/new/<kind_key>", WRITES, "/intakes/new/instruction"),
    get("/intakes/new/<kind_key>", UNKNOWN, "/intakes/new/anything"),
    form("/intakes/new/<kind_key>", REGISTERS, "/intakes/new/instruction", title="某事", **CASE),
    form("/intakes/new/<kind_key>", REGISTERS_ON, "/intakes/new/instruction", item="{item}", **CASE),
    get("/intakes/<int:intake_id>", SEES_CASE, "/intakes/{case}"),
    get("/intakes/<int:intake_id>", UNKNOWN, "/intakes/999999"),
    get("/intakes/<int:intake_id>/sheet", READS_CASE, "/intakes/{case}/sheet"),
    form("/intakes/<int:intake_id>/propose", PROPOSES, "/intakes/{case}/propose", **PROPOSAL),
    form("/intakes/<int:intake_id>/decide", DECIDES_CASE, "/intakes/{case to decide}/decide", **DECISION),
    form("/intakes/<int:intake_id>/present", NOT_YET, "/intakes/{case}/present", step="propose", arm="1"),
    # ------------------------------------------------ 依规清除
    get("/clearings", OVERSEER),
    get("/clearings/<int:clearing_id>", CLEARS, "/clearings/{clearing}"),
    get("/clearings/name", OVERSEER),
    form("/clearings/<int:clearing_id>", CONFIRMS, "/clearings/{clearing}", act="confirm", understood="1"),
    form("/clearings/name", CLEARS_NAME, account="jiaoyu", ground="本人依法申请"),
    get("/items/<int:item_id>/records/<int:seq>/clearing", CLEARS, "/items/{cleared item}/records/{record}/clearing"),
    form(
        "/items/<int:item_id>/records/<int:seq>/clearing",
        CLEARS_TEXT,
        "/items/{cleared item}/records/{record}/clearing",
        fields="summary",
        ground="误填身份证号",
    ),
    # ------------------------------------------------ the ledger and plans
    get("/ledger", PAGE),
    get("/exports", PAGE),
    form("/exports", TAKEN, asked="light=red"),
    get("/exports/<int:number>", UNKNOWN, "/exports/999999"),
    form("/exports/<int:number>/remove", UNKNOWN, "/exports/999999/remove"),
    get("/ledger/units", PAGE),
    get("/ledger/plans", PAGE),
    get("/ledger/views", PAGE),
    form("/ledger/views", TAKEN, name="红灯", asked="light=red"),
    get("/ledger/views/<int:number>", SEES_VIEW, "/ledger/views/{view}"),
    form("/ledger/views/<int:number>", OWN_VIEW, "/ledger/views/{view}", name="新名"),
    form("/ledger/views/<int:number>/default", SEES_VIEW, "/ledger/views/{view}/default", on="1"),
    form("/ledger/views/<int:number>/remove", OWN_VIEW, "/ledger/views/{view}/remove"),
    get("/plans", PAGE),
    get("/plans/<int:run_id>", SEES, "/plans/{run}"),
    get("/plans/<int:run_id>", SEES_OTHER_RUN, "/plans/{other run}"),
    get("/plans/<int:run_id>/changes", SEES, "/plans/{run}/changes"),
    get("/plans/<int:run_id>/changes", SEES_OTHER_RUN, "/plans/{other run}/changes"),
    get("/plans/<int:run_id>/warroom", SEES_WALL, "/plans/{run}/warroom"),
    get("/plans/<int:run_id>/warroom", SEES_OTHER_WALL, "/plans/{other run}/warroom"),
    get("/figures", PAGE),
    get("/plans/<int:run_id>/diagram.bpmn", SEES, "/plans/{run}/diagram.bpmn"),
    get("/plans/<int:run_id>/diagram.bpmn", SEES_OTHER_RUN, "/plans/{other run}/diagram.bpmn"),
    get("/plans/<int:run_id>/lights.json", SEES, "/plans/{run}/lights.json"),
    get("/plans/<int:run_id>/lights.json", SEES_OTHER_RUN, "/plans/{other run}/lights.json"),
    # ------------------------------------------------ 方案编制: the coordinators of the plan's office alone
    get("/plans/studio", WRITES),
    get("/plans/studio/new", WRITES),
    form("/plans/studio/new", BEGINS, office="jiuye-lingdao", **COVER),
    get("/plans/studio/<int:draft_id>", OWN_DRAFT, "/plans/studio/{draft}"),
    get("/plans/studio/<int:draft_id>/draft.bpmn", OWN_DRAFT, "/plans/studio/{draft}/draft.bpmn"),
    get("/plans/studio/<int:draft_id>/draft.json", OWN_DRAFT, "/plans/studio/{draft}/draft.json"),
    get("/plans/studio/<int:draft_id>/units", OWN_DRAFT, "/plans/studio/{draft}/units?words=srsj"),
    get("/plans/studio/<int:draft_id>/figures", OWN_DRAFT, "/plans/studio/{draft}/figures?words=gw"),
    get("/plans/studio/<int:draft_id>/explain", OWN_DRAFT, "/plans/studio/{draft}/explain?element=cadence"),
    Row(
        "POST",
        "/plans/studio/<int:draft_id>/save",
        OWN_DRAFT_SAVED,
        "/plans/studio/{draft}/save?revision=2",
        body="draft's diagram",
    ),
    Row(
        "POST",
        "/plans/studio/<int:draft_id>/check",
        OWN_DRAFT,
        "/plans/studio/{draft}/check",
        body="draft's diagram",
    ),
    Row("POST", "/plans/studio/restore", DRAFTED_ALREADY, "/plans/studio/restore", body="draft's diagram"),
    form("/plans/studio/load", DRAFTED_ALREADY),
    get("/plans/studio/<int:draft_id>/publish", OWN_DRAFT, "/plans/studio/{draft}/publish"),
    form(
        "/plans/studio/<int:draft_id>/publish",
        OWN_DRAFT_TAKEN,
        "/plans/studio/{draft}/publish",
        revision="2",
        ground="纪要",
    ),
    form("/plans/studio/<int:draft_id>/discard", OWN_DRAFT_TAKEN, "/plans/studio/{draft}/discard", revision="2"),
    get("/plans/studio/versions/<int:version_id>", OWN_DRAFT, "/plans/studio/versions/{version}"),
    get(
        "/plans/studio/versions/<int:version_id>/diagram.bpmn",
        OWN_DRAFT,
        "/plans/studio/versions/{version}/diagram.bpmn",
    ),
    form(
        "/plans/studio/versions/<int:version_id>/revise",
        OWN_DRAFT_TAKEN,
        "/plans/studio/versions/{spare version}/revise",
    ),
    form(
        "/plans/studio/versions/<int:version_id>/start", OWN_DRAFT_TAKEN, "/plans/studio/versions/{spare version}/start"
    ),
    form("/plans/studio/versions/<int:version_id>/start", RUNS_ALREADY, "/plans/studio/versions/{version}/start"),
    # ------------------------------------------------ the machinery: nothing about people or items
    get("/healthz", OPEN_PAGE),
    get("/healthz/live", OPEN_PAGE),
    get("/healthz/ready", OPEN_PAGE),
    get("/metrics", OPEN_PAGE),
)
# These exist in the demonstration only, where everybody may see everybody's mails.
DEMO_TABLE = (
    get("/demo/clock", PAGE),
    form("/demo/clock", TAKEN, to="day"),
    form("/demo/enter", OPEN_FORM, account="jiaoyu"),
    get("/demo/mail", PAGE),
    get("/demo/mail/<int:number>", PAGE, "/demo/mail/1"),
    get("/demo/mail/<int:number>/html", PAGE, "/demo/mail/1/html"),
)
GETS = [row for row in (*TABLE, *DEMO_TABLE) if row.method == "GET"]


# ---------------------------------------------------------------- the world
@dataclass(frozen=True)
class World:
    """A built database, the browsers' tokens of every visitor, and what stands in braces."""

    file: Path
    mail: Path
    names: dict[str, str]
    tokens: dict[tuple[str, str], str]


PASSWORD = "old-enough-to-be-changed"


def seats(place: str) -> Iterator[tuple[str, str, str]]:
    """(letter, unit, role) of a place."""
    for letter, role in ROLES.items():
        yield letter, PLACES[place].get(letter, PLACES[place][""]), role


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("routes")
    file = folder / "built.sqlite3"
    url = f"sqlite:///{file}"
    upgrade(url)
    db = Database(url, StoredClock())
    run_id = campaign.begin(db)
    hashed = hashing.hashed(PASSWORD)
    people: dict[str, int] = {}
    tokens: dict[tuple[str, str], str] = {}
    with db.write() as tx:
        register_units(tx, ELSEWHERE)

        def add(login: str, *posts: tuple[str, str]) -> int:
            people[login] = register_person(
                tx, login=login, name=login, email=f"{login}@x.example", password_hash=hashed
            )
            for unit_key, role in posts:
                take_post(tx, people[login], unit_key, role)
            return people[login]

        for login in LOOKERS:
            known = one(tx.connection, select(person.c.id).where(person.c.login == login))
            tokens["levels", login] = sessions.begin(tx, known, Lifetime(12, 600), Origin())
        for place in PLACES:
            for letter, unit_key, role in seats(place):
                visitor = add(f"{place}-{letter}", (unit_key, role))
                tokens[place, letter] = sessions.begin(tx, visitor, Lifetime(12, 600), Origin())
        gone = add("nopost", ("renshe", "liaison"))
        tokens["nopost", ""] = sessions.begin(tx, gone, Lifetime(12, 600), Origin())
        add("in-both", ("jiaoyu", "head"), ("xs-renshe", "head"))
        add("inactive", ("jiaoyu", "head"))
        add("locked", ("jiaoyu", "head"))
    with db.write() as tx:
        leave_post(tx, one(tx.connection, select(post.c.id).where(post.c.person_id == people["nopost"])))
        tx.connection.execute(person.update().where(person.c.login == "inactive").values(active=False))
        jiaoyu = one(tx.connection, select(person.c.id).where(person.c.login == "jiaoyu"))
        sessions.begin(tx, jiaoyu, Lifetime(12, 600), Origin())
        for _ in range(5):
            accounts.try_to_enter(tx, "locked", Origin("192.0.2.1"))
        reset = resets.offer(tx, jiaoyu)
        other_run = opening.start_run(tx, opening.publish(tx, write_plan(other_plan())))
        spare = opening.publish(tx, write_plan(spare_plan()))
    advance_to(db, NOW)
    names = (
        act(db, run_id)
        | handed_down(db, run_id)
        | cases(db)
        | {
            "run": str(run_id),
            "other run": str(other_run),
            "person jiaoyu": str(jiaoyu),
            "reset": reset,
            **drafted(db),
            "spare version": str(spare),
            "password": PASSWORD,
            **{f"person {name}": str(people[name]) for name in ("in-both", "inactive", "locked")},
            "person of foreign": str(people["foreign-L"]),
        }
    )
    with db.read() as connection:
        found = select(assignment.c.id, assignment.c.item_id).where(assignment.c.run_id == other_run)
        with_jiwei = select(assignment.c.item_id).where(assignment.c.unit == "jiwei")
        beside = found.where(assignment.c.unit != "jiwei", assignment.c.item_id.in_(with_jiwei))
        theirs = connection.execute(beside).first()
        assert theirs is not None
        names |= {"share of other run": str(theirs.id), "item of other run": str(theirs.item_id)}
        names["figure"] = str(one(connection, select(indicator.c.id).where(indicator.c.item_id == int(names["item"]))))
        held = select(login_session.c.id).where(login_session.c.person_id == jiaoyu)
        names["session of jiaoyu"] = str(one(connection, held))
        for name, who in (("post of jiaoyu", jiaoyu), ("post of foreign", people["foreign-L"])):
            names[name] = str(one(connection, select(post.c.id).where(post.c.person_id == who)))
    db.close()
    mail = folder / "mail"
    Mailbox(mail).keep(b"From: a@x.example\r\nTo: b@x.example\r\nSubject: x\r\n\r\nx\r\n")
    return World(file, mail, names, tokens)


def one_person(db: Database, login: str) -> int:
    with db.read() as connection:
        return int(one(connection, select(person.c.id).where(person.c.login == login)))


def files_of(db: Database) -> Path:
    """The folder of a database's files, beside it."""
    return Path(str(make_url(db.url).database)).with_suffix(".files")


def one(connection: Any, query: Any) -> Any:
    return connection.execute(query).scalars().first()


def other_plan() -> Any:
    """A plan of another office and other units."""
    units = [u for u in KNOWN.units if u.key in ("jiwei", "shuju", "fagai", "minzheng")]
    plan = generated(6, START + timedelta(days=1), units=units)
    return replace(plan, facts=replace(plan.facts, office=KNOWN.unit("jiwei").name))


def spare_plan() -> Any:
    """A plan of the own office that was published and never started."""
    plan = generated(2, START + timedelta(days=1), units=[KNOWN.unit("jiwei"), KNOWN.unit("shuju")])
    office = KNOWN.unit("jiuye-lingdao").name
    return replace(plan, facts=replace(plan.facts, key="spare", office=office))


def drafted(db: Database) -> dict[str, str]:
    """A draft of the next version of 百日攻坚, saved once."""
    with db.read() as connection:
        version = one(connection, select(plan_version.c.id).where(plan_version.c.plan == campaign.PLAN))
        writer = actor_of(connection, one(connection, select(person.c.id).where(person.c.login == "own-C")))
    assert writer is not None
    draft = perform(db, writer, drafting.revise, version)
    xml = plan_xml(campaign.PLAN).replace("募集就业见习岗位不少于".encode(), "募集见习岗位不少于".encode())
    perform(db, writer, drafting.save, draft, 1, xml)
    return {"draft": str(draft), "version": str(version), "draft's diagram": plan_xml(campaign.PLAN).decode()}


def cases(db: Database) -> dict[str, str]:
    """A case just registered, and one that was proposed."""
    with db.read() as connection:
        office = actor_of(connection, one(connection, select(person.c.id).where(person.c.login == "own-C")))
    assert office is not None
    made = [
        perform(db, office, register, "instruction", office="jiuye-lingdao", title=title, values=CASE)
        for title in ("摸清底数", "按月报告")
    ]
    given: dict[str, Any] = {"outcome": "file", "leads": "市人社局", "days": 5, "opinion": "建议立项"}
    perform(db, office, propose, IntakeRef(made[1], "propose", 1), **given)
    return {"case": str(made[0]), "case to decide": str(made[1])}


def handed_down(db: Database, run_id: int) -> dict[str, str]:
    """Item 26 of 大冶市 in two towns, one of which has signed for it and reported with a file."""
    made = Office(db, run_id)
    made.acknowledge("daye")
    made.split("daye", "26", date(2025, 8, 15), ["daye-jinhu", "daye-chengui"])
    made.acknowledge("daye-jinhu")
    with db.read() as connection:
        part, whole = (made._share(connection, unit, "26") for unit in ("daye-jinhu", "daye"))
    store, source = Store(files_of(db)), BytesIO(samples.pdf())
    waiting = uploads.take(
        db, store, Settings(demo=True).limits, made.holder("daye-jinhu", "liaison"), f"report-{part.id}",
        name="名单.pdf", source=source,
    )  # fmt: skip
    made.report("daye-jinhu", "26", "走访企业十家。", files=[waiting.id])
    return {
        "part": str(part.id),
        "whole": str(whole.id),
        "item of part": str(part.item_id),
        "part file": str(waiting.id),
    }


def act(db: Database, run_id: int) -> dict[str, str]:
    """Shares of renshe in three states: not signed for, signed for, waiting for the deputy head."""
    names = {}
    with db.read() as connection:
        for name, no in (("share", "11"), ("signed share", "27"), ("share to sign", "17"), ("asking share", "7")):
            found = select(assignment.c.id, assignment.c.item_id).join(item, item.c.id == assignment.c.item_id)
            row = connection.execute(
                found.where(item.c.run_id == run_id, item.c.no == no, assignment.c.unit == "renshe")
            ).one()
            names[name] = str(row.id)
            if name in ("share", "share to sign"):
                names[name.replace("share", "item")] = str(row.item_id)
        owed = select(share.c.id).join(round_, round_.c.id == share.c.round_id)
        names["round"] = str(one(connection, owed.where(share.c.unit == "renshe", share.c.state == "owed")))
        liaison = one(connection, select(person.c.id).where(person.c.login == "renshe"))
        actor = actor_of(connection, liaison)
    assert actor is not None
    store = Store(files_of(db))
    settings = Settings(demo=True)
    for name, who in (("file", liaison), ("upload", one_person(db, "own-L"))):
        form, source = f"report-{names['signed share']}", BytesIO(samples.pdf())
        waiting = uploads.take(db, store, settings.limits, who, form, name="情况说明.pdf", source=source)
        names[name] = str(waiting.id)
    for name in ("signed share", "share to sign", "asking share"):
        perform(db, actor, acknowledge, TodoRef(int(names[name]), "acknowledge", 1))
    perform(db, actor, submit, TodoRef(int(names["share to sign"]), "work", 1), Entry(), summary="已完成")
    perform(db, actor, extend, int(names["asking share"]), until=date(2025, 12, 31), reason="台风", progress="过半")
    perform(db, actor, report, int(names["signed share"]), Entry(progress="已推进", files=[int(names["file"])]))
    with db.read() as connection:
        told = select(event.c.stream, event.c.seq).where(event.c.kind == "assignment.submitted")
        record = connection.execute(told).one()
        applying = actor_of(connection, one(connection, select(person.c.id).where(person.c.login == "own-A")))
        deputy = one(connection, select(person.c.id).where(person.c.login == "jiaoyu-fenguan"))
    assert applying is not None
    names["record"], names["cleared item"] = str(record.seq), record.stream.removeprefix("item:")
    application = perform(db, applying, apply_for_name, deputy, ground="本人依法申请")
    with db.read() as connection:
        sharing = actor_of(connection, one(connection, select(person.c.id).where(person.c.login == "own-L")))
    assert sharing is not None
    names["view"] = str(perform(db, sharing, views.keep, "红黄灯", Filters(light="warn"), "renshe", as_default=False))
    return names | {"clearing": str(application), **handed_over(db)}


def handed_over(db: Database) -> dict[str, str]:
    """A post that may be handed over, and one that was and is not received yet."""
    with db.read() as connection:
        own = actor_of(connection, one(connection, select(person.c.id).where(person.c.login == "own-L")))
        signer = actor_of(connection, one(connection, select(person.c.id).where(person.c.login == "renshe-fenguan")))
    assert own is not None and signer is not None
    left = signer.desk("renshe", "deputy_head")
    assert left is not None
    new = {"name": "", "email": "", "note": "在办事项见台账。", "password_hash": "-"}
    perform(db, signer, hand_over, left.post_id, login="own-D", **new)
    return {"own post": str(own.desks[0].post_id), "handover": "1", "change": str(planned(db))}


def planned(db: Database) -> int:
    """A change of a unit that takes effect on a day to come."""
    with db.read() as connection:
        decides = actor_of(connection, one(connection, select(person.c.id).where(person.c.login == "own-A")))
    assert decides is not None
    change = Change("rename", name="黄石市纪检监察机关", short="市纪检监察机关", day=date(2025, 12, 1))
    return perform(db, decides, reorganise, "jiwei", change, ground="机构改革方案")[0]


class Deployment:
    """The pages on a copy of the built database, and an eye on whether it is written to."""

    def __init__(self, world: World, folder: Path, *, demo: bool = True) -> None:
        self.world, self.folder, self.copies = world, folder, 0
        self.demo = demo
        self.renew()

    def renew(self) -> None:
        """An unwritten copy."""
        self.close()
        self.copies += 1
        file = self.folder / f"{self.copies}.sqlite3"
        shutil.copy(self.world.file, file)
        self.db = Database(f"sqlite:///{file}", StoredClock())
        shutil.copytree(self.world.file.with_suffix(".files"), files_of(self.db))
        with self.db.write() as tx:
            tx.connection.execute(update(heartbeat).values(beat_at=wall_now()))
        settings = Settings(
            demo=self.demo,
            secret_key=SecretStr("s" * 40),
            database_url=self.db.url,
            demo_mail=str(self.world.mail),
            files=str(files_of(self.db)),
        )
        self.app: Flask = create_app(settings, self.db)
        self.app.config["WTF_CSRF_ENABLED"] = False
        self.eye = sqlite3.connect(file)

    def close(self) -> None:
        if self.copies:
            self.eye.close()
            self.db.close()
            (self.folder / f"{self.copies}.sqlite3").unlink()
            shutil.rmtree(files_of(self.db))

    def client(self, visitor: tuple[str, str]) -> FlaskClient:
        client = self.app.test_client()
        if visitor in self.world.tokens:
            client.set_cookie("duban", self.world.tokens[visitor])
        return client

    def version(self) -> int:
        """Changes with every commit that wrote something."""
        return int(self.eye.execute("PRAGMA data_version").fetchone()[0])

    def put(self, words: str) -> str:
        """Names in braces, looked up."""
        return re.sub(r"\{(.+?)\}", lambda found: self.world.names[found[1]], words)

    def ask(self, row: Row, visitor: tuple[str, str], method: str = "") -> TestResponse:
        fields = {self.put(name): self.put(value) for name, value in row.fields.items()}
        data = self.world.names[row.body] if row.body else fields if row.method == "POST" else None
        return self.client(visitor).open(
            self.put(row.at or row.rule),
            method=method or row.method,
            data=data,
            headers=row.headers,
            buffered=True,
        )


@pytest.fixture
def deployed(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    monkeypatch.setattr(sessions, "TOUCH_AFTER", timedelta(hours=9))  # being looked at is not what is tested here
    deployment = Deployment(world, tmp_path)
    yield deployment
    deployment.close()


# ---------------------------------------------------------------- the tests
def met(answer: TestResponse, wrote: bool) -> str:
    """What was answered, in the words of the table."""
    to_login = answer.status_code in (302, 303) and re.match(r"/login(\?next=|$)", answer.headers.get("Location", ""))
    if to_login and not wrote:
        return "login"
    taken = answer.status_code in (302, 303)
    status = "302" if taken else str(answer.status_code)
    return status + ("-" if taken and not wrote else "+" if wrote and not taken else "")


def as_said(row: Row, said: str) -> str:
    """A page that leads on writes nothing, so for GET 302 says so without a sign."""
    return f"{said}-" if row.method == "GET" and said == "302" else said


@pytest.mark.parametrize("row", (*TABLE, *DEMO_TABLE), ids=str)
def test_everybody_gets_what_the_table_says(deployed: Deployment, row: Row) -> None:
    wrong = {}
    for visitor in VISITORS:
        before = deployed.version()
        answer = deployed.ask(row, visitor)
        wrote = deployed.version() != before
        expected, got = as_said(row, row.who.expected(*visitor)), met(answer, wrote)
        if got != expected:
            wrong["-".join(visitor)] = f"{got}, not {expected}"
        if wrote:
            deployed.renew()
    assert wrong == {}


# What 大冶市 has handed down to two towns of item 26: who looks at one part, and what each is answered.
IN_IT = ("daye", "daye-jinhu", "daye-chengui", "yangxin", "zhuanban", "lingdao", "guanli", "ducha", "daye-ducha")
SEE_PARTS = ("daye", "daye-fenguan", "daye-jinhu", "ducha", "daye-ducha")
LOOKERS = (*IN_IT, "daye-fenguan", "jiaoyu", "yangxin-fenguan")


@dataclass(frozen=True)
class PartRow:
    """A route on a part: `may` does it, `told` is told why not (409); to all others there is nothing."""

    row: Row
    may: tuple[str, ...]
    told: tuple[str, ...]
    answer: str = "302"


def part_row(row: Row, *may: str, told: tuple[str, ...] = SEE_PARTS, answer: str = "302") -> PartRow:
    return PartRow(row, may, told, answer)


WHOLE_TOLD = (*IN_IT, "daye-fenguan", "yangxin-fenguan")
PART_TABLE = (
    part_row(get("/assignments/<int:assignment_id>/time", PAGE, "/assignments/{part}/time"), *SEE_PARTS, answer="200"),
    part_row(get("/files/<int:attachment_id>", PAGE, "/files/{part file}"), *SEE_PARTS, answer="200"),
    part_row(
        form("/assignments/<int:assignment_id>/report", PAGE, "/assignments/{part}/report", progress="已对接"),
        "daye-jinhu",
    ),
    part_row(form("verb", PAGE, "/assignments/{part}/verbs/terminate", ground="议定"), "daye"),
    part_row(form("verb", PAGE, "/assignments/{part}/verbs/suspend", ground="防汛"), "daye"),
    part_row(
        form("verb", PAGE, "/assignments/{part}/verbs/copy", to="zhengfuban inspector"), "daye", "ducha", "daye-ducha"
    ),
    part_row(form("verb", PAGE, "/assignments/{part}/verbs/extend", until="2025-08-20", **EXTEND), "daye-jinhu"),
    part_row(
        form("verb", PAGE, "/assignments/{whole}/verbs/split", **{"unit-1": "保安镇", "unit-2": ""}),
        "daye",
        told=WHOLE_TOLD,
    ),
    part_row(
        form("urge", PAGE, "/items/{item of part}/urge", assignments="{part}", **URGE),
        "daye",
        "ducha",
        "daye-ducha",
    ),
)


@pytest.mark.parametrize("row", PART_TABLE, ids=lambda row: str(row.row))
def test_what_was_handed_down_is_for_its_unit_those_above_and_the_inspectors(
    deployed: Deployment, row: PartRow
) -> None:
    wrong = {}
    for login in LOOKERS:
        answer = deployed.ask(row.row, ("levels", login))
        got = met(answer, False).rstrip("-")
        expected = row.answer if login in row.may else "409" if login in row.told else "404"
        if got != expected:
            wrong[login] = f"{got}, not {expected}"
        if row.row.method == "POST":
            deployed.renew()
    assert wrong == {}


def test_the_page_of_an_item_names_parts_to_those_alone_who_see_them(deployed: Deployment) -> None:
    for login in LOOKERS:
        answer = deployed.client(("levels", login)).get(deployed.put("/items/{item of part}"))
        page = answer.get_data(as_text=True)
        if login in ("jiaoyu",):
            assert answer.status_code == 404
            continue
        assert ("陈贵镇" in page) is ((login in SEE_PARTS and login != "daye-jinhu") or login == "daye-chengui"), login
        assert ("金湖街道" in page) is (login in SEE_PARTS), login
        assert ("走访企业十家" in page) is (login in SEE_PARTS), login
        assert "家单位中 0 家已完成" in page
        listed = deployed.client(("levels", login)).get("/ledger?size=100&unit=金湖街道").get_data(as_text=True)
        assert shown(listed) == set(), login


@pytest.mark.parametrize("row", GETS, ids=str)
def test_other_methods_tell_nothing_more_and_write_nothing(deployed: Deployment, row: Row) -> None:
    before = deployed.version()
    for visitor in (("own", "L"), ("other", "L"), ("foreign", "A"), ("nopost", ""), ("nobody", "")):
        shown, head = deployed.ask(row, visitor), deployed.ask(row, visitor, "HEAD")
        assert (head.status_code, head.data) == (shown.status_code, b"")
        assert deployed.ask(row, visitor, "OPTIONS").data == b""
        with_rows = {other.method for other in TABLE if other.rule == row.rule}
        for method in {"PUT", "PATCH", "DELETE"} - with_rows:
            assert deployed.ask(row, visitor, method).status_code == 405
    assert deployed.version() == before


def routes(app: Flask) -> set[tuple[str, str]]:
    def methods(rule: Rule) -> set[str]:
        return (rule.methods or set()) - {"HEAD", "OPTIONS"}

    return {(method, rule.rule) for rule in app.url_map.iter_rules() for method in methods(rule)}


def test_every_route_has_a_row(deployed: Deployment) -> None:
    rows = {(row.method, row.rule) for row in (*TABLE, *DEMO_TABLE)}
    assert routes(deployed.app) == rows


def test_routes_of_the_demonstration_exist_nowhere_else(world: World, tmp_path: Path) -> None:
    deployment = Deployment(world, tmp_path, demo=False)
    assert routes(deployment.app) == {(row.method, row.rule) for row in TABLE}
    for row in DEMO_TABLE:
        for visitor in (("own", "A"), ("own", "L"), ("nobody", "")):
            assert deployment.ask(row, visitor).status_code == 404
    deployment.close()


# ---------------------------------------------------------------- lists: nothing that widens
def may_see(db: Database, world: World, visitor: tuple[str, str]) -> set[int]:
    """The items a visitor may know of, said once more in plain words."""
    place, letter = visitor
    with db.read() as connection:
        shares = select(item.c.id.label("item_id"), item.c.run_id, assignment.c.unit)
        rows = connection.execute(shares.outerjoin(assignment, assignment.c.item_id == item.c.id)).all()
    other = int(world.names["other run"])
    if place not in ("own", "other"):
        return set()
    if letter in "IEA":
        return {r.item_id for r in rows}
    if letter == "C":
        return {r.item_id for r in rows if (r.run_id == other) == (place == "other")}  # its own run, and its register
    units = {"renshe", "jiuye-lingdao"} if place == "own" else {"jiwei"}
    return {r.item_id for r in rows if r.unit in units}


def shown(page: str) -> set[int]:
    return {int(n) for n in re.findall(r'href="/items/(\d+)', page)}


@pytest.mark.parametrize("visitor", VISITORS[:-1], ids="-".join)
def test_no_parameter_widens_a_list(deployed: Deployment, world: World, visitor: tuple[str, str]) -> None:
    client, allowed = deployed.client(visitor), may_see(deployed.db, world, visitor)
    listed = client.get("/ledger?size=100").get_data(as_text=True)
    assert shown(listed) == allowed
    asked = [f"run={world.names[n]}" for n in ("run", "other run")]
    asked += [f"unit={u}" for u in ("市教育局", "keji", "%25", "_", "xs-renshe")]
    asked += ["words=%25", "words=_", "role=lead", "light=grey", "state=pending", "due=none", "heading=h0", "page=2"]
    asked += ["sort=;", "run=0", "run=-1", "run=1%20or%201=1", "size=100000", "unit[]=x", "actor=1", "person=1"]
    for query in asked:
        answer = client.get(f"/ledger?size=100&{query}")
        assert answer.status_code == 200
        assert shown(answer.get_data(as_text=True)) <= allowed, query
    sees_cases = visitor[0] in ("own", "other") and visitor[1] in (*"IEA", *("C" if visitor[0] == "own" else ""))
    for query in ("", "?state=proposing", "?leader=%25", "?late=0", "?kind=instruction", "?page=0"):
        listed = client.get(f"/intakes{query}").get_data(as_text=True)
        assert f'href="/intakes/{world.names["case"]}"' in listed or not sees_cases or "leader" in query, query
        assert sees_cases or f'href="/intakes/{world.names["case"]}"' not in listed, query
    for path in ("/inbox", "/rounds", "/plans", "/figures", "/plans/1/warroom"):
        for query in ("", "?unit=jiaoyu", "?run=1", "?person=1", "?post=1"):
            assert shown(client.get(path + query).get_data(as_text=True)) <= allowed, path + query


@pytest.mark.parametrize("visitor", VISITORS[:-1], ids="-".join)
def test_drawings_and_lights_show_no_other_item(deployed: Deployment, world: World, visitor: tuple[str, str]) -> None:
    client, allowed = deployed.client(visitor), may_see(deployed.db, world, visitor)
    with deployed.db.read() as connection:
        titles = {r.id: r.title for r in connection.execute(select(item.c.id, item.c.title, item.c.run_id))}
    hidden = {title for n, title in titles.items() if n not in allowed} - {titles[n] for n in allowed}
    for run_id in (world.names["run"], world.names["other run"]):
        lights = client.get(f"/plans/{run_id}/lights.json")
        if lights.status_code == 200:
            assert {
                int(lit["href"].split("/")[-1]) for lit in json.loads(lights.data).values() if "href" in lit
            } <= allowed
        drawn = client.get(f"/plans/{run_id}/diagram.bpmn").get_data(as_text=True)
        pages = [client.get(f"/plans/{run_id}{part}").get_data(as_text=True) for part in ("", "/warroom")]
        assert [t for t in hidden if any(t in page for page in (drawn, *pages))] == []


@pytest.mark.parametrize("visitor", [("own", "A"), ("own", "I"), ("foreign", "A"), ("foreign", "I")], ids="-".join)
def test_accounts_and_logs_stay_in_their_jurisdiction(deployed: Deployment, visitor: tuple[str, str]) -> None:
    client, place = deployed.client(visitor), visitor[0]
    hidden = {"own": "foreign-", "foreign": "own-"}[place]
    for path in ("/people", "/logs/logins", "/logs/decisions"):
        for query in ("", "?words=-L", "?page=2", "?shown=no-post", "?words=%25", "?unit=xs-renshe"):
            page = client.get(path + query).get_data(as_text=True)
            assert hidden not in page, path + query
    assert ("任职" in client.get("/logs/decisions").get_data(as_text=True)) is True
