"""登录日志 and 权限变更."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask_login import login_required

from ledger.errors import NotAllowed
from ledger.logins import Outcome
from ledger.queries import accounts as queries
from webapp import context
from webapp.paging import number_of

bp = Blueprint("logs", __name__, url_prefix="/logs")

LONGEST = 60


@bp.get("/logins")
@login_required
def logins() -> str:
    """For administrators: addresses and times of people's log-ins are nobody else's business."""
    _require("administrator")
    words, outcome = _words(), request.args.get("outcome", "")
    outcome = outcome if outcome in set(Outcome) else ""
    found = queries.login_lines(
        context.reading(), context.actor(), words=words, outcome=outcome, page=number_of("page")
    )
    return render_template(
        "logins.html",
        found=found,
        words=words,
        outcome=outcome,
        outcomes={o.value: o.label for o in Outcome},
        days=context.settings().login_log_days,
        link=lambda n: url_for("logs.logins", words=words or None, outcome=outcome or None, page=n),
    )


@bp.get("/decisions")
@login_required
def decisions() -> str:
    """For administrators, and for inspectors, who look over what administrators do."""
    _require(*queries.OVERSEERS)
    words, kind = _words(), request.args.get("kind", "")
    kind = kind if kind in queries.DECISIONS else ""
    found = queries.decision_lines(context.reading(), context.actor(), words=words, kind=kind, page=number_of("page"))
    return render_template(
        "decisions.html",
        found=found,
        words=words,
        kind=kind,
        kinds=queries.DECISIONS,
        administers=context.actor().has("administrator"),
        link=lambda n: url_for("logs.decisions", words=words or None, kind=kind or None, page=n),
    )


def _words() -> str:
    return request.args.get("words", "").strip()[:LONGEST]


def _require(*roles: str) -> None:
    if not context.actor().has(*roles):
        raise NotAllowed(
            "这份日志只对管理员开放。" if roles == ("administrator",) else "这份日志只对管理员和督查人员开放。"
        )
