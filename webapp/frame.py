"""What stands around every page: navigation with counts, the person, the demo's clock, a silent scheduler's banner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_login import current_user

from ledger.clock import target_of, wall_now
from ledger.people import Actor
from ledger.queries import navigation
from ledger.queries.words import ROLE_WORDS
from webapp import context

SILENT_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Entry:
    """One place of the navigation."""

    words: str
    href: str
    count: int
    is_current: bool


def install(app: Flask) -> None:
    app.context_processor(_frame)


def _frame() -> dict[str, Any]:
    """Values of base.html, worked out once a request and only when a page is rendered."""
    settings = context.settings()
    values: dict[str, Any] = {"place": settings.place, "demo": settings.demo}
    if g.get("frameless") or not current_user.is_authenticated:
        return values
    if "frame" not in g:
        connection, actor = context.reading(), context.actor()
        counts = navigation.counts(connection, actor)
        g.frame = {
            "entries": _entries(counts),
            "who": who(actor, counts.unit_names),
            "banner": silence(),
            "demo_clock": target_of(connection) if settings.demo else None,
        }
    return {**values, **g.frame}


def _entries(counts: navigation.Counts) -> list[Entry]:
    rounds = url_for("rounds.show", share_id=counts.owed[0]) if len(counts.owed) == 1 else url_for("rounds.choose")
    places = [("待办", url_for("inbox.show"), counts.todos)]
    if counts.owed:
        places.append(("报送", rounds, len(counts.owed)))
    places += [("台账", "/ledger", 0), ("方案", "/plans", 0)]
    if context.settings().demo:
        places.append(("邮件", "/demo/mail", 0))
    known = {rule.rule.rstrip("/") for rule in current_app.url_map.iter_rules()}
    return [
        Entry(words, href, count, _is_current(href))
        for words, href, count in places
        if href.rstrip("/") in known or href.startswith("/rounds")
    ]


def _is_current(href: str) -> bool:
    path, root = request.path, "/" + href.split("/")[1]
    if href.startswith("/demo/"):
        return path.startswith(href)
    if root == "/ledger":
        return path == root or path.startswith(("/items", "/assignments"))
    return path == root or path.startswith(root + "/")


def who(actor: Actor, unit_names: dict[str, str]) -> tuple[str, str]:
    """(unit, post) as the header prints them: the first post, and how many more there are."""
    if not actor.desks:
        return actor.name, "没有岗位"
    own = {d.post_id: d for d in reversed(actor.desks)}
    first = own[min(own)]
    more = f" 等{len(own)}个岗位" if len(own) > 1 else ""
    return unit_names.get(first.unit, first.unit), f"{ROLE_WORDS.get(first.role, first.role)}{more}"


def silence() -> str:
    """The banner's sentence when no scheduler has ticked for five minutes, else nothing."""
    beat = navigation.last_tick(context.reading())
    if beat is None:
        return "定时服务还没有运行过，提醒和期次不会发出。请管理员启动 duban scheduler。"
    quiet = wall_now() - beat
    if quiet <= SILENT_AFTER:
        return ""
    return f"定时服务已 {int(quiet.total_seconds() // 60)} 分钟没有动静，提醒可能迟到。请管理员检查 duban scheduler。"
