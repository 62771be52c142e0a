"""`duban lint`: what stands in the way of a diagram, for an editor's author and for scripts; it needs nothing else."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from bpmn.xml import brief
from engine.admission import findings
from webapp.given import InstallError, bytes_of


@click.command(help="检查一份方案图能否运行")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def lint(file: Path, as_json: bool) -> None:
    """Print the findings; exit status 1 when one of them is an error, 2 when the file cannot be read."""
    try:
        found = findings(bytes_of(file))
    except InstallError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    if as_json:
        click.echo(json.dumps([asdict(f) for f in found], ensure_ascii=False, indent=1))
    else:
        for f in found:
            kind = "错误" if f.severity == "error" else "提醒"
            click.echo(f"{kind} {brief(f.element) or '整图'}：{f.message}（{f.rule}）")
        click.echo("没有发现问题。" if not found else f"共 {len(found)} 处。")
    sys.exit(any(f.severity == "error" for f in found))
