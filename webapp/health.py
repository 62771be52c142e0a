"""/healthz: whether this deployment does its work, for load balancers and whoever watches. No log-in, nothing personal.

    /healthz/live   this process answers; asks nothing else
    /healthz/ready  the database answers and has the shape of this release: requests can be served
    /healthz        the same, and the schedulers tick, trust the clock, get everything done that is due, mail goes out

200 when all is well, else 503; the JSON names each check.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from flask import Blueprint, jsonify
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from ledger.calendar import SHANGHAI
from ledger.clock import wall_now
from ledger.migrating import head, revision_of
from ledger.queries.operations import Standing, standing
from webapp import context

SILENT_AFTER = timedelta(minutes=5)  # a scheduler ticks every few seconds
LATE_AFTER = timedelta(minutes=5)  # what is due is done by the next tick, unless it fails
STUCK_AFTER = timedelta(minutes=30)  # longer than the first two pauses between attempts

bp = Blueprint("health", __name__, url_prefix="/healthz")

_head = cache(head)  # of the code that runs, which does not change


@dataclass(frozen=True)
class Fault:
    """Something of the machinery stands still: which check it fails, what it means for everybody, and what those who
    can mend it do."""

    check: str
    says: str
    mend: str


def faults_of(found: Standing, wall: datetime, *, sends_mail: bool) -> list[Fault]:
    """What stands still. Without a mail server the outbox fills, and that is no fault."""
    faults = []
    if found.ticked_at is None:
        faults.append(Fault("tick", "定时服务还没有运行过，提醒和期次不会发出。", "请启动 duban scheduler。"))
    elif (quiet := abs(wall - found.ticked_at)) > SILENT_AFTER:
        faults.append(
            Fault(
                "tick",
                f"定时服务已 {_minutes(quiet)} 分钟没有动静，提醒可能迟到。",
                "请检查 duban scheduler 和服务器时钟。",
            )
        )
    elif found.refused_at is not None:
        faults.append(
            Fault(
                "clock",
                f"服务器时钟跳到了 {found.refused_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}，与已过的时间不符："
                "到期的事暂停办理，提交的内容暂不接收；管理员拨正时钟后自动恢复，不漏不重。",
                "若现在的时钟是对的，请运行 duban scheduler --clock-is-right。",
            )
        )
    elif found.lag > LATE_AFTER:
        faults.append(
            Fault(
                "due",
                f"定时服务在运行，但有 {found.due_passed} 件到期的事没有办成，最早的已迟 {_minutes(found.lag)} 分钟，"
                "提醒和期次可能迟到。",
                "请查看 duban scheduler 的日志。",
            )
        )
    if sends_mail and found.mail_age > STUCK_AFTER:
        faults.append(
            Fault(
                "outbox",
                f"有 {found.queued + found.sending} 封邮件没有发出，最早的一封已等 {_minutes(found.mail_age)} 分钟。",
                "请检查发信服务器和 duban scheduler 的日志。",
            )
        )
    return faults


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)


@bp.get("/live")
def live() -> Response:
    return jsonify(status="ok")


@bp.get("/ready")
def ready() -> tuple[Response, int]:
    return _answer(_database())


@bp.get("")
def whole() -> tuple[Response, int]:
    checks = _database()
    if all(c["ok"] for c in checks.values()):
        checks |= _machinery()
    return _answer(checks)


def _answer(checks: dict[str, dict[str, Any]]) -> tuple[Response, int]:
    fine = all(c["ok"] for c in checks.values())
    return jsonify(status="ok" if fine else "failing", checks=checks), 200 if fine else 503


def _database() -> dict[str, dict[str, Any]]:
    try:
        revision = revision_of(context.reading())
    except SQLAlchemyError:
        return {"database": {"ok": False}}
    return {"database": {"ok": True}, "migrated": {"ok": revision == _head()}}


def is_ticking(connection: Connection, now: datetime) -> bool:
    """Whether a scheduler runs and believes the clock."""
    faults = faults_of(standing(connection, now), wall_now(), sends_mail=False)
    return not {"tick", "clock"} & {fault.check for fault in faults}


def _machinery() -> dict[str, dict[str, Any]]:
    wall, found = wall_now(), standing(context.reading(), context.now())
    failed = {fault.check for fault in faults_of(found, wall, sends_mail=context.settings().sends_mail)}
    age = None if found.ticked_at is None else round(abs(wall - found.ticked_at).total_seconds(), 1)
    return {
        "tick": {"ok": "tick" not in failed, "age_seconds": age},
        "clock": {"ok": "clock" not in failed},
        "due": {"ok": "due" not in failed, "passed": found.due_passed, "lag_seconds": found.lag.total_seconds()},
        "outbox": {
            "ok": "outbox" not in failed,
            "queued": found.queued,
            "sending": found.sending,
            "dead": found.dead,
            "oldest_seconds": found.mail_age.total_seconds(),
        },
    }
