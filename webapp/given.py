"""Files that a command line names."""

from __future__ import annotations

from pathlib import Path

from bpmn.xml import MAX_BYTES


class InstallError(Exception):
    """The installation cannot go on; every reason stands on a line of its own."""


def bytes_of(file: Path) -> bytes:
    """What stands in a file, no more than shows that it is too much. A pipe would be waited for without end.

    Raises: InstallError.
    """
    try:
        if not file.is_file():
            raise InstallError(f"“{file}”不是普通文件，不能读取；请指定磁盘上的一个文件。")
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InstallError(f"“{file}”读不出来（{error.strerror}）；请检查文件和读取权限。") from error
