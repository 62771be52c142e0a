"""When something is due, as the document says it: the rule, not yet a moment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DueRule:
    """One printed time limit. `text` keeps the document's own words; the other fields are what they were read as."""

    kind: Literal["by", "within", "every", "during"]
    text: str
    date: dt.date | None = None
    start: dt.date | None = None
    end: dt.date | None = None
    days: int | None = None
    working: bool = False
    anchor: str | None = None
    period: Literal["week", "month", "quarter", "year"] | None = None
    monthday: int | None = None
