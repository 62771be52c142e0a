"""What a mail is rendered from: plain JSON values, for they lie in the outbox until the mail goes out.

A mail says no more than the number of todos and the titles its plan allows. So a context holds no reasons, no progress
and no words of 催办; and where `titles` is false nothing but counts is printed, whatever `lines` holds.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

Kind = Literal["digest", "handed", "request", "returned", "urged"]

KIND_NAMES: dict[str, str] = {
    "digest": "每日汇总",
    "handed": "交办",
    "request": "期次报送",
    "returned": "退回补正",
    "urged": "催办",
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
    post: NotRequired[str]  # 市人社局 联络员: mails address posts, never people
    place: NotRequired[str]  # 黄石市
