"""What stands around every page: navigation with counts, the person, the demo's clock, a banner over what is stuck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_login import current_user

from ledger.clock import target_of, wall_now
from ledger.directory import installed_place
from ledger.people import Actor
from ledger.queries import navigation, operations
from ledger.queries.accounts import OVERSEERS
from ledger.queries.clearings import ROLES as CLEARING_ROLES
from ledger.queries.clearings import waiting_count
from ledger.queries.words import ROLE_WORDS
from webapp import context
from webapp.health import faults_of
from webapp.home import ANSWER_FOR_OTHERS
from webapp.intakes import READERS

REMEMBERED = 60.0  # seconds for which a process knows what the place is called


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
    values: dict[str, Any] = {"place_shown": place_shown, "demo": settings.demo}
    if g.get("frameless") or not current_user.is_authenticated:
        return values
    if "frame" not in g:
        connection, actor = context.reading(), context.actor()
        counts = navigation.counts(connection, actor)
        g.frame = {
            "entries": _entries(
                counts, actor, waiting_count(connection, actor) if actor.has(*CLEARING_ROLES) else None
            ),
            "who": who(actor, context.sight().names),
            "banner": banner(actor),
            "demo_clock": target_of(connection) if settings.demo else None,
        }
    return {**values, **g.frame}


def place_shown() -> str:
    """The place this installation is for: as the deployment calls it, else as its directory of units does; empty while
    there is none, or where there are several. Every page asks, and it hardly ever changes."""
    if context.settings().place:
        return context.settings().place
    known = current_app.extensions["duban"]
    at, name = known.get("place", (0.0, ""))
    if not name or monotonic() - at > REMEMBERED:
        name = installed_place(context.reading())
        known["place"] = monotonic(), name
    return str(name)


def _entries(counts: navigation.Counts, actor: Actor, clearings: int | None) -> list[Entry]:
    """`clearings`: applications that wait for this person, None for whoever takes no part in them."""
    one = counts.owed_share
    rounds = url_for("rounds.choose") if one is None else url_for("rounds.show", share_id=one)
    places = [("待办", url_for("inbox.show"), counts.todos)]
    if counts.owed:
        places.append(("报送", rounds, counts.owed))
    if actor.has(*ANSWER_FOR_OTHERS):
        places.append(("概览", url_for("home.show"), 0))
    places += [("台账", "/ledger", 0), ("方案", "/plans", 0)]
    if actor.has(*READERS):
        places.append(("批示件", url_for("intakes.index"), 0))
    if clearings is not None:
        places.append(("依规清除", url_for("clearings.index"), clearings))
    if actor.has("administrator"):
        places.append(("账号", "/people", 0))
    elif actor.has(*OVERSEERS):
        places.append(("日志", "/logs/decisions", 0))
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
    if root == "/people":
        return path.startswith(("/people", "/logs", "/units", "/outgoing", "/setup", "/calendar"))
    if root == "/plans":
        return path == root or path.startswith(("/plans/", "/figures"))
    if root == "/ledger":
        return path == root or path.startswith(("/items", "/assignments"))
    return path == root or path.startswith(root + "/")


def who(actor: Actor, unit_names: Mapping[str, str]) -> tuple[str, str]:
    """(unit, post) as the header prints them: the first post, and how many more there are."""
    if not actor.desks:
        return actor.name, "没有岗位"
    own = {d.post_id: d for d in reversed(actor.desks)}
    first = own[min(own)]
    more = f" 等{len(own)}个岗位" if len(own) > 1 else ""
    return unit_names.get(first.unit, first.unit), f"{ROLE_WORDS.get(first.role, first.role)}{more}"


def banner(actor: Actor) -> str:
    """What stands still of the machinery, else nothing: late reminders concern everyone, mails those who can act."""
    found = operations.standing(context.reading(), context.now())
    sends_mail = context.settings().sends_mail and actor.has("administrator", "coordinator")
    faults = faults_of(found, wall_now(), sends_mail=sends_mail)
    if actor.has("administrator"):
        return "".join(fault.says + fault.mend for fault in faults)
    return "".join(fault.says for fault in faults) + ("请联系管理员处理。" if faults else "")
