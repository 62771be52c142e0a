"""A form as a page shows it: what was typed or drafted, what is wrong beside which field, what stands above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from engine.desk import Entry
from ledger.errors import Conflict, DubanError, Invalid, Questions
from ledger.rules.figures import FigureError, parse_number


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

    @property
    def is_dirty(self) -> bool:
        return bool(self.errors or self.questions or self.notice)


def typed(data: MultiDict[str, str]) -> dict[str, str]:
    """What a person typed, without the token and the names of buttons; several ticks of one name stand with commas."""
    return {k: ",".join(data.getlist(k)) for k in data if k not in ("csrf_token", "act", "confirmed")}


def refused(key: str, data: MultiDict[str, str], error: DubanError) -> Form:
    """The form again, with everything that was typed and what is wrong with it."""
    form = Form(key, typed(data))
    match error:
        case Invalid():
            form.errors = error.fields
            form.notice = "" if any(name in data for name in error.fields) else str(error)
        case Questions():
            form.questions = error.fields
        case Conflict():
            form.notice = str(error)
        case _:
            form.notice, form.tone = str(error), "bad"
    return form


def figures(data: MultiDict[str, str], indicators: Mapping[int, str]) -> dict[int, Decimal]:
    """The numbers typed for these indicators (id -> unit of measure); an empty field is left out. Raises: Invalid."""
    values, wrong = {}, {}
    for indicator_id, measure in indicators.items():
        name = f"figure-{indicator_id}"
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


def entry(data: MultiDict[str, str], indicators: Mapping[int, str]) -> Entry:
    """One report as it was typed. Raises: Invalid."""
    words = {name: data.get(name, "").strip() for name in ("progress", "problem")}
    return Entry(figures(data, indicators), words["progress"], words["problem"])
