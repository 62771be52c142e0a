"""`python -m tests.hostile`: the whole corpus through `duban lint`; how many files, and the slowest."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.hostile.corpus import cases
from tests.hostile.running import alone, batch, one_of_each


def main() -> int:
    """Print the counts; 1 when a file was let through, reached the engine, or took too long."""
    corpus = list(cases())
    with tempfile.TemporaryDirectory() as folder:
        outcomes = batch(corpus, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        singles = [alone(case, Path(folder)) for case in one_of_each(corpus)]
    for outcome in (*outcomes, *singles):
        for fault in outcome.faults:
            print(f"{outcome.case.kind} {outcome.case.name}: {fault}")
    slowest, alone_slowest = (max(found, key=lambda o: o.seconds) for found in (outcomes, singles))
    kinds = Counter(case.kind.partition(":")[0] for case in corpus)
    print(", ".join(f"{kind} {n}" for kind, n in kinds.items()))
    faults = sum(bool(o.faults) for o in (*outcomes, *singles))
    print(f"{len(corpus)} files in {len(kinds)} classes, {faults} not refused as they should be")
    print(f"slowest in a batch {slowest.seconds:.2f} s ({slowest.case.kind} {slowest.case.name})")
    one = f"{alone_slowest.case.kind} {alone_slowest.case.name}"
    print(f"{len(singles)} of them as processes of their own, slowest {alone_slowest.seconds:.2f} s ({one})")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
