"""概览: the page for those who answer for others: heads of units, coordinators, inspectors, leaders."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask_login import login_required
from werkzeug.wrappers import Response

from ledger.queries import home as queries
from ledger.queries.overview import COLOURS, pace_of
from webapp import context
from webapp.questions import LIGHT_NAMES, LIGHT_WORDS

bp = Blueprint("home", __name__)

# Who opens this page first; everybody else opens the inbox.
OVERSEE = ("inspector", "leader")
ANSWER_FOR_OTHERS = (*OVERSEE, "coordinator", "section_head", "deputy_head", "head")


@bp.get("/")
@login_required
def first() -> Response:
    """The page a person opens first: who only oversees finds no work in an inbox, who installs has more to do."""
    if context.actor().has("administrator") and not queries.has_started(context.reading()):
        return redirect(url_for("setting_up.show"))
    oversees = context.actor().desks and all(d.role in OVERSEE for d in context.actor().desks)
    return redirect(url_for("home.show" if oversees else "inbox.show"))


# What stands on the page, in its order, by what somebody is in the first place. A leader's is one screen of a phone.
PARTS = {
    "coordinator": ("worst", "decisions", "owed"),
    "inspector": ("worst", "places", "owed", "decisions"),
    "leader": ("decisions", "worst"),  # the first only where something waits
    "head": ("decisions", "worst", "owed"),
}
SIDE = {"coordinator": ("plans", "late"), "inspector": ("plans", "counties", "late"), "leader": ("plans", "late")}
FEW = 4  # items on that one screen


@bp.get("/home")
@login_required
def show() -> str:
    """Worst first, with the reason and the desk it stands on."""
    connection, now, sight = context.reading(), context.now(), context.sight()
    found = queries.home(connection, context.calendar(), now, sight)
    kind = next((role for role in ("coordinator", "inspector", "leader") if context.actor().has(role)), "head")
    return render_template(
        "home.html",
        home=found,
        kind=kind,
        parts=PARTS[kind],
        side=SIDE.get(kind, ("plans",)),
        worst=found.worst[:FEW] if kind == "leader" else found.worst,
        paces={r.id: pace_of(r, now) for r in found.runs},
        colours=COLOURS,
        light_words=LIGHT_WORDS,
        light_names=LIGHT_NAMES,
    )
