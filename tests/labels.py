"""The hand labels of the plans, and what a diagram says in their words."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from bpmn.plan import Indicator, Item, Role
from ledger.rules.due import DueRule

DATA = Path(__file__).parent / "data"
ROLES: tuple[Role, ...] = ("lead", "responsible", "cooperating")


def label_of(key: str) -> dict[str, Any]:
    """The label of a plan by its key in the library."""
    found: dict[str, Any] = json.loads((DATA / f"{key}.json").read_text("utf-8"))
    return found


def rows_of(label: dict[str, Any], part: str) -> list[dict[str, Any]]:
    """The tasks of the document's body, or of its annex."""
    return [task for task in label["tasks"] if task["part"] == part]


def due_as_label(rule: DueRule | None) -> dict[str, Any] | None:
    """A due rule as a label's `deadline`."""
    if rule is None:
        return None
    if rule.kind == "by":
        return {"kind": "by", "date": str(rule.date)}
    return {"kind": rule.kind, "period": rule.period, "anchor": "month-end" if rule.monthday == -1 else None}


def figure(indicator: Indicator, item: Item) -> tuple[Any, ...]:
    """An indicator as `label_figure` has it; without a day of its own it has the item's."""
    value = (indicator.op, indicator.value, indicator.value_max, indicator.unit, indicator.per)
    by = indicator.by or (item.due.date if item.due else None)
    return (indicator.name, *value, indicator.text, indicator.unit_name, str(by) if by else None)


def label_figure(label: dict[str, Any], row: dict[str, Any]) -> tuple[Any, ...]:
    """An indicator of a label, with its own day or else its row's."""
    value = (label["op"], Decimal(label["value"]), label["value_max"], label["unit"], label["per"])
    by = label.get("by") or (row["deadline"] or {}).get("date")
    return (label["name"], *value, label["text"], label.get("unit_name"), by)
