"""Makes the archive of an older release's database that `tests/integration/test_previous_release.py` takes in.

    .venv/bin/python -m tests.release_archive 0.1.0 acd398a tests/data/release-0.1.0.zip

The database is built by the code of that commit, 百日攻坚 in mid-campaign with rounds open, shares returned, mails
queued and timers waiting; only the archive is written by today's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ledger.archive import write_archive
from ledger.database import Database

ROOT = Path(__file__).resolve().parents[1]
BUILD = """
import sys
from ledger.clock import StoredClock
from ledger.database import Database
from ledger.migrating import upgrade
from webapp.demo import campaign
upgrade(sys.argv[1])
db = Database(sys.argv[1], StoredClock())
campaign.build(db)
db.close()
"""


def main(release: str, commit: str, file: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tree, url = f"{folder}/tree", f"sqlite:///{folder}/duban.sqlite3"
        subprocess.run(["git", "worktree", "add", "--detach", tree, commit], cwd=ROOT, check=True)
        try:
            environment = os.environ | {"PYTHONPATH": tree}
            subprocess.run([sys.executable, "-c", BUILD, url], cwd=tree, env=environment, check=True)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)
        db = Database(url)
        write_archive(db, Path(file), {}, release=release)
        db.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
