"""What a deployment decides, read from environment variables with the prefix DUBAN_."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from engine.mail.smtp import Transport, is_address
from ledger.files import Store
from ledger.rules.filetypes import KINDS
from ledger.uploads import Limits

PREFIX = "DUBAN_"
MIN_SECRET = 32
MIN_TOKEN = 16
# Variables of the test suite, which may stand in the environment of the processes that it starts.
_OF_TESTS = ("DUBAN_TEST_", "DUBAN_E2E_", "DUBAN_REQUIRE_ALL")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_EXAMPLE = "例如 sqlite:////var/lib/duban/duban.sqlite3 或 postgresql+psycopg://用户:密码@127.0.0.1/duban"
_SENDER = "督办台账 <duban@localhost>"


class SettingsError(Exception):
    """The environment does not say what is needed; the message says which variable and how to mend it."""


class Settings(BaseSettings):
    """One field a variable: `database_url` is DUBAN_DATABASE_URL."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    database_url: str = Field(
        default="sqlite:///var/duban.sqlite3", description="SQLAlchemy 数据库地址，SQLite 或 PostgreSQL"
    )
    secret_key: SecretStr = Field(default=SecretStr(""), description="会话签名密钥，至少 32 个字符")
    base_url: str = Field(default="http://127.0.0.1:8000", description="邮件里链接的开头，也决定会话是否只走 HTTPS")
    place: str = Field(default="", description="页面左上角的地名；不填则用单位目录的行政区名称")
    demo: bool = Field(default=False, description="演示模式：演示账号、演示时钟、本机邮件")
    demo_mail: str = Field(default="var/demo/mail", description="演示模式：本机邮件存放的文件夹")
    files: str = Field(default="var/files", description="附件存放的文件夹，不能放在网页目录里；duban backup 一并归档")
    file_types: str = Field(default=",".join(KINDS), description="可以上传的类型，以逗号分隔")
    file_mb: int = Field(default=20, ge=1, le=500, description="每个附件最多多少 MB")
    file_count: int = Field(default=20, ge=1, le=50, description="一次最多附多少个文件")
    upload_days: int = Field(default=7, ge=1, le=90, description="没有提交的附件保留几天")
    session_hours: int = Field(default=12, ge=1, le=168, description="登录最长保持几个小时")
    idle_minutes: int = Field(default=60, ge=5, le=1440, description="多少分钟没有操作就要重新登录")
    login_log_days: int = Field(default=200, ge=184, description="登录日志保留天数；网络安全法要求不少于六个月")
    proxies: int = Field(default=0, ge=0, le=3, description="前面有几层反向代理；据此认出访问者的地址")
    smtp_host: str = Field(default="", description="发信服务器；不填则不发信，消息留在发件箱")
    smtp_port: int = Field(default=25, ge=1, le=65535, description="发信端口")
    smtp_security: Literal["none", "starttls", "tls"] = Field(default="none", description="发信加密方式")
    smtp_user: str = Field(default="", description="发信账号")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="发信密码")
    smtp_from: str = Field(default=_SENDER, description="发件人")
    log: Literal["auto", "json", "console"] = Field(
        default="auto", description="日志形式；auto：终端和演示中给人看，其余每行一个 JSON"
    )
    metrics_from: str = Field(default="127.0.0.0/8,::1/128", description="可以读取 /metrics 的地址或网段，以逗号分隔")
    metrics_token: SecretStr = Field(
        default=SecretStr(""), description="读取 /metrics 的令牌（Bearer），至少 16 个字符"
    )
    backup_files: str = Field(default="", description="备份时一并归档的文件或文件夹，以冒号分隔")

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")

    @model_validator(mode="after")
    def _complete(self) -> Settings:
        if faults := list(_faults(self)):
            raise ValueError("\n".join(faults))
        return self

    @property
    def sends_mail(self) -> bool:
        """Whether a mail that waits is late: not without a server, nor in the demo, whose business time leaps."""
        return bool(self.smtp_host) and not self.demo

    @property
    def transport(self) -> Transport | None:
        """The mail server that is named, None where mail is not set up."""
        if not self.smtp_host:
            return None
        user, password = self.smtp_user or None, self.smtp_password.get_secret_value() or None
        return Transport(self.smtp_host, self.smtp_port, self.smtp_from, self.smtp_security, user, password)

    @property
    def limits(self) -> Limits:
        """What kinds of files are taken, how big, how many."""
        types = frozenset(t.strip().lower() for t in self.file_types.split(",") if t.strip())
        return Limits(types, self.file_mb * 1024 * 1024, self.file_count)

    @property
    def store(self) -> Store:
        return Store(Path(self.files).absolute())

    @property
    def address(self) -> str:
        """The host of the pages' address."""
        return urlsplit(self.base_url).hostname or ""


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can reach a host of this name."""
    return host in _LOOPBACK or host.startswith("127.")


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


# ---------------------------------------------------------------- what does not fit, a sentence each
def _faults(said: Settings) -> Iterator[str]:
    if not said.demo and len(said.secret_key.get_secret_value().strip()) < MIN_SECRET:
        yield f"DUBAN_SECRET_KEY 未设置或不足 {MIN_SECRET} 个字符，请用 openssl rand -hex 32 生成一个"
    yield from _database_faults(said.database_url)
    yield from _address_faults(said)
    yield from _mail_faults(said)
    yield from _metrics_faults(said)
    if not said.files.strip():
        yield "DUBAN_FILES 是空的，请写明附件存放的文件夹，例如 /var/lib/duban/files"
    if not said.limits.types:
        yield f"DUBAN_FILE_TYPES 是空的，请写明可以上传的类型，或去掉它；可选：{'、'.join(KINDS)}"
    if unknown := sorted(said.limits.types - KINDS.keys()):
        yield f"DUBAN_FILE_TYPES 中的 {'、'.join(unknown)} 不认识，可选：{'、'.join(KINDS)}"


def _database_faults(url: str) -> Iterator[str]:
    try:
        parts = make_url(url)
    except ArgumentError:
        parts = None
    if parts is None or not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        yield f"DUBAN_DATABASE_URL 应以 sqlite:/// 或 postgresql+psycopg:// 开头，{_EXAMPLE}"
    elif parts.database in (None, "", ":memory:"):
        yield f"DUBAN_DATABASE_URL 没有写明数据库，{_EXAMPLE}"


def _address_faults(said: Settings) -> Iterator[str]:
    try:
        parts = urlsplit(said.base_url)
        is_whole = bool(parts.hostname and (parts.port is None or parts.port))
    except ValueError:  # a port that is no number, an IPv6 address without its end
        parts, is_whole = urlsplit(""), False
    if parts.scheme not in ("http", "https") or not is_whole or not said.base_url.isascii() or " " in said.base_url:
        yield "DUBAN_BASE_URL 须以 http:// 或 https:// 开头并写明主机，例如 https://duban.example.gov.cn"
    elif parts.path.strip("/") or parts.query or parts.fragment:
        yield f"DUBAN_BASE_URL 只写到主机和端口为止，请去掉后面的“{said.base_url.split(parts.netloc, 1)[1]}”"
    if said.demo and parts.scheme == "https":
        yield "DUBAN_DEMO=true 时谁都能以演示账号登录，不能用于 https 地址：请去掉 DUBAN_DEMO，或改 DUBAN_BASE_URL"


def _mail_faults(said: Settings) -> Iterator[str]:
    given = sorted(f for f in said.model_fields_set if f.startswith("smtp_") and f != "smtp_host")
    if given and not said.smtp_host:
        yield f"设置了 {'、'.join(map(variable, given))}，却没有 DUBAN_SMTP_HOST：请补上发信服务器，或去掉这些变量"
    if bool(said.smtp_user) != bool(said.smtp_password.get_secret_value()):
        yield "DUBAN_SMTP_USER 与 DUBAN_SMTP_PASSWORD 要么都填，要么都不填"
    if not is_address(said.smtp_from):
        yield "DUBAN_SMTP_FROM 不是邮件地址，应如“督办台账 <duban@example.gov.cn>”"
    elif said.smtp_from == _SENDER and said.smtp_host and not is_loopback(said.smtp_host):
        yield "设置了 DUBAN_SMTP_HOST，请同时用 DUBAN_SMTP_FROM 写明发件人，例如“督办台账 <duban@example.gov.cn>”"


def _metrics_faults(said: Settings) -> Iterator[str]:
    for network in networks(said.metrics_from):
        try:
            ip_network(network)
        except ValueError:
            yield f"DUBAN_METRICS_FROM 中的“{network}”不是地址或网段，应如 127.0.0.1 或 10.0.0.0/8，以逗号分隔"
    if 0 < len(said.metrics_token.get_secret_value()) < MIN_TOKEN:
        yield f"DUBAN_METRICS_TOKEN 不足 {MIN_TOKEN} 个字符，请用 openssl rand -hex 32 生成一个，或去掉它"


def networks(listed: str) -> list[str]:
    """The addresses and networks of a list."""
    return [part.strip() for part in listed.split(",") if part.strip()]


# ---------------------------------------------------------------- reading them
def load() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: every fault in one message, a line each.
    """
    faults = [_unknown(name) for name in sorted(os.environ) if _is_unknown(name)]
    try:
        settings = Settings()
        faults += _ungiven(settings)
    except ValidationError as error:
        faults += [_sentence(dict(e)) for e in error.errors()]
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def _ungiven(said: Settings) -> Iterator[str]:
    """What has a default for the demo and for tests, and none for an office."""
    if not said.demo and "database_url" not in said.model_fields_set:
        yield f"没有设置 DUBAN_DATABASE_URL，{_EXAMPLE}"
    if said.sends_mail and "base_url" not in said.model_fields_set:
        yield "设置了 DUBAN_SMTP_HOST，请同时用 DUBAN_BASE_URL 写明大家访问的地址，邮件里的链接由它开头"


def _is_unknown(name: str) -> bool:
    """Names are read without regard to case, so a slip is looked for likewise."""
    ours = name.upper().startswith(PREFIX) and not name.upper().startswith(_OF_TESTS)
    return ours and name[len(PREFIX) :].lower() not in Settings.model_fields


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name[len(PREFIX) :].lower(), Settings.model_fields, 1)
    guess = f"，是不是 {variable(near[0])}？" if near else "，"
    return f"没有名为 {name} 的设置{guess}请改正，或从环境变量中去掉"


_WORDS: dict[str, str] = {
    "int_parsing": "应为整数",
    "bool_parsing": "应为 true 或 false",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
}


def _sentence(error: dict[str, Any]) -> str:
    if not error["loc"]:
        return str(error["msg"]).removeprefix("Value error, ")
    field = str(error["loc"][0])
    return f"{variable(field)} 的值“{error['input']}”不能用：{_wrong(field, error)}"


def _wrong(field: str, error: dict[str, Any]) -> str:
    if error["type"] == "literal_error":
        choices: Any = Settings.model_fields[field].annotation
        return f"应为 {'、'.join(choices.__args__)} 之一"
    return _WORDS.get(error["type"], str(error["msg"])).format(**error.get("ctx", {}))
