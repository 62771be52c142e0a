"""What can go wrong for a person; each error carries its data and composes its own sentence in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ledger.calendar import SHANGHAI


class DubanError(Exception):
    """Root of the errors that a page shows to a person as they are."""


class Refused(DubanError):
    """The rules do not allow this act now; the message says why and what to do next."""


class NotAllowed(DubanError):
    """The actor holds no post that may do this."""


class NotFound(DubanError):
    """What was asked for does not exist, or the actor may not know of it."""


class AlreadySent(DubanError):
    """The same form was handed in before and stands in the ledger; nothing is written a second time."""

    def __init__(self) -> None:
        super().__init__("这份内容刚才已经提交并记录，没有重复登记。")


class Invalid(DubanError):
    """Fields that were filled in wrongly: `fields` maps a form field to the sentence shown beside it."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__("；".join(self.fields.values()))


class Questions(DubanError):
    """Values that look wrong but may be right: shown beside the field, accepted when the person confirms."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__("；".join(self.fields.values()))


class NotEvery(DubanError):
    """Of several things asked for at once some cannot be done, so nothing was: `reasons` says of each why not."""

    def __init__(self, reasons: Mapping[Any, str], of: int) -> None:
        self.reasons = dict(reasons)
        rest = "已取消勾选，其余仍可一并办理" if len(self.reasons) < of else "请核对后再办"
        super().__init__(f"{of} 件中有 {len(self.reasons)} 件不能办理，都没有提交。原因分别写在下面，{rest}。")


class Conflict(DubanError):
    """Someone was faster. Nothing was written; the caller keeps what was typed."""

    def __init__(self, who: str, at: datetime | None, what: str) -> None:
        self.who, self.at, self.what = who, at, what
        when = f"{at.astimezone(SHANGHAI):%m-%d %H:%M}" if at else "刚才"
        self.happened = f"{who} 已于 {when} {what}"
        super().__init__(f"{self.happened}，您的内容没有提交，已保留在下方，请核对后再办。")
