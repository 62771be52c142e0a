"""What a plan diagram says, as frozen values without XML: the reader makes them, the writer and the ledger use them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Literal

from ledger.calendar import WorkCalendar
from ledger.rules.cadence import Turn, turns
from ledger.rules.due import DueRule
from ledger.rules.verbs import EXTENDS

Role = Literal["lead", "responsible", "cooperating"]
Completion = Literal["lead", "all"]
Operator = Literal[">=", "<=", "=", "range"]
Per = Literal["year", "quarter", "month", "week", "total"]
SumRule = Literal["sum", "max", "latest"]
Steps = Literal["required", "optional"]
Asks = Literal["open-shares", "item"]
Period = tuple[date, date | None]
Shift = Literal["none", "previous", "next", "skip"]
MailDetail = Literal["count", "titles", "full"]


@dataclass(frozen=True)
class Share:
    """One printed unit (or group of units) of an item, in one role; `quota` is its part of the item's figure.

    `presumed`: the document names nobody; by its function it is this unit, until the coordinator confirms it.
    """

    unit: str
    role: Role
    quota: Decimal | None = None
    presumed: bool = False


@dataclass(frozen=True)
class Indicator:
    """A figure to reach. `unit` measures it (个, 场); `unit_name` says to whom a norm applies one by one (每个县).

    `by` is its own last day, where the item's is another: 每年举办2场…，力争2025年培训400人. `definition` (口径) says
    what counts, `source` where it is taken from, `as_of` of which moment a reading speaks, `reporter` which unit alone
    fills it, once for all plans (一数一源).
    """

    key: str
    name: str
    op: Operator
    value: Decimal
    unit: str
    text: str
    value_max: Decimal | None = None
    per: Per | None = None
    by: date | None = None
    unit_name: str | None = None
    sum: SumRule = "sum"
    definition: str | None = None
    source: str | None = None
    as_of: str | None = None
    reporter: str | None = None


@dataclass(frozen=True)
class Item:
    """A line of the ledger.

    `gated`: the lead's application waits for the accepted feedback of all others. `heading` is None for an item in a
    branch of its own; `after` names items that must close first. The date of an `opens` rule is the day the item opens
    (its beginning), not the end of a limit; days are counted from the closing of the item it names. `steps`: as on
    `Facts`, for this item; None: as the plan says.
    """

    id: str
    no: str
    title: str
    clause: str
    heading: str | None
    shares: tuple[Share, ...]
    due: DueRule | None = None
    opens: DueRule | None = None
    after: tuple[str, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    completion: Completion = "all"
    gated: bool = True
    lifecycle: str = "standard"
    cadence: str | None = None
    notes: tuple[str, ...] = ()
    steps: Steps | None = None

    @property
    def opens_after(self) -> tuple[str, ...]:
        """The items that must close before this one can open: those drawn before it, and the one it counts from."""
        counted = self.opens.counted_from if self.opens else None
        return self.after if counted is None else (*self.after, counted)

    def units(self, *roles: Role) -> tuple[str, ...]:
        """Printed unit names in these roles, in printed order."""
        return tuple(share.unit for share in self.shares if share.role in roles)


@dataclass(frozen=True)
class Heading:
    """A heading of the document: one ad-hoc sub-process, one wait state, items in reading order."""

    id: str
    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Timer:
    """A dated catch event; `items` are the ids of the branch items that stand behind it, in order."""

    id: str
    name: str
    date: date
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cadence:
    """A reporting rhythm: RFC 5545 rules for opening and due day, each with a time and a shift for days off.

    `first` and `last` bound the opening days before any shift. `due_at` None is 24:00 of the due day. `asks` says who
    reports: the units with an open lead or responsible share, or the units of the one item that names this cadence.
    `closes`: a turn that ends without a report is closed as missed instead of staying open.
    """

    id: str
    name: str
    asks: Asks
    opens: str
    opens_at: time
    opens_shift: Shift
    due: str
    due_at: time | None
    due_shift: Shift
    first: date
    last: date
    ladder: tuple[int, ...]
    closes: bool = False

    def turns(self, calendar: WorkCalendar) -> tuple[Turn, ...]:
        """Every turn on this calendar. Raises: ValueError for rules that cannot run (Chinese message)."""
        opening, closing = (self.opens, self.opens_at, self.opens_shift), (self.due, self.due_at, self.due_shift)
        return tuple(turns(*opening, *closing, self.first, self.last, calendar))


@dataclass(frozen=True)
class Facts:
    """What stands on the document's cover, and how this plan is run.

    `doc_no` is empty for a notice without a number. A `period` without an end is a plan that stands until further
    notice. `sign_roles` are the roles whose 申请办结 is signed inside the unit before it leaves it; `extends` the posts
    that decide on 申请延期 in turn; `steps` says whether each share has to plan its steps (节点计划).
    """

    key: str
    title: str
    short: str
    issuer: str
    doc_no: str
    issued: date
    period: Period
    jurisdiction: str
    office: str
    sign_roles: tuple[Role, ...] = ()
    mend_days: int = 3
    mail: MailDetail = "count"
    ladder: tuple[int, ...] = (-3, 0, 1, 5)
    extends: tuple[str, ...] = EXTENDS
    steps: Steps = "optional"
    intake: str | None = None  # of a register (登记簿): the kind of case whose items it takes


@dataclass(frozen=True)
class Plan:
    """One plan: headings side by side, items in branches of their own, the timers before them, and the rhythms."""

    facts: Facts
    headings: tuple[Heading, ...]
    branch_items: tuple[Item, ...] = ()
    timers: tuple[Timer, ...] = ()
    cadences: tuple[Cadence, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """All items in reading order, those in branches last."""
        return tuple(self._walk())

    def needs_steps(self, item: Item) -> bool:
        """Whether each share of an item has to plan its steps (节点计划); what is reported by turns has none."""
        return (item.steps or self.facts.steps) == "required" and item.cadence is None

    def _walk(self) -> Iterator[Item]:
        for heading in self.headings:
            yield from heading.items
        yield from self.branch_items
