"""`duban backup` and `duban restore`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from engine.ticking import start_ticking
from ledger import archive
from ledger.archive import ArchiveError
from ledger.clearing import NOTHING, known
from ledger.database import Database
from ledger.files import Store
from webapp.checking import backup_paths
from webapp.settings import Settings, variable
from webapp.starting import StartError, fail, no_database, reachable_database, settings_or_exit
from webapp.verifying import verify

SETTINGS = "settings.env"
FILES = "files/"
UNCLEARED = (
    "没有找到依规清除的清单：归档之后清除过的内容会重新出现。"
    "若清除过，请用 --clearings 指定 duban backup clearings 的输出，另恢复到一个空库。"
)
SECRET = "归档含全部数据、密码散列和密钥，等同于数据库本身：请按同样的要求保管，不要随信发送。"

_File = click.Path(dir_okay=False, path_type=Path)
_Archive = click.Path(exists=True, dir_okay=False, path_type=Path)


class _WriteByDefault(click.Group):
    """`duban backup FILE.zip` writes; the other things to do with archives are named."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["write", *args])


@click.group(
    cls=_WriteByDefault, help="备份到一个归档文件：duban backup FILE.zip", subcommand_metavar="FILE.zip | COMMAND"
)
def backup() -> None:
    """The group of what is done with archives."""


@backup.command(help="写一份归档（可省去 write）；不影响正在使用的人")
@click.argument("file", type=_File)
def write(file: Path) -> None:
    """Write the archive; exit status 1 when attachments are missing in it, 2 when it cannot be written."""
    if file.exists():
        fail(StartError(f"{file} 已经存在，没有覆盖。请换一个文件名，例如带上日期。"))
    settings = settings_or_exit()
    with _database(settings) as db, _progress("正在备份") as progress:
        try:
            files: dict[str, Path | bytes] = {SETTINGS: environment_of(settings), **_extra(settings)}
            manifest = archive.write_archive(db, file, files, progress, store=settings.store)
        except ArchiveError as error:
            fail(error)
        except OSError as error:
            fail(StartError(f"归档 {file} 写不成（{error.strerror or error}），没有留下半份文件。"))
    size = file.stat().st_size / (1 << 20)
    click.echo(f"已备份到 {file}：{len(manifest.tables)} 张表、{manifest.rows} 行，{size:.1f} MB，只有本账号可读。")
    click.echo(SECRET)
    if manifest.missing:
        lost = f"有 {len(manifest.missing)} 个附件已不在 {settings.store.folder} 中，归档里没有它们"
        click.echo(f"{lost}：请用 duban verify 查明是哪些，并从以前的归档中找回。", err=True)
        sys.exit(1)


@backup.command("check", help="核对归档是否完整")
@click.argument("files", nargs=-1, required=True, type=_Archive)
def check_archives(files: tuple[Path, ...]) -> None:
    """Compare every digest; exit status 1 when an archive is damaged."""
    damaged = False
    for file in files:
        try:
            with archive.opened(file) as whole:
                m = whole.manifest
            click.echo(f"{file} 完整：{m.at}，版本 {m.release}，{m.database}，{m.rows} 行。")
        except ArchiveError as error:
            damaged = True
            click.echo(str(error), err=True)
    sys.exit(damaged)


