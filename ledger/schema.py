"""Every table, by concept. Projections are written by `ledger.projections` alone; the rest is named as what it is.

Identifiers of projections stand in the events that create them, so a replay gives the same rows. Instants are aware
UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    Row,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.engine import Dialect

from ledger.rules.verbs import EXTENDS


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime on every database (SQLite itself keeps no offset)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


AnyRow = Row[*tuple[Any, ...]]

UNDATED = datetime(9999, 1, 1, tzinfo=UTC)  # sorts after every due instant

# SQLite only numbers rows by itself for INTEGER PRIMARY KEY.
Serial = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# ---------------------------------------------------------------- truth: append-only
event = Table(
    "event",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("stream", String(40), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("schema", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("prev", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("stream", "seq"),
)

content = Table(  # free text and names, apart from the chain: an event knows only the salted digest
    "content",
    metadata,
    Column("stream", String(40), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("field", String(40), primary_key=True),
    Column("salt", String(32)),
    Column("text", Text),
)

attachment = Table(  # a file of an event, like its texts: the event knows only the salted digest of its sha256
    "attachment",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("stream", String(40), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("assignment_id", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("salt", String(32)),
    Column("sha256", String(64), index=True),
    Index("ix_attachment_stream", "stream", "seq"),
)

stream = Table(  # the head of each chain
    "stream",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    Column("sealed", Integer, nullable=False, server_default=text("0")),  # the last of its events that has a seal
    Column("followed", Integer, nullable=False, server_default=text("0")),  # the last that `standing` has taken in
    Index(
        "ix_stream_unsealed",
        "name",
        sqlite_where=text("seq > sealed"),
        postgresql_where=text("seq > sealed"),
    ),
    Index(
        "ix_stream_unfollowed",
        "name",
        sqlite_where=text("followed < seq"),
        postgresql_where=text("followed < seq"),
    ),
)

seal = Table(  # one chain over all committed events, written by the tick
    "seal",
    metadata,
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("stream", String(40), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("sealed_at", Instant, nullable=False),
    UniqueConstraint("stream", "seq"),
)

# ---------------------------------------------------------------- the directory
unit = Table(
    "unit",
    metadata,
    Column("key", String(60), primary_key=True),
    Column("jurisdiction", String(40), nullable=False),
    Column("name", String(80), nullable=False),
    Column("short", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("host", String(60)),
    Column("ord", Integer, nullable=False),
    Column("parent", String(60), index=True),  # the unit directly above, which may hand its shares down (分解下达)
    Column("ended_at", Instant),
    Column("successor", String(60), index=True),  # 承接: who answers for a unit that has ended; none: it was given up
    Column("begins_at", Instant),  # of a unit that is not there yet
)

jurisdiction = Table(  # 行政区 that has a directory of units; what it is called
    "jurisdiction",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("name", String(80), nullable=False),
)

unit_alias = Table(  # what else plans print for a unit
    "unit_alias",
    metadata,
    Column("unit", String(60), primary_key=True),
    Column("name", String(80), primary_key=True),
)

unit_group = Table(  # 单位组: what plans print for several units (各县区), or for those who are named later (有关部门)
    "unit_group",
    metadata,
    Column("jurisdiction", String(40), primary_key=True),
    Column("name", String(80), primary_key=True),
    Column("aliases", Text, nullable=False),  # names and keys of units, as JSON lists
    Column("members", Text, nullable=False),
    Column("open", Boolean, nullable=False),
)

unit_name = Table(  # what a unit was called until it was renamed
    "unit_name",
    metadata,
    Column("unit", String(60), primary_key=True),
    Column("until", Instant, primary_key=True),
    Column("name", String(80), nullable=False),
    Column("short", String(40), nullable=False),
)

unit_change = Table(  # 更名, 合并, 拆分, 职责划转, 撤销, 启用: decided for a moment, then done
    "unit_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(10), nullable=False),  # rename, merge, transfer, end, begin
    Column("unit", String(60), nullable=False),
    Column("to_unit", String(60)),
    Column("name", String(80)),
    Column("short", String(40)),
    Column("shares", Text, nullable=False),  # of a transfer: which open shares, a JSON list of ids
    Column("at", Instant, nullable=False),
    Column("seq", Integer, nullable=False),  # of the decision, where its ground hangs
    Column("state", String(10), nullable=False),  # planned, done, cancelled
    Column("done_at", Instant),
    Index("ix_unit_change_unit", "unit"),
)

person = Table(  # an account, not a projection: names and passwords never enter the chain
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(60), nullable=False, unique=True),
    Column("name", String(40), nullable=False),
    Column("email", String(200), nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("active", Boolean, nullable=False, default=True),
    Column("must_change", Boolean, nullable=False, default=False, server_default=false()),  # at the next log-in
    Column(
        "browsers", Integer, nullable=False, default=0, server_default=text("0")
    ),  # counts when known ones were forgotten
)

post = Table(
    "post",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", Integer, nullable=False, index=True),
    Column("unit", String(60), nullable=False),
    Column("role", String(20), nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("deputy_for", Integer),  # 委托代理: the post beside which this one is held for a while
    Column("plan", String(60)),  # limited to one plan; none: it serves them all
    Column("rank", String(1)),  # of liaisons: A 角 is written to, B 角 where there is none
    Column("field", String(40)),  # 分管领域 of a deputy head, in words
    Column("seq", Integer, nullable=False, server_default=text("0")),  # of its taking: the name of the day hangs there
    Index("ix_post_unit_role", "unit", "role"),
)

handover = Table(  # 交接: what the successor is told, until it is received
    "handover",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("post_id", Integer, nullable=False),  # that was left
    Column("to_post", Integer, nullable=False, index=True),
    Column("seq", Integer, nullable=False),  # of its event, where 交接说明 hangs
    Column("at", Instant, nullable=False),
    Column("received_at", Instant),
)

# ---------------------------------------------------------------- plans and runs
plan_version = Table(
    "plan_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("plan", String(60), nullable=False),
    Column("number", Integer, nullable=False),
    Column("title", String(200), nullable=False),
    Column("jurisdiction", String(40), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("published_at", Instant, nullable=False),
    UniqueConstraint("plan", "number"),
)

plan_source = Table(  # the published diagram, byte for byte; found by its digest, never changed
    "plan_source",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("xml", Text, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version_id", Integer, ForeignKey("plan_version.id"), nullable=False),
    Column("plan", String(60), nullable=False),
    Column("title", String(200), nullable=False),
    Column("short", String(60), nullable=False),
    Column("jurisdiction", String(40), nullable=False),
    Column("office", String(60), nullable=False),
    Column("period_start", Date, nullable=False),
    Column("period_end", Date),  # none for a plan that stands until further notice
    Column("sign_roles", String(60), nullable=False),
    Column("mend_days", Integer, nullable=False),
    Column("mail", String(10), nullable=False),
    Column("ladder", String(40), nullable=False),
    Column("extends", String(60), nullable=False, server_default=" ".join(EXTENDS)),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("ix_run_office", "office"),
    Index("ix_run_jurisdiction", "jurisdiction"),
)

run_state = Table(  # the engine's own state; not rebuilt by a replay
    "run_state",
    metadata,
    Column("run_id", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
)

# ---------------------------------------------------------------- items, shares, figures
item = Table(
    "item",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Integer, ForeignKey("run.id"), nullable=False),
    Column("element", String(80), nullable=False),
    Column("ord", Integer, nullable=False),
    Column("no", String(20), nullable=False),
    Column("title", String(200), nullable=False),
    Column("clause", Text, nullable=False),
    Column("heading", String(80)),
    Column("heading_name", String(120), nullable=False),
    Column("completion", String(10), nullable=False),
    Column("gated", Boolean, nullable=False),
    Column("lifecycle", String(40), nullable=False),
    Column("cadence", String(40)),
    Column("state", String(20), nullable=False),
    Column("due_at", Instant),
    Column("due_text", String(80), nullable=False),
    Column("due_steps", Text, nullable=False),
    Column("n_total", Integer, nullable=False),
    Column("n_done", Integer, nullable=False),
    Column("open_units", Text, nullable=False),  # printed groups that still expand to nobody, a JSON list
    Column("opened_at", Instant),
    Column("closed_at", Instant),
    Column("lasting", Boolean, nullable=False, server_default=false()),  # 长期坚持: never red
    Column("needs_steps", Boolean, nullable=False, server_default=false()),  # each share has to plan its steps
    Column("origin", Integer, index=True),  # of a 整改: the item whose closing was revoked
    UniqueConstraint("run_id", "element"),
    Index("ix_item_run_id_ord", "run_id", "ord"),
    Index(
        "ix_item_closed_at",
        "closed_at",
        sqlite_where=text("closed_at IS NOT NULL"),
        postgresql_where=text("closed_at IS NOT NULL"),
    ),
)

assignment = Table(
    "assignment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("item_id", Integer, ForeignKey("item.id"), nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("unit", String(60), nullable=False),
    Column("role", String(20), nullable=False),
    Column("ord", Integer, nullable=False),
    Column("quota", Numeric(18, 4)),
    Column("presumed", Boolean, nullable=False, server_default=false()),  # not printed; for the coordinator to confirm
    Column("state", String(20), nullable=False),
    Column("step", String(40)),
    Column("arm", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("due_at", Instant),
    Column("acknowledged_at", Instant),
    Column("submitted_at", Instant),
    Column("reported_at", Instant),
    Column("returns", Integer, nullable=False),
    Column("touched_at", Instant),
    Column("closed_at", Instant),
    Column("overlay", String(20)),  # 延期审核中, 异议处理中 or 暂停计时 over the state
    Column("original_due", Instant),  # before the first extension; set once there was one
    Column("suspended_at", Instant),
    Column("steps_in_force", Integer),  # the petition whose steps (节点计划) were confirmed last
    Column("keeper", Integer),  # the post inside the unit to which the work was handed on (转交)
    Column("parent_id", Integer),  # 分解下达: the share of which this one is a part
    Column("lifecycle", String(40)),  # its own, where it is not the item's
    Index(  # a unit whose share was ended may be named again
        "uq_assignment_item_id_unit",
        "item_id",
        "unit",
        unique=True,
        sqlite_where=text("state NOT IN ('terminated', 'revoked')"),
        postgresql_where=text("state NOT IN ('terminated', 'revoked')"),
    ),
    Index("ix_assignment_item_id", "item_id"),
    Index("ix_assignment_run_id_unit", "run_id", "unit"),
    Index("ix_assignment_unit", "unit"),
    Index(
        "ix_assignment_parent_id",
        "parent_id",
        sqlite_where=text("parent_id IS NOT NULL"),
        postgresql_where=text("parent_id IS NOT NULL"),
    ),
)

petition = Table(  # what a unit applied for and posts decide in turn: 申请延期, 提出异议, 节点计划
    "petition",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment_id", Integer, ForeignKey("assignment.id"), nullable=False),
    Column("kind", String(20), nullable=False),  # extension, objection, steps
    Column("state", String(20), nullable=False),  # open, granted, declined, taken_back, lapsed
    Column("chain", Text, nullable=False),  # who decides in turn: a JSON list of [unit, role]
    Column("turn", Integer, nullable=False),  # whose turn it is, from 1
    Column("applied_at", Instant, nullable=False),
    Column("due_at", Instant),  # by when a decision is owed
    Column("asked_due", Instant),
    Column("asked_unit", String(60)),
    Column("settled_at", Instant),
    Index(
        "uq_petition_open",
        "assignment_id",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)

step = Table(  # a dated step of a share (节点); its words hang on the event `seq` of the item's stream as step-<field>
    "step",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("petition_id", Integer, ForeignKey("petition.id"), nullable=False, index=True),
    Column("assignment_id", Integer, nullable=False, index=True),
    Column("n", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("share", Numeric(5, 2)),  # of the target, in per cent, that is to be reached with it
    Column("seq", Integer, nullable=False),
    Column("field", Integer, nullable=False),
    Column("done_at", Instant),
    Column("done_seq", Integer),  # of the report that says so
)

intake = Table(  # 来件 (批示件 ...): registered, proposed and decided before its item is handed out, reported after it
    "intake",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("item_id", Integer, ForeignKey("item.id"), nullable=False, index=True),
    Column("run_id", Integer, nullable=False, index=True),
    Column("register", Integer, nullable=False),  # the run of the register (登记簿) in which it has its number
    Column("kind", String(20), nullable=False),  # ledger.rules.intakes.KINDS
    Column("no", String(20), nullable=False),
    Column("linked", Boolean, nullable=False),  # the item was there before
    Column("facts", Text, nullable=False),  # what the form asked that is no free text, JSON
    Column("seq", Integer, nullable=False),  # of its registration in the item's stream, where its words hang
    Column("state", String(20), nullable=False),
    Column("step", String(40)),  # none: it has ended
    Column("arm", Integer, nullable=False),  # how often that step has been come to
    Column("due_at", Instant),  # of the step
    Column("proposal", Text),  # the last one: outcome, units with their roles, date or working days, JSON
    Column("outcome", String(10)),
    Column("registered_at", Instant, nullable=False),
    Column("ended_at", Instant),
    UniqueConstraint("register", "no"),
)

entry = Table(  # 代录: what the office entered for a unit, until the unit confirms it
    "entry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment_id", Integer, ForeignKey("assignment.id"), nullable=False, index=True),
    Column("seq", Integer, nullable=False),  # of its report in the item's stream
    Column("source", String(10), nullable=False),  # phone, paper, sheet
    Column("entered_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
)

indicator = Table(
    "indicator",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("item_id", Integer, ForeignKey("item.id"), nullable=False, index=True),
    Column("key", String(60), nullable=False),
    Column("name", String(120), nullable=False),
    Column("op", String(5), nullable=False),
    Column("target", Numeric(18, 4), nullable=False),
    Column("target_max", Numeric(18, 4)),
    Column("measure", String(20), nullable=False),
    Column("per", String(10)),
    Column("by", Date),  # its own last day, where the item's is another
    Column("each", String(60)),
    Column("among", Text),  # whom `each` named when the item was planned: keys of units, as a JSON list
    Column("sum_rule", String(10), nullable=False),
    Column("definition", String(400)),  # 口径
    Column("source", String(120)),
    Column("as_of", String(60)),  # the moment of which a reading speaks
    Column("reporter", String(60)),  # the one unit that fills it
    Column("same_as", Integer, index=True),  # 一数一源: the indicator of another plan whose readings these are
)

# Every value as reported (填报值), and what others made of it; `figure` holds what counts of each share.
reading = Table(
    "reading",
    metadata,
    Column("item_id", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("indicator_id", Integer, primary_key=True),
    Column("assignment_id", Integer, nullable=False),
    Column("value", Numeric(18, 4), nullable=False),
    Column("round_id", Integer),
    Column("reported_at", Instant, nullable=False),
    Column("corrects", Integer),  # the number of the reading that this one puts right
    Column("checked", Numeric(18, 4)),  # 审核值
    Column("settled", Numeric(18, 4)),  # 核定值
    Index("ix_reading_indicator_id", "indicator_id", "assignment_id"),
)

figure = Table(
    "figure",
    metadata,
    Column("indicator_id", Integer, primary_key=True),
    Column("assignment_id", Integer, primary_key=True),
    Column("value", Numeric(18, 4), nullable=False),
    Column("reported_at", Instant, nullable=False),
)

# ---------------------------------------------------------------- rounds
round_ = Table(
    "round",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Integer, ForeignKey("run.id"), nullable=False),
    Column("item_id", Integer),  # set: the round is an occurrence of this recurring item
    Column("cadence", String(40), nullable=False),
    Column("name", String(40), nullable=False),
    Column("n", Integer, nullable=False),
    Column("n_last", Integer, nullable=False),
    Column("day", Date),  # on which the plan's rule has it open, before any shift; NULL: opened before 0.2.0
    Column("opens_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("steps", Text, nullable=False),
    Column("n_total", Integer, nullable=False),
    Column("n_done", Integer, nullable=False),
    Column("closed_at", Instant),
    UniqueConstraint("run_id", "cadence", "n"),
    Index("ix_round_item_id", "item_id"),
)

share = Table(  # a unit's share of a round
    "share",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("round_id", Integer, ForeignKey("round.id"), nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("unit", String(60), nullable=False),
    Column("assignment_id", Integer),  # set in an occurrence
    Column("state", String(10), nullable=False),
    Column("nothing_new", Boolean, nullable=False),
    Column("reported_at", Instant),
    UniqueConstraint("round_id", "unit"),
    Index("ix_share_assignment_id", "assignment_id"),
)

todo = Table(  # what stands in an inbox: addresses a unit and a role, never a person
    "todo",
    metadata,
    Column("owner_kind", String(12), primary_key=True),
    Column("owner_id", Integer, primary_key=True),
    Column("step", String(40), primary_key=True),
    Column("arm", Integer, primary_key=True),
    Column("run_id", Integer, nullable=False),
    Column("item_id", Integer),
    Column("unit", String(60), primary_key=True),  # one step has several posts where they sign together (会签, 或签)
    Column("role", String(20), primary_key=True),
    Column("due_at", Instant),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("closed_post", Integer),
    Index(
        "ix_todo_open",
        "unit",
        "role",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index("ix_todo_run", "run_id", sqlite_where=text("closed_at IS NULL"), postgresql_where=text("closed_at IS NULL")),
)

clearing = Table(  # 依规清除: what one person applies for and another decides
    "clearing",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(10), nullable=False),  # text, name
    Column("stream", String(40)),  # of a text: the event it hangs on, and its fields there, a JSON list
    Column("seq", Integer),
    Column("fields", Text),
    Column("subject", Integer),  # of a name: the person
    Column("jurisdiction", String(40), nullable=False),
    Column("state", String(10), nullable=False),  # waiting, done, declined
    Column("applied_at", Instant, nullable=False),
    Column("applied_by", Integer, nullable=False),
    Column("applied_post", Integer, nullable=False),
    Column("applied_seq", Integer, nullable=False),  # of the application in its stream, where its ground hangs
    Column("decided_at", Instant),
    Column("decided_by", Integer),
    Column("decided_post", Integer),
    Column("decided_seq", Integer),
    Column("places", Integer, nullable=False),  # how many texts were cleared
    Index("ix_clearing_stream", "stream"),
    Index("ix_clearing_state", "state", "id"),
)

day_override = Table(  # an administrator's word on a day, before the yearly notice or against it
    "day_override",
    metadata,
    Column("day", Date, primary_key=True),
    Column("working", Boolean, nullable=False),
)

PROJECTIONS = (
    jurisdiction,
    unit,
    unit_alias,
    unit_group,
    unit_name,
    unit_change,
    post,
    handover,
    plan_version,
    run,
    item,
    assignment,
    petition,
    step,
    intake,
    entry,
    indicator,
    reading,
    figure,
    round_,
    share,
    todo,
    clearing,
    day_override,
)

# ---------------------------------------------------------------- a cache of what the ledger says, see ledger.following
standing = Table(  # where an item stands in the order of each list; its words are worked out when they are shown
    "standing",
    metadata,
    Column("item_id", Integer, primary_key=True, autoincrement=False),
    Column("run_id", Integer, nullable=False),
    Column("ord", Integer, nullable=False),
    Column("rank", Integer, nullable=False),  # of its light; `lights.RANKS` gives the colour
    Column("due_at", Instant, nullable=False),  # UNDATED stands for none
    Column("changes_at", Instant),  # when time alone may change the rank
    Column("seq", Integer, nullable=False),  # of its stream, as it was taken in
    Column("unit_ord", Integer, nullable=False, server_default=text("0")),  # of the unit that is printed first
    Column("state_rank", Integer, nullable=False, server_default=text("0")),  # how far its state is on the way
    Column("done", Integer, nullable=False, server_default=text("0")),  # accepted shares of all, in 1/10,000
    Column("touched", BigInteger, nullable=False, server_default=text("0")),  # last report, in microseconds; 0: none
    Index("ix_standing_unit_ord", "unit_ord", "run_id", "ord"),
    Index("ix_standing_state_rank", "state_rank", "run_id", "ord"),
    Index("ix_standing_done", "done", "run_id", "ord"),
    Index("ix_standing_touched", "touched", "run_id", "ord"),
    Index("ix_standing_rank", "rank", "due_at", "run_id", "ord"),
    Index("ix_standing_run_id_rank", "run_id", "rank", "due_at", "ord"),
    Index("ix_standing_run_id_ord", "run_id", "ord"),
    Index("ix_standing_due_at", "due_at", "run_id", "ord"),
    Index(
        "ix_standing_changes_at",
        "changes_at",
        sqlite_where=text("changes_at IS NOT NULL"),
        postgresql_where=text("changes_at IS NOT NULL"),
    ),
)

tally = Table(  # how many items of a run stand in each colour
    "tally",
    metadata,
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    *(Column(colour, Integer, nullable=False) for colour in ("red", "yellow", "green", "grey", "blue")),
)

basis = Table(  # one row: the rule and the calendar that all of `standing` was judged by
    "basis",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
)

# ---------------------------------------------------------------- work to be done: state without events
due = Table(
    "due",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("owner_kind", String(12), nullable=False),
    Column("owner_id", Integer, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("arm", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("rank", Integer, nullable=False),  # order within one instant, see engine.chasing
    UniqueConstraint("owner_kind", "owner_id", "kind", "arm"),
    Index("ix_due_at", "at", "rank", "id"),
)

advance = Table(
    "advance",
    metadata,
    Column("run_id", Integer, primary_key=True),
    Column("item_id", Integer, primary_key=True),
)

notice = Table(
    "notice",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("owner_kind", String(12), nullable=False),
    Column("owner_id", Integer, nullable=False),
    Column("arm", Integer, nullable=False),
    Column("tier", String(120), nullable=False),
    Column("unit", String(60), nullable=False),
    Column("role", String(20), nullable=False),
    Column("run_id", Integer, nullable=False),
    Column("item_id", Integer),
    Column("at", Instant, nullable=False),
    Column("immediate", Boolean, nullable=False),
    Column("state", String(12), nullable=False),  # pending, sent, superseded, moot
    UniqueConstraint("owner_kind", "owner_id", "arm", "tier", "unit", "role"),
    Index(
        "ix_notice_pending",
        "immediate",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index("ix_notice_item_id", "item_id"),
)

delivery = Table(  # which notices went to whom in which mail
    "delivery",
    metadata,
    Column("notice_id", BigInteger, ForeignKey("notice.id"), primary_key=True),
    Column("message_id", BigInteger, ForeignKey("message.id"), primary_key=True),
)

message = Table(  # the outbox
    "message",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("key", String(120), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("person_id", Integer, nullable=False, index=True),
    Column("address", String(200), nullable=False),
    Column("context", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("header_id", String(120), nullable=False),  # Message-ID: the same in every attempt
    Column("state", String(12), nullable=False),  # queued, sending, sent, dead
    Column("attempts", Integer, nullable=False, default=0),
    Column("try_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("token", String(32)),
    Column("sent_at", Instant),
    Column("error", Text),
    Index("ix_message_state_try_at", "state", "try_at"),
)

glance = Table(  # who was shown what was handed in: it cannot be taken back unread any more
    "glance",
    metadata,
    Column("assignment_id", Integer, primary_key=True),
    Column("step", String(40), primary_key=True),
    Column("arm", Integer, primary_key=True),
    Column("person_id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
)

draft = Table(  # what a person typed and has not yet handed in
    "draft",
    metadata,
    Column("person_id", Integer, primary_key=True),
    Column("form", String(80), primary_key=True),
    Column("fields", Text, nullable=False),
    Column("saved_at", Instant, nullable=False),
)

plan_draft = Table(  # a plan that is being written; `revision` counts its savings, so that nobody overwrites another
    "plan_draft",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("plan", String(60), nullable=False, unique=True),
    Column("office", String(60), nullable=False, index=True),
    Column("jurisdiction", String(40), nullable=False),
    Column("title", String(200), nullable=False),
    Column("base_version_id", Integer, ForeignKey("plan_version.id")),
    Column("origin", Text, nullable=False),  # the diagram it began from: what is not edited keeps these bytes
    Column("xml", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("saved_by", Integer, nullable=False),
    Column("saved_at", Instant, nullable=False),
)

sent_form = Table(  # forms that were handed in, so that one sent again after a lost answer does nothing twice
    "sent_form",
    metadata,
    Column("person_id", Integer, primary_key=True),
    Column("mark", String(64), primary_key=True),
    Column("sent_at", Instant, nullable=False, index=True),
)

# ---------------------------------------------------------------- the doors: state without events
login_session = Table(  # the cookie holds a random token, this row its digest
    "login_session",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("person_id", Integer, nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),  # written at most every few minutes
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("address", String(45), nullable=False),
    Column("agent", String(200), nullable=False),
)

login_log = Table(  # 登录日志: an account that does not exist is not named, for people type passwords there
    "login_log",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("person_id", Integer, index=True),
    Column("outcome", String(20), nullable=False),  # ledger.logins.Outcome
    Column("address", String(45), nullable=False),
    Column("agent", String(200), nullable=False),
)

throttle = Table(  # tries by whoever they are counted for, see ledger.rules.throttle
    "throttle",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("n", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
)

password_reset = Table(  # links to set a new password; one that leads nowhere has no person
    "password_reset",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("person_id", Integer, index=True),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

upload = Table(  # a file that a person has put into a form and not yet handed in
    "upload",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # which the attachment keeps
    Column("person_id", Integer, nullable=False),
    Column("form", String(80), nullable=False),
    Column("mark", String(80), nullable=False),  # by which the browser knows the same file again
    Column("name", String(200), nullable=False),
    Column("size", Integer, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("at", Instant, nullable=False),
    Column("sha256", String(64), index=True),  # known when everything has arrived
    Column("stored", Boolean, nullable=False),  # the store holds it: it can be handed in
    Index("ix_upload_person_id", "person_id", "form"),
)

export = Table(  # a sheet that a person has asked for; the file lies beside the store until it is forgotten
    "export",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", Integer, nullable=False, index=True),
    Column("asked", Text, nullable=False),  # what of the ledger: its filters and columns, JSON
    Column("state", String(20), nullable=False),  # queued, writing, done, failed
    Column("n_total", Integer),
    Column("n_done", Integer, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("beat_at", Instant),  # of whoever writes it
    Column("finished_at", Instant),
)

ledger_view = Table(  # a question to the ledger that a person keeps under a name; never its answer
    "ledger_view",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", Integer, nullable=False, index=True),
    Column("unit", String(60), index=True),  # shared with whoever holds a post there; none: the person's alone
    Column("name", String(40), nullable=False),
    Column("asked", Text, nullable=False),  # filters, sort and columns, JSON
    Column("saved_at", Instant, nullable=False),
)

default_view = Table(  # the view that the ledger opens with, an own one or a shared one
    "default_view",
    metadata,
    Column("person_id", Integer, primary_key=True, autoincrement=False),
    Column("view_id", Integer, nullable=False),
)

clock = Table(  # one row in demo mode: business time and where it is going
    "clock",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("now", Instant, nullable=False),
    Column("target", Instant, nullable=False),
)

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("beat_at", Instant, nullable=False),
)

counter = Table(
    "counter",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Integer, nullable=False),
)
