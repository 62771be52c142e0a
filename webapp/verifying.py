"""What `duban verify` prints: progress on stderr, the differences and a calm summary on stdout."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import click

from engine.verifying import differences
from ledger.database import Database
from ledger.files import Store
from ledger.sealing import Head
from ledger.verification import Check, Finding, Scene

SHOWN = 200  # findings of one check that are printed; the rest are counted
EVERY = 5.0  # seconds between two lines of progress

_HEAD = re.compile(r"(?<!\d)(\d{1,9}):([0-9a-f]{64})(?![0-9a-f])")


class HeadError(ValueError):
    """What was given as a seal's head is none."""


def parse_head(words: str) -> tuple[int, str]:
    """N:HASH as it stands in a mail. Raises: HeadError."""
    found = _HEAD.fullmatch(words.strip().lower())
    if found is None:
        raise HeadError(f"“{words}”不是封存凭据，应为 编号:64 位哈希，从邮件里整行复制。")
    return int(found[1]), found[2]


def heads_of_mail(file: Path) -> list[tuple[int, str]]:
    """The heads that stand in a stored mail (.eml). Raises: HeadError."""
    mail = message_from_bytes(file.read_bytes(), policy=default)
    part = mail.get_body(("plain", "html")) if isinstance(mail, EmailMessage) else None
    found = _HEAD.findall(str(part.get_content()) if isinstance(part, EmailMessage) else "")
    if not found:
        raise HeadError(f"{file} 里没有封存凭据；请用每周情况邮件的原件（.eml）。")
    return [(int(n), hashed) for n, hashed in dict.fromkeys(found)]


class _Progress:
    """Says on stderr what is being looked at, and every few seconds how far it is."""

    def __init__(self) -> None:
        self.label, self.begun, self.said = "", time.monotonic(), time.monotonic()

    def start(self, check: Check) -> None:
        self.label, self.begun = check.label, time.monotonic()
        click.echo(f"正在核对{check.label}……", err=True)

    def rows(self, n: int) -> None:
        now = time.monotonic()
        if now - self.said >= EVERY:
            self.said = now
            click.echo(f"正在核对{self.label}：已看 {n:,} 行，{now - self.begun:.0f} 秒", err=True)


def verify(db: Database, store: Store, heads: Sequence[tuple[int, str]], *, as_json: bool) -> int:
    """Check everything in one consistent view, and the files that belong to it; returns the exit status, 1 when
    anything differs."""
    progress, begun = _Progress(), time.monotonic()
    found: list[Finding] = []
    totals: Counter[str] = Counter()
    with db.read() as connection:
        scene = Scene(connection, heads, store, progress.rows, db.clock)
        for finding in differences(scene, progress.start):
            totals[finding.check] += 1
            if totals[finding.check] <= SHOWN:
                found.append(finding)
                if not as_json:
                    click.echo(finding.message)
    seconds = time.monotonic() - begun
    if as_json:
        document = _document(found, totals, scene.counts, scene.head, seconds)
        click.echo(json.dumps(document, ensure_ascii=False, indent=1, default=str))
    else:
        _summary(totals, scene.counts, scene.head, seconds)
    return 1 if totals else 0


def _document(
    found: Iterable[Finding], totals: Mapping[str, int], counts: Mapping[str, int], last: Head | None, seconds: float
) -> dict[str, object]:
    return {
        "ok": not totals,
        "findings": [asdict(f) for f in found],
        "totals": dict(totals),
        "counts": dict(counts),
        "head": None if last is None else {"ordinal": last.ordinal, "hash": last.hash},
        "seconds": round(seconds, 1),
    }


def _summary(totals: Mapping[str, int], counts: Mapping[str, int], last: Head | None, seconds: float) -> None:
    for total in totals.values():
        if total > SHOWN:
            click.echo(f"……另有 {total - SHOWN:,} 处同类差异没有列出。")
    if totals:
        click.echo(f"发现 {sum(totals.values()):,} 处差异。请保留现场，先备份，再查明是谁在什么时候改动的。")
    else:
        click.echo("核对完毕，没有发现差异。")
    n = {key: f"{counts.get(key, 0):,}" for key in _COUNTED}
    click.echo(f"办理记录 {n['events']} 条，{n['streams']} 条链；文字 {n['texts']} 段，依规清除 {n['cleared']} 段。")
    click.echo(f"台账 {n['rows']} 行；方案实施 {n['runs']} 个，待办 {n['todos']} 件，到期安排 {n['due']} 条。")
    click.echo(f"附件 {n['files']} 个；提醒 {n['notices']} 条，邮件 {n['messages']} 封。用时 {seconds:.1f} 秒。")
    if last is not None:
        kept = f"，与邮件所载的 {n['heads']} 号相符" if counts.get("heads") else ""
        ahead = f"，尚有 {n['unsealed']} 条待下一次封存" if counts.get("unsealed") else ""
        click.echo(f"封存到第 {last.ordinal} 号{kept}{ahead}。凭据 {last.ordinal}:{last.hash}")


_COUNTED = (
    *("events", "streams", "texts", "files", "cleared", "unsealed", "heads", "rows"),
    *("runs", "todos", "due", "notices", "messages"),
)
