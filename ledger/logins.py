"""登录日志: who came in, who did not, and what happened to a password. State without events, kept for a time.

The law asks for six months of network logs (网络安全法第二十一条); what is older is forgotten.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, or_

from ledger.database import Tx
from ledger.schema import login_log, login_session, password_reset, throttle
from ledger.sessions import Origin


class Outcome(StrEnum):
    """What a line of the log says."""

    ENTERED = "entered"
    WRONG = "wrong"
    LOCKED = "locked"
    INACTIVE = "inactive"
    CROWDED = "crowded"
    LEFT = "left"
    ENDED = "ended"
    ASKED = "asked"
    RESET = "reset"
    CHANGED = "changed"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Outcome.ENTERED: "登录",
    Outcome.WRONG: "账号或密码不对",
    Outcome.LOCKED: "账号锁定",
    Outcome.INACTIVE: "账号已停用",
    Outcome.CROWDED: "地址受限",
    Outcome.LEFT: "退出",
    Outcome.ENDED: "结束其他登录",
    Outcome.ASKED: "申请重设密码",
    Outcome.RESET: "重设密码",
    Outcome.CHANGED: "修改密码",
}


def note(tx: Tx, outcome: Outcome, person_id: int | None, origin: Origin) -> None:
    """Add a line."""
    line = {"at": tx.recorded_at, "person_id": person_id, "outcome": outcome.value}
    tx.connection.execute(insert(login_log), line | {"address": origin.address, "agent": origin.agent})


def forget(connection: Connection, log_before: datetime, doors_before: datetime) -> int:
    """Delete lines of the log before a moment, and whatever of the doors has been over since another."""
    gone = connection.execute(delete(login_log).where(login_log.c.at < log_before)).rowcount
    for statement in (
        delete(login_session).where(
            or_(login_session.c.ended_at < doors_before, login_session.c.expires_at < doors_before)
        ),
        delete(password_reset).where(password_reset.c.expires_at < doors_before),
        delete(throttle).where(
            throttle.c.since < doors_before, or_(throttle.c.until.is_(None), throttle.c.until < doors_before)
        ),
    ):
        connection.execute(statement)
    return gone
