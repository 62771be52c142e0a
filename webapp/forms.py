"""A form as a page shows it: what was typed or drafted, what is wrong beside which field, what stands above it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from secrets import token_urlsafe

from flask import request
from werkzeug.datastructures import MultiDict

from engine.desk import Entry
from ledger.errors import Conflict, DubanError, Invalid, Questions
from ledger.rules.figures import FigureError, parse_number
from ledger.rules.texts import as_seen
from ledger.uploads import FIELD, Staged


@dataclass
class Form:
    """`key` names the draft; `notice` is shown above the kept text."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""
    tone: str = "warn"
    saved_at: datetime | None = None
    files: Sequence[Staged] = ()

    @property
    def is_dirty(self) -> bool:
        return bool(self.errors or self.questions or self.notice)


# Fields of a form that nobody types: its token and its draft's name, buttons, its files (which wait in a table of
# their own).
_NOT_TYPED = ("csrf_token", "act", "confirmed", "draft", "upload", "once", "seen", FIELD)


def typed(data: MultiDict[str, str]) -> dict[str, str]:
    """What a person typed; several ticks of one name stand with commas."""
    return {k: as_seen(",".join(data.getlist(k))) for k in data if k not in _NOT_TYPED}


def fresh() -> str:
    """A mark for a form that is shown just now."""
    return token_urlsafe(12)


def mark() -> str:
    """What tells the present form from every other: the page it stood on, and what it says."""
    fields = [(k, as_seen(v).strip()) for k, v in request.form.items(multi=True) if k != "csrf_token"]
    return sha256(json.dumps([request.path, fields], ensure_ascii=False).encode()).hexdigest()


def text(name: str) -> str:
    """What the request's form says in a field: nothing in it that cannot be seen, no blanks around it."""
    return as_seen(request.form.get(name, "")).strip()


def refused(key: str, data: MultiDict[str, str], error: DubanError) -> Form:
    """The form again, with everything that was typed and what is wrong with it."""
    form = Form(key, typed(data))
    match error:
        case Invalid():
            form.errors = error.fields
            form.notice = "" if any(name in data or name == FIELD for name in error.fields) else str(error)
        case Questions():
            form.questions = error.fields
        case Conflict():
            form.notice = str(error)
        case _:
            form.notice, form.tone = str(error), "bad"
    return form


def figures(data: MultiDict[str, str], indicators: Mapping[int, str], of: str = "") -> dict[int, Decimal]:
    """The numbers typed for these indicators (id -> unit of measure); an empty field is left out. `of`: the end of the
    fields' names where a form asks for several shares. Raises: Invalid."""
    values, wrong = {}, {}
    for indicator_id, measure in indicators.items():
        name = f"figure-{indicator_id}{of}"
        words = data.get(name, "").strip()
        if not words:
            continue
        try:
            values[indicator_id] = parse_number(words, unit=measure)
        except FigureError as error:
            wrong[name] = str(error)
    if wrong:
        raise Invalid(wrong)
    return values


def figures_seen(words: str) -> dict[int, Decimal]:
    """What `Part.figures_seen` of the page has sent back."""
    pairs = [pair.partition(":") for pair in words.split()]
    try:
        return {int(i): Decimal(value) for i, _, value in pairs}
    except (ValueError, InvalidOperation):
        return {}


def entry(data: MultiDict[str, str], indicators: Mapping[int, str], files: Sequence[int] = ()) -> Entry:
    """One report as it was typed, with these uploads. Raises: Invalid."""
    return Entry(figures(data, indicators), text("progress"), text("problem"), files)