@backup.command(help="取出归档中的设置（含密钥），写入文件")
@click.argument("file", type=_Archive)
@click.argument("to", type=_File)
def settings(file: Path, to: Path) -> None:
    """Write settings.env into a file of the owner alone; exit status 1 when there is none."""
    try:
        with archive.opened(file) as whole:
            _extract(whole, SETTINGS, to)
    except (ArchiveError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(f"设置已写入 {to}，只有本账号可读。")


@backup.command(help="列出已依规清除的内容的位置（不含内容），供 cleanse 之外的归档使用")
def clearings() -> None:
    """Print stream,seq,field of every text that was cleared: what `duban restore --clearings` takes."""
    with _database(settings_or_exit()) as db, db.read() as connection:
        found = known(connection)
    archive.write_list(sys.stdout, found)


@backup.command(help="从旧归档中删去已依规清除的内容")
@click.argument("files", nargs=-1, required=True, type=_Archive)
def cleanse(files: tuple[Path, ...]) -> None:
    """Rewrite the archives; exit status 1 when one of them could not be."""
    with _database(settings_or_exit()) as db, db.read() as connection:
        found = known(connection)
    failed = False
    for file in files:
        try:
            told = archive.cleanse(file, found)
            click.echo(f"{file}：{f'删去 {told} 处' if told else '没有需要删去的内容'}。")
        except (ArchiveError, OSError) as error:
            failed = True
            click.echo(f"{file} 没有改动：{error}", err=True)
    sys.exit(failed)


@click.command(help="从归档恢复到一个空数据库（两种数据库可互换），并核验")
@click.argument("file", type=_Archive)
@click.option(
    "--clearings",
    "listed",
    type=_Archive,
    help="依规清除的清单（duban backup clearings 的输出）；不给则用附件文件夹里的",
)
@click.option("--files", "folder", type=click.Path(file_okay=False, path_type=Path), help="把归档中的其他文件放到这里")
def restore(file: Path, listed: Path | None, folder: Path | None) -> None:
    """Take the archive in; exit status 1 when what it brought does not verify, 2 when nothing was taken in."""
    settings = settings_or_exit()
    with _database(settings) as db:
        try:
            gone = archive.read_clearings(listed) if listed else archive.kept_list(settings.store)
            if folder:
                _refuse_existing(file, folder)
            with _progress("正在恢复") as progress:
                manifest = archive.restore(db, file, gone or NOTHING, progress, store=settings.store)
            with db.write() as tx:
                start_ticking(tx, tx.now)  # what this release lets time do
            taken = _extract_files(file, folder) if folder else 0
        except (ArchiveError, OSError) as error:
            fail(error)
        if gone is None:
            click.echo(UNCLEARED, err=True)
        click.echo(f"已恢复 {manifest.at} 的归档（版本 {manifest.release}，{manifest.rows} 行），正在核验。")
        if left := len([n for n in manifest.files if n.startswith(FILES)]) - taken:
            click.echo(f"归档中另有 {left} 个文件没有取出，需要时请用 --files 指定文件夹重新恢复，或自行解压。")
        _verify(db, settings.store)


def _verify(db: Database, store: Store) -> None:
    if verify(db, store, (), as_json=False):
        click.echo("数据已恢复，但与办理记录不一致，使用前请查明。", err=True)
        sys.exit(1)
    click.echo("核验无误。请接着运行 duban check，再启动 duban serve 和 duban scheduler。")


# ---------------------------------------------------------------- what stands beside the tables
def environment_of(settings: Settings) -> bytes:
    """Every setting that was given, as `sh` and systemd's EnvironmentFile read it, secrets included."""
    lines = []
    for field in sorted(settings.model_fields_set):
        value: Any = getattr(settings, field)
        plain = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        escaped = "".join(f"\\{c}" if c in '\\"$`' else c for c in plain)
        lines.append(f'{variable(field)}="{escaped}"\n')
    return "".join(lines).encode()


def _extra(settings: Settings) -> dict[str, Path | bytes]:
    """The files of DUBAN_BACKUP_FILES by their names in the archive, folders with all that is in them."""
    found: dict[str, Path | bytes] = {}
    for path in backup_paths(settings):
        if not path.exists():
            raise FileNotFoundError(f"DUBAN_BACKUP_FILES 中的 {path} 不存在")
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        named = {FILES + p.relative_to(path.parent).as_posix(): p for p in inside}
        if twice := sorted(found.keys() & named.keys()):
            raise OSError(f"DUBAN_BACKUP_FILES 中有两个 {twice[0].removeprefix(FILES)}，请改掉其中一个的名称")
        found |= named
    return found


def _extract_files(file: Path, folder: Path) -> int:
    """Write the other files under a folder; returns how many. Raises: ArchiveError for a name that leads out of it."""
    with archive.opened(file) as whole:
        names = [n for n in whole.manifest.files if n.startswith(FILES)]
        for name in names:
            to = (folder / name.removeprefix(FILES)).resolve()
            if not to.is_relative_to(folder.resolve()):
                raise ArchiveError(f"归档中的 {name} 指向文件夹之外，没有取出。")
            to.parent.mkdir(parents=True, exist_ok=True)
            _extract(whole, name, to)
    return len(names)


def _refuse_existing(file: Path, folder: Path) -> None:
    """Raises: ArchiveError naming what stands in the way of the files, before anything is taken in."""
    with archive.opened(file) as whole:
        paths = [folder / n.removeprefix(FILES) for n in whole.manifest.files if n.startswith(FILES)]
    if there := [str(p) for p in paths if p.exists()]:
        raise ArchiveError(f"{there[0]} 等 {len(there)} 个文件已经存在，没有动用。请用 --files 换一个空文件夹。")


def _extract(whole: archive.Archive, name: str, to: Path) -> None:
    """Write one file of the owner alone; one that is there already stays. Raises: ArchiveError, OSError."""
    if name not in whole.manifest.files:
        raise ArchiveError(f"归档中没有 {name}。")
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        for piece in whole.pieces(name):
            out.write(piece)


# ---------------------------------------------------------------- around every command
@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    try:
        db = reachable_database(settings)
    except StartError as error:
        fail(error)
    try:
        yield db
    except DBAPIError as error:
        fail(no_database(settings, error))
    finally:
        db.close()


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar where somebody looks at it."""
    with click.progressbar(length=1, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield progress
