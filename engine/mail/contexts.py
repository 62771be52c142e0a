"""What a mail is rendered from: plain JSON values, for they lie in the outbox until the mail goes out.

A mail says no more than the number of todos and the titles its plan allows. So a context holds no reasons, no progress
and no words of 催办, and `lines` only holds items whose plan says `mail="titles"`; `count` counts all of them.
"""

from __future__ import annotations

from typing import Literal, TypedDict

Kind = Literal["digest", "handed", "request", "returned", "urged"]
Colour = Literal["red", "yellow", "green", "grey", "blue"]

KIND_NAMES: dict[Kind, str] = {
    "digest": "每日汇总",
    "handed": "交办",
    "request": "期次报送",
    "returned": "退回补正",
    "urged": "催办",
}


class Recipient(TypedDict):
    """The post that is written to: 市人社局 联络员, never a person's name."""

    post: str


class Line(TypedDict):
    """One item as a line of a mail; every text may be empty except `word` and `title`."""

    colour: Colour
    word: str  # what the light or the todo says: 逾期, 临期, 待签收
    title: str
    plan: str  # the plan's short title
    note: str  # what is to be done: 退回补正, 待审核
    due: str  # 07-15, 明天 17:00
    left: str  # 逾期 2 个工作日, 剩 3 个工作日
    path: str  # of the page that answers it: /items/20


class Common(TypedDict):
    """What every mail needs."""

    person: Recipient
    day: str  # the business day, ISO: 2025-07-17
    jurisdiction: str  # 黄石市
    base_url: str  # http://127.0.0.1:8000
    link: str  # path of the page the button opens: /inbox
    titles: bool  # the plan lets titles out
    count: int  # how many todos the mail is about, never 0 (a digest may have copies instead)
    lines: list[Line]


class DigestContext(Common):
    """每日汇总: `count` open todos. `copies` are items of others, five working days late."""

    overdue: int
    copied: int  # how many copies there are; `copies` holds those whose plan lets titles out
    copies: list[Line]


class RequestContext(Common):
    """期次报送通知: `count` is the number of items asked for."""

    round: str  # 周调度第8期
    plan: str  # the plan's full title
    due: str  # 07-18 周五 17:00


Context = Common | DigestContext | RequestContext
