"""What web and scheduler write to standard error: a line an event, JSON for machines or plain for people.

No line holds a name, an address, a text or a form field, whoever logs it. A message is a fixed sentence; of its
arguments only numbers are printed, an exception is told by its type, code and places in the code. Further values are
those of `FIELDS`: numbers, and words from fixed lists.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from gunicorn.glogging import Logger
from structlog.types import Processor

Form = Literal["json", "console"]
Line = MutableMapping[str, Any]

OURS = ("bpmn", "engine", "ledger", "webapp")
FIELDS = ("method", "route", "status", "ms", "person", "refused", "fired", "sent", "failed")
FRAMES = 12

log = logging.getLogger(__name__)


def form_of(said: str, demo: bool, stream: TextIO) -> Form:
    """What the setting says; by itself, people get lines and machines get JSON."""
    if said == "auto":
        return "console" if demo or stream.isatty() else "json"
    return "json" if said == "json" else "console"


def configure(form: Form, stream: TextIO | None = None) -> None:
    """From now on everything that this process logs goes through here."""
    out = stream or sys.stderr
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.stdlib.ExtraAdder(allow=FIELDS),
                _say,
                _tell_exception,
            ],
            use_get_message=False,
            pass_foreign_args=True,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # of libraries only what is wrong
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a request that waits for a thread is nothing wrong
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _log_uncaught(told.exc_type, told.exc_value, told.exc_traceback)


class GunicornLogger(Logger):
    """gunicorn's own lines, through the same handler."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        _log_uncaught(kind, error, trace)


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    log.critical("uncaught", exc_info=(kind, error or kind(), trace))


# ---------------------------------------------------------------- what a line may say
def _say(_logger: object, _method: str, line: Line) -> Line:
    """The message with its numbers; everything else that was handed to it becomes a mark.

    A library may have put together its message before it was logged: then only the place in its code is told.
    """
    args, record = line.pop("positional_args", ()), line["_record"]
    if not args and record.name.partition(".")[0] not in OURS:
        line["event"], line["at"] = "…", [f"{record.module}:{record.lineno} {record.funcName}"]
    elif args:
        values = {k: _harmless(v) for k, v in args.items()} if isinstance(args, dict) else tuple(map(_harmless, args))
        with suppress(TypeError, ValueError):  # where a number was asked for, the bare sentence has to do
            line["event"] = line["event"] % values
    return line


def _harmless(value: object) -> object:
    match value:
        case bool() | int() | float() | None:
            return value
        case list() | tuple() | set() if all(isinstance(v, int) for v in value):
            return value
        case BaseException():
            return type(value).__name__
    return "…"


def _tell_exception(_logger: object, _method: str, line: Line) -> Line:
    """An exception's message may quote whatever it choked on, so it is left out."""
    info = line.pop("exc_info", None)
    if isinstance(info, tuple) and info[1] is not None:
        chain = list(_chain(info[1]))
        line["error"] = " < ".join(map(_named, chain))
        line["at"] = list(_places(info[1].__traceback__))[-FRAMES:]
    return line


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _named(error: BaseException) -> str:
    """Its type, with the code that a server or the system gave it."""
    codes = (getattr(error, name, None) for name in ("sqlstate", "sqlite_errorname", "smtp_code", "errno"))
    code = next((c for c in codes if c is not None), None)
    return type(error).__name__ + (f"[{code}]" if code is not None else "")


def _places(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        frame = trace.tb_frame
        yield f"{frame.f_globals.get('__name__', '?')}:{trace.tb_lineno} {frame.f_code.co_name}"
        trace = trace.tb_next
