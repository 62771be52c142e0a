"""启动前检查 as pages show it: what a plan would meet, and whether the machinery would carry its tasks out."""

from __future__ import annotations

from dataclasses import dataclass

from bpmn.plan import Plan
from engine.readiness import Readiness, readiness
from webapp import context
from webapp.health import is_ticking


@dataclass(frozen=True)
class StartCheck:
    """`ticks`: a scheduler runs, so that reminders and rounds come; `mails`: a mail server is set, so that units are
    told."""

    found: Readiness
    ticks: bool
    mails: bool

    @property
    def is_clean(self) -> bool:
        return self.ticks and self.mails and not (self.of_units or self.found.asks)

    @property
    def of_units(self) -> bool:
        """Whether something is to be said of the units that the plan names."""
        return bool(self.found.nobody or self.found.heads or self.found.early or self.found.gone)


def start_check(plan: Plan) -> StartCheck:
    settings = context.settings()
    found = readiness(context.reading(), context.calendar(), context.now(), plan)
    return StartCheck(found, is_ticking(context.reading(), context.now()), bool(settings.smtp_host) or settings.demo)
