"""2,000 mutated diagrams: the linter answers each of them in time, and what it lets through runs to its end.

`python -m tests.hostile.test_fuzz 50000 7` plays the longer form: how many, and from which seed.
"""

import logging
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bpmn.reading import read_plan
from engine.admission import findings
from tests.hostile.living import Ledger, is_lifecycle, play_lifecycle, play_plan
from tests.hostile.mutants import mutants

MUTANTS, SEED = 2000, 20250523
SECONDS = 5
SMALL = 8  # items of a plan that people act through in the ledger; larger ones are run by the engine alone
IN_LEDGER = 25


def fuzz(number: int, seed: int, ledger: Ledger, in_ledger: int) -> tuple[Counter[str], list[str], float]:
    """(how many of what, what broke the law, the longest answer of the linter in seconds of the processor)."""
    counted, broken, slowest = Counter[str](), list[str](), 0.0
    for n, xml in mutants(number, seed):
        start = time.process_time()
        try:
            found = findings(xml)
        except Exception as error:
            broken.append(f"{n}: the linter raised {error!r}")
            continue
        slowest = max(slowest, time.process_time() - start)
        if any(f.severity == "error" for f in found):
            counted["refused"] += 1
            continue
        try:
            counted[_played(f"mutant {seed} {n}", xml, random.Random(n))] += 1
            if not is_lifecycle(xml) and counted["in ledger"] < in_ledger and len(read_plan(xml).items) <= SMALL:
                ledger.play(xml, random.Random(n))
                counted["in ledger"] += 1
        except Exception as error:
            broken.append(f"{n}: lint-clean, but {type(error).__name__}: {error}")
    return counted, broken, slowest


def _played(version: str, xml: bytes, dice: random.Random) -> str:
    if is_lifecycle(xml):
        play_lifecycle(version, xml, dice)
        return "lifecycles run"
    play_plan(version, xml, dice)
    return "plans run"


def test_what_is_lint_clean_runs(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    counted, broken, slowest = fuzz(MUTANTS, SEED, ledger, IN_LEDGER)
    assert broken == []
    assert slowest < SECONDS
    ledger.check()
    assert sum(counted.values()) - counted["in ledger"] == MUTANTS
    # a corpus in which nothing is clean any more would show nothing
    assert counted["plans run"] >= 80 and counted["lifecycles run"] >= 20 and counted["in ledger"] == IN_LEDGER, counted
    ledger.db.close()


def main() -> int:
    """The longer form."""
    number, seed = (int(word) for word in (*sys.argv[1:], *("20000", str(SEED))[len(sys.argv) - 1 :]))
    logging.basicConfig(level=logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{folder}/ledger.sqlite3")
        counted, broken, slowest = fuzz(number, seed, ledger, number // 10)
        ledger.check()
        ledger.db.close()
    print(*broken, sep="\n")
    print(
        f"{number} mutants from seed {seed}: {dict(counted)}, {len(broken)} broke the law, slowest lint {slowest:.2f} s"
    )
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
