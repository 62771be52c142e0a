"""Drafts: what a person is typing, kept until it is handed in. State without events."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Concatenate, ParamSpec, TypeVar

from flask import Blueprint, abort, request, url_for
from flask_login import login_required
from sqlalchemy import bindparam, delete, insert, select

from bpmn import library
from engine import published
from ledger import sent
from ledger.database import Tx
from ledger.errors import NotFound
from ledger.people import SYSTEM, actor_of
from ledger.queries.items import require_visible
from ledger.rules.intakes import Verb as IntakeVerb
from ledger.rules.verbs import Verb
from ledger.schema import assignment, draft
from ledger.visibility import sight_of
from webapp import context, words
from webapp.forms import Form, mark, typed

bp = Blueprint("drafts", __name__)

P = ParamSpec("P")
R = TypeVar("R")

MAX_FIELDS = 400
MAX_LENGTH = 60_000
MOST = 100  # drafts of one person; beyond that the oldest go
# The names of forms that have drafts: report-5, submit-5-1, decide-5-review-1, urge-13, extend-5, item_add-13,
# answer-5-1-1, clear-13-4, clear-name, handover-7, intake_new-instruction, intake_on-13-instruction,
# intake-2-propose-1.
_VERBS = "|".join(verb for verb in Verb if verb is not Verb.SUBMIT)  # whose form is one of a turn
_NAME = re.compile(
    rf"(?:round|clearing|handover|item_[a-z_]{{1,20}}|{_VERBS})-[0-9]{{1,9}}"
    r"|(?:submit|clear)-[0-9]{1,9}-[0-9]{1,9}"
    r"|decide-[0-9]{1,9}-(?P<step>[a-z_]{1,20})-[0-9]{1,9}|answer-[0-9]{1,9}-[0-9]{1,9}-[0-9]{1,9}|clear-name"
    r"|unit_change-[a-z0-9-]{1,60}|intake_new-[a-z]{1,20}|intake_on-[0-9]{1,9}-[a-z]{1,20}"
    rf"|intake-[0-9]{{1,9}}-(?:{'|'.join(IntakeVerb)})-[0-9]{{1,9}}"
)

_of_form = delete(draft).where(draft.c.person_id == bindparam("b_person"), draft.c.form == bindparam("b_form"))
_insert_draft = insert(draft)


@bp.post("/drafts/<form>")
@login_required
def save(form: str) -> tuple[str, int]:
    """Keep what stands in a form; answers with the words shown beside its buttons."""
    if not is_form(form):
        abort(404)
    fields = typed(request.form)
    if not fits(form, fields):
        return "内容太长，草稿没有存", 422
    now = context.now()
    is_kept = put(context.actor().person_id, form, fields, shown=request.form.get("once", ""))
    return f"草稿已存 {words.time_words(now)}" if is_kept else "", 200


def is_form(name: str) -> bool:
    """Whether a form of ours has this name."""
    found = _NAME.fullmatch(name)
    return found is not None and (found["step"] is None or found["step"] in _deciding())


@cache
def _deciding() -> frozenset[str]:
    """The steps of all lifecycles at which something is decided."""
    steps = (step for key in library.lifecycle_keys() for step in published.lifecycle(key).steps)
    return frozenset(step.id for step in steps if step.decisions)


def fits(form: str, fields: Mapping[str, str]) -> bool:
    """Whether this may be kept: a form of ours, and not more than a form can hold."""
    if not is_form(form) or len(fields) > MAX_FIELDS:
        return False
    return len(json.dumps(fields, ensure_ascii=False)) <= MAX_LENGTH


def put(person_id: int, form: str, fields: Mapping[str, str], *, shown: str = "") -> bool:
    """Keep a draft in place of the one before; not one of a form (the mark of its showing) that was handed in for good
    meanwhile."""
    now = context.now()
    context.close_reading()
    kept = {"person_id": person_id, "form": form, "fields": json.dumps(fields, ensure_ascii=False), "saved_at": now}
    with context.database().write() as tx:
        if shown and sent.was_sent(tx.connection, person_id, _spent(shown)):
            return False
        others = select(draft.c.form).where(draft.c.person_id == person_id, draft.c.form != form)
        newest = others.order_by(draft.c.saved_at.desc(), draft.c.form)
        old = tx.connection.execute(newest.limit(MOST).offset(MOST - 1)).scalars()
        tx.writes.write(_of_form, [{"b_person": person_id, "b_form": name} for name in (form, *old)])
        tx.writes.write(_insert_draft, kept)
    return True


def plain_place(form: str) -> str | None:
    """The page of a form, where its name alone tells."""
    match form.split("-"):
        case ["round", share_id]:
            return url_for("rounds.show", share_id=share_id)
        case [of_item, item_id] if of_item == "urge" or of_item.startswith("item_"):
            return url_for("items.show", item_id=item_id, tab=form)
        case ["handover", post_id]:
            return url_for("handing.show", post_id=post_id)
        case ["unit_change", *key]:
            return url_for("units.show", key="-".join(key))
        case ["clear", "name"]:
            return url_for("clearings.name")
        case ["clear", item_id, seq]:
            return url_for("clearings.text", item_id=item_id, seq=seq)
        case ["clearing", clearing_id]:
            return url_for("clearings.show", clearing_id=clearing_id)
    return _place_of_case(form)


def _place_of_case(form: str) -> str | None:
    match form.split("-"):
        case ["intake_new", kind]:
            return url_for("intakes.new", kind_key=kind)
        case ["intake_on", item_id, kind]:
            return url_for("intakes.new", kind_key=kind, item=item_id)
        case ["intake", intake_id, *_]:
            return url_for("intakes.show", intake_id=intake_id)
    return None


def place_of(person_id: int, form: str) -> str:
    """The page of a form; the inbox for what this person may not see."""
    if (plain := plain_place(form)) is not None:
        return plain
    found = select(assignment.c.item_id).where(assignment.c.id == int(form.split("-")[1]))
    item_id = context.reading().execute(found).scalar_one_or_none()
    actor = actor_of(context.reading(), person_id)
    try:
        require_visible(context.reading(), sight_of(context.reading(), actor or SYSTEM), item_id or 0)
    except NotFound:
        return url_for("inbox.show")
    return url_for("items.show", item_id=item_id, tab=form)


def restored(keys: Collection[str]) -> dict[str, Form]:
    """The person's drafts of these forms, by key; a form without a draft is empty."""
    forms = {key: Form(key) for key in keys}
    rows = context.reading().execute(
        select(draft).where(draft.c.person_id == context.actor().person_id, draft.c.form.in_(sorted(forms)))
    )
    for r in rows:
        saved_at: datetime = r.saved_at
        forms[r.form] = Form(r.form, json.loads(r.fields), saved_at=saved_at)
    return forms


def once(command: Callable[Concatenate[Tx, P], R]) -> Callable[Concatenate[Tx, P], R]:
    """A command that can be given any number of times, given once a form. Raises: AlreadySent."""
    own = mark() if request.form.get("once") else ""

    def act(tx: Tx, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if own:
            sent.once(tx, own)
        return command(tx, *args, **kwargs)

    return act


def _spent(shown: str) -> str:
    """What is taken down of a form, by the mark of its showing, once it was handed in."""
    return sha256(f"draft {shown}".encode()).hexdigest()


def forgetting(
    form: str, command: Callable[Concatenate[Tx, P], R], *, for_good: bool = False
) -> Callable[Concatenate[Tx, P], R]:
    """A command that forgets the draft of the form it comes from, in the same transaction. `for_good`: nor is what the
    browser still sends of it kept, since the next form of this name is about something else."""
    shown = request.form.get("once", "") if for_good else ""

    def act(tx: Tx, /, *args: P.args, **kwargs: P.kwargs) -> R:
        result = command(tx, *args, **kwargs)
        tx.writes.write(_of_form, {"b_person": tx.actor.person_id, "b_form": form})
        if shown:
            sent.once(tx, _spent(shown))
        return result

    return act
