"""What a deployment decides, read from environment variables with the prefix DUBAN_."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIN_SECRET = 32


class SettingsError(Exception):
    """The environment does not say what is needed; the message says which variable and how to mend it."""


class Settings(BaseSettings):
    """One field a variable: `database_url` is DUBAN_DATABASE_URL."""

    model_config = SettingsConfigDict(env_prefix="DUBAN_", extra="ignore")

    database_url: str = Field(
        default="sqlite:///var/duban.sqlite3", description="SQLAlchemy 数据库地址，SQLite 或 PostgreSQL"
    )
    secret_key: SecretStr = Field(default=SecretStr(""), description="会话签名密钥，至少 32 个字符")
    base_url: str = Field(default="http://127.0.0.1:8000", description="邮件里链接的开头，也决定会话是否只走 HTTPS")
    place: str = Field(default="黄石市", description="页面左上角的地名")
    demo: bool = Field(default=False, description="演示模式：演示账号、演示时钟、本机邮件")
    demo_mail: str = Field(default="var/demo/mail", description="演示模式：本机邮件存放的文件夹")
    session_hours: int = Field(default=12, ge=1, le=168, description="登录保持几个小时")
    smtp_host: str = Field(default="", description="发信服务器；不填则不发信，消息留在发件箱")
    smtp_port: int = Field(default=25, ge=1, le=65535, description="发信端口")
    smtp_security: Literal["none", "starttls", "tls"] = Field(default="none", description="发信加密方式")
    smtp_user: str = Field(default="", description="发信账号")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="发信密码")
    smtp_from: str = Field(default="督办台账 <duban@localhost>", description="发件人")

    @model_validator(mode="after")
    def _complete(self) -> Settings:
        if not self.demo and len(self.secret_key.get_secret_value()) < MIN_SECRET:
            raise ValueError(f"DUBAN_SECRET_KEY 未设置或不足 {MIN_SECRET} 个字符，请用 openssl rand -hex 32 生成一个")
        if not self.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError(
                "DUBAN_DATABASE_URL 应以 sqlite:/// 或 postgresql+psycopg:// 开头，例如 sqlite:////var/lib/duban/duban.sqlite3"
            )
        if not self.base_url.startswith(("http://", "https://")):
            raise ValueError("DUBAN_BASE_URL 须以 http:// 或 https:// 开头")
        if bool(self.smtp_user) != bool(self.smtp_password.get_secret_value()):
            raise ValueError("DUBAN_SMTP_USER 与 DUBAN_SMTP_PASSWORD 要么都填，要么都不填")
        return self


def load() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: every fault in one message, a line each.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(dict(e)) for e in error.errors())) from None


def _sentence(error: dict[str, object]) -> str:
    place, message = error["loc"], str(error["msg"])
    if isinstance(place, tuple) and place:
        return f"DUBAN_{str(place[0]).upper()} 的值 {error['input']!r} 不能用（{message}）"
    return message.removeprefix("Value error, ")
