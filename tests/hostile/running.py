"""The corpus through the real command: what it found, and what must hold of every file."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hostile.batch import SECONDS, limited
from tests.hostile.corpus import Case

ROOT = Path(__file__).parent.parent.parent
DUBAN = Path(sys.executable).parent / "duban"
CHINESE, WAY_OUT = re.compile("[\u4e00-\u9fff]"), re.compile("请|应为|应是")
PATIENCE = 60  # seconds on the clock
LONGEST = 1200  # characters of a message


@dataclass(frozen=True)
class Outcome:
    """One file: how many seconds of the processor the command took, and everything that is wrong with its answer."""

    case: Case
    seconds: float
    faults: tuple[str, ...]


def batch(cases: Sequence[Case], folder: Path) -> list[Outcome]:
    """All cases in one process; a case that ends it is found by the line that is missing."""
    for n, case in enumerate(cases):
        (folder / f"{n:05}.bpmn").write_bytes(case.xml)
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.batch", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    outcomes = [
        Outcome(case, line.get("seconds", SECONDS), tuple(_faults(case, line)))
        for case, line in zip(cases, lines, strict=False)
    ]
    if len(lines) < len(cases) or done.returncode:
        outcomes.append(
            Outcome(cases[min(len(lines), len(cases) - 1)], 0, (f"ended the process: {done.stderr[-2000:]}",))
        )
    return outcomes


def alone(case: Case, folder: Path) -> Outcome:
    """One case through the installed command in a process of its own, its start-up included."""
    file = folder / "alone.bpmn"
    file.write_bytes(case.xml)
    before = _spent()
    try:
        done = subprocess.run(
            [DUBAN, "lint", str(file), "--json"],
            capture_output=True, text=True, timeout=PATIENCE, preexec_fn=limited, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Outcome(case, PATIENCE, (f"took more than {PATIENCE} s",))
    seconds = _spent() - before
    if done.returncode != 1 or done.stderr:
        return Outcome(case, seconds, (f"exit {done.returncode}: {done.stderr[-2000:]}",))
    line = {"exit": 1, "findings": json.loads(done.stdout), "published": "refused", "versions": 0}
    return Outcome(case, seconds, tuple(_faults(case, line)))


def _spent() -> float:
    """Seconds of the processor that finished children have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _faults(case: Case, line: dict[str, Any]) -> Iterable[str]:
    if line.get("reached") or line.get("hanging"):
        yield "reached the engine" if line.get("reached") else f"took more than {SECONDS} s"
        return
    if line.get("raised"):
        yield f"raised {line['raised']}"
    errors = [f for f in line["findings"] if f["severity"] == "error"]
    if line["exit"] != 1 or not errors:
        yield f"was not refused (exit {line['exit']})"
    if line["published"] != "refused" or line["versions"]:
        yield f"was not refused by the engine itself: {line['published']}"
    if case.element and case.element not in {f["element"] for f in errors}:
        yield f"names {sorted({str(f['element'])[:30] for f in errors})} instead of {case.element[:30]}"
    for finding in errors:
        message = finding["message"]
        if not (CHINESE.search(message) and WAY_OUT.search(message)):
            yield f"names no way out: {message[:200]}"
        if len(message) > LONGEST:
            yield f"says {len(message)} characters in {finding['rule']}"


def one_of_each(cases: Iterable[Case]) -> list[Case]:
    """The largest case of each class, without what comes after a colon."""
    found: dict[str, Case] = {}
    for case in cases:
        kind = case.kind.partition(":")[0]
        if kind not in found or len(case.xml) > len(found[kind].xml):
            found[kind] = case
    return list(found.values())
