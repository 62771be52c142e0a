"""The figures that the plans of a place have already: what a plan that is being written may share (一数一源)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from bpmn.plan import Indicator
from engine import published
from ledger.queries.directory import is_meant
from ledger.schema import plan_version


@dataclass(frozen=True)
class KnownFigure:
    """A figure, and the item of another plan that has it."""

    figure: Indicator
    plan: str
    no: str


def known_figures(connection: Connection, jurisdiction: str, but: str, typed: str) -> list[KnownFigure]:
    """By a part of the name or its pinyin, from the newest version of every plan but one; each key and reporter once.

    Those whose reporting unit is named come first: without one a figure is filled by each plan for itself.
    """
    if not typed.strip():
        return []
    newest = (
        select(plan_version.c.plan, func.max(plan_version.c.number).label("number"))
        .where(plan_version.c.jurisdiction == jurisdiction, plan_version.c.plan != but)
        .group_by(plan_version.c.plan)
        .subquery()
    )
    same = (plan_version.c.plan == newest.c.plan) & (plan_version.c.number == newest.c.number)
    digests = connection.execute(select(plan_version.c.digest).join(newest, same).order_by(plan_version.c.plan))
    found: dict[tuple[str, str | None], KnownFigure] = {}
    for digest in digests.scalars().all():
        plan = published.of_digest(connection, digest).plan
        for item in plan.items:
            for figure in item.indicators:
                if is_meant(figure.name, typed):
                    found.setdefault((figure.key, figure.reporter), KnownFigure(figure, plan.facts.short, item.no))
    return sorted(found.values(), key=lambda known: known.figure.reporter is None)
