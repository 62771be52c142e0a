"""`python -m tests.faults`: the long fault run on both databases; a JSON line for each kill, and a summary of each."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from random import SystemRandom
from tempfile import TemporaryDirectory

from tests.bench.__main__ import postgresql, sqlite
from tests.faults.killing import Summary, scenario


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of working processes, both databases together")
    parser.add_argument("--seed", type=int, help="of an earlier run, to choose victims and acts alike")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="one database")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else SystemRandom().randrange(10**6)
    _say({"event": "start", "seed": seed, "kills": asked.kills})
    found: list[Summary] = []
    with TemporaryDirectory(prefix="faults-") as folder:
        if asked.only != "postgresql":
            with sqlite() as url:
                found.append(_run(url, Path(folder) / "sqlite", asked.kills if asked.only else asked.kills // 2, seed))
        if asked.only != "sqlite":
            with postgresql() as url:
                if url is not None:
                    left = asked.kills - sum(s.kills for s in found)
                    found.append(_run(url, Path(folder) / "postgresql", left, seed))
    return int(any(s.wrong for s in found) or sum(s.kills for s in found) < asked.kills)


def _run(url: str, folder: Path, kills: int, seed: int) -> Summary:
    folder.mkdir()
    return scenario(url, folder, kills, seed, _say)


def _say(line: dict[str, object]) -> None:
    print(json.dumps(line, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
