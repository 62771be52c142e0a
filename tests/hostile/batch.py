"""Runs the command `duban lint` on many files in one process, with little memory and little time for each.

    python -m tests.hostile.batch FOLDER

A line of JSON a file: what the command printed, how it ended, how long it took, and whether the engine refused the same
file by itself. SpiffWorkflow's parser is mined: a file that reaches it ends the process.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from click.testing import CliRunner
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser

from engine import opening, versions
from ledger.database import Database
from ledger.errors import Refused
from ledger.migrating import upgrade
from webapp.cli import main

SECONDS = 5  # of the processor: a machine that has other things to do makes no file slow
MEMORY = 1 << 30  # of addresses; the interpreter with every library in it takes half of that


def limited() -> None:
    """What a hostile file may use up."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _reached(*_args: object, **_kwargs: object) -> NoReturn:
    sys.stdout.write('{"reached": true}\n')
    sys.stdout.flush()
    os._exit(70)


def _hanging(*_args: object) -> NoReturn:
    sys.stdout.write('{"hanging": true}\n')
    sys.stdout.flush()
    os._exit(71)


def _linted(file: Path) -> dict[str, Any]:
    start = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    result = CliRunner().invoke(main, ["lint", str(file), "--json"])
    seconds = time.process_time() - start
    signal.setitimer(signal.ITIMER_PROF, 0)
    raised = repr(result.exception) if result.exc_info and not isinstance(result.exception, SystemExit) else None
    output = result.stdout if raised is None else "[]"
    return {"file": file.name, "exit": result.exit_code, "raised": raised, "seconds": seconds} | {
        "findings": json.loads(output)
    }


def _published(db: Database, xml: bytes) -> str:
    """What the engine itself says to a file that nobody has linted: "refused", or what else happened."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        with db.write() as tx:
            opening.publish(tx, xml)
    except Refused:
        return "refused"
    except Exception as error:
        return repr(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return "published"


def run(folder: Path) -> None:
    """Every file of a folder."""
    limited()
    signal.signal(signal.SIGPROF, _hanging)
    BpmnParser.add_bpmn_xml = BpmnParser.get_spec = _reached
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    upgrade(url)
    db = Database(url)
    for file in sorted(folder.glob("*.bpmn")):
        line = _linted(file) | {"published": _published(db, file.read_bytes()), "versions": len(versions._versions)}
        print(json.dumps(line, ensure_ascii=False), flush=True)
    db.close()


if __name__ == "__main__":
    run(Path(sys.argv[1]))
