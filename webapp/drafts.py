"""Drafts: what a person is typing, kept until it is handed in. State without events."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime

from flask import Blueprint, request
from flask_login import login_required
from sqlalchemy import Delete, delete, insert, select

from ledger.schema import draft
from webapp import context, words
from webapp.forms import Form, typed

bp = Blueprint("drafts", __name__)

MAX_FIELDS = 400
MAX_LENGTH = 60_000


@bp.post("/drafts/<form>")
@login_required
def save(form: str) -> tuple[str, int]:
    """Keep what stands in a form; answers with the words shown beside its buttons."""
    fields = typed(request.form)
    text = json.dumps(fields, ensure_ascii=False)
    if len(fields) > MAX_FIELDS or len(text) > MAX_LENGTH or len(form) > 80:
        return "内容太长，草稿没有存", 422
    person_id, now = context.actor().person_id, context.now()
    context.close_reading()
    with context.database().write(context.actor()) as tx:
        tx.connection.execute(_of(person_id, [form]))
        tx.connection.execute(insert(draft).values(person_id=person_id, form=form, fields=text, saved_at=now))
    return f"草稿已存 {words.time_words(now)}", 200


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


def drop(*keys: str) -> None:
    """Forget drafts that were handed in; most forms have none, and then nothing is written."""
    kept = select(draft.c.form).where(draft.c.person_id == context.actor().person_id, draft.c.form.in_(keys))
    if context.reading().execute(kept).first() is None:
        return
    context.close_reading()
    with context.database().write(context.actor()) as tx:
        tx.connection.execute(_of(context.actor().person_id, keys))


def _of(person_id: int, keys: Collection[str]) -> Delete:
    return delete(draft).where(draft.c.person_id == person_id, draft.c.form.in_(sorted(keys)))
