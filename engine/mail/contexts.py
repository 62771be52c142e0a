"""What a mail is rendered from: plain JSON values, for they lie in the outbox until the mail goes out.

A mail says no more than the number of todos and the titles its plan allows. So a context holds no reasons, no progress
and no words of 催办; and where `titles` is false nothing but counts is printed, whatever `lines` holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict, get_args

Kind = Literal["digest", "handed", "request", "returned", "urged", "applied", "told", "vacant", "weekly"]
# About the account of its reader, not about items: no notice stands behind such a mail.
AccountKind = Literal["reset", "locked", "changed", "handed_over", "taken_over", "deputising", "address", "corrected"]
LINKS = ("reset", "address")  # whose link is a secret that runs out
ACCOUNT_KINDS: tuple[str, ...] = get_args(AccountKind)

KIND_NAMES: dict[str, str] = {
    "digest": "每日汇总",
    "handed": "交办",
    "request": "期次报送",
    "returned": "退回补正",
    "urged": "催办",
    "applied": "申请待审批",
    "told": "办理情况",
    "vacant": "岗位空缺",
    "weekly": "每周情况",
    "reset": "重设密码",
    "locked": "账号锁定",
    "changed": "密码变更",
    "handed_over": "岗位交接",
    "taken_over": "岗位接收",
    "deputising": "岗位代理",
    "address": "确认邮箱",
    "corrected": "账号资料更正",
}


class Line(TypedDict):
    """One item as a line of a mail. `shape` and `colour` are those of its light; `note` and `due` may be empty."""

    word: str  # 逾期 2 个工作日, 待签收
    shape: str  # ◆ ▲ ● ○ ☑
    colour: str  # red, yellow, green, grey, blue
    title: str
    plan: str  # the plan's short title
    due: str  # 07-15, 07-18 17:00
    note: str  # whose share it is, where the reader is not of that unit
    path: NotRequired[str]  # the page that answers this line: /items/20


class Turn(TypedDict):
    """The round that is asked for: 周调度, 8."""

    name: str
    n: int


class Context(TypedDict):
    """One mail to one person on one day."""

    day: str  # the business day, ISO: 2025-07-17
    count: int  # open todos of the person; 0 for somebody who is only kept informed
    overdue: int  # how many of them are late
    copied: bool  # sent for information: the tasks are other people's to do
    told: int  # how many items this mail is about, at least 1
    titles: bool  # every plan in it lets titles out
    lines: list[Line]
    round: Turn | None  # in a request
    link: str  # path of the page the button opens: /inbox
    base_url: str  # http://127.0.0.1:8000
    asked: NotRequired[bool]  # in a mail of kind vacant: nobody answers for the post, its reader is asked
    act: NotRequired[str]  # in a mail of kind told: what was decided, 延期申请已同意
    post: NotRequired[str]  # 市人社局 联络员: mails address posts, never people
    place: NotRequired[str]  # 黄石市


class PlanWeek(TypedDict):
    """What a week brought in one plan; `plan` is empty for the plans whose mails only count, which stand together."""

    plan: str  # the plan's short title
    heading: str  # over its lines: 上周办结的任务
    closed: int  # items closed in the week
    late: int  # items that are late now
    waiting: int  # items that wait for the coordinator's review
    done: int  # items closed so far
    total: int  # items of the plan
    lines: list[Line]  # titles of what was closed; of what is late only in a mail system of the house
    left_out: int  # how many more there are


class SealHead(TypedDict):
    """The last seal when the mail was made: what `duban verify --head` compares with."""

    ordinal: int
    hash: str
    at: str  # 2025-07-14 09:00


class Weekly(TypedDict):
    """The coordinator's mail of the week, kind `weekly`."""

    day: str  # the business day, ISO
    since: str  # the week it is about, Monday and Sunday, ISO
    until: str
    told: int  # how many plans this mail is about, at least 1
    plans: list[PlanWeek]
    titles: bool  # what may be named was decided plan by plan
    lines: list[Line]  # none outside of `plans`
    seal: SealHead | None
    link: str
    base_url: str
    post: NotRequired[str]
    place: NotRequired[str]


class AccountContext(TypedDict):
    """One mail to one person about the account: no name, no unit, no task."""

    day: str  # the business day, ISO
    link: str  # in a mail of kind reset the path holds the token
    base_url: str
    until: NotRequired[str]  # ISO: a lock-out or a link ends then
    closed: NotRequired[str]  # of who has handed over: the account is closed
    new: NotRequired[str]  # of who takes over: the account has just been made


def is_stale(kind: str, context: Mapping[str, Any], now: datetime) -> bool:
    """Whether a mail has nothing to offer any more: the link in it has run out while the mail server was down."""
    return kind in LINKS and datetime.fromisoformat(context["until"]) <= now


def without_secret(kind: str, context: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the outbox keeps of a mail that has gone out: of a link that opens something only where it led."""
    return {**context, "link": context["link"].partition("?")[0]} if kind in LINKS else context
