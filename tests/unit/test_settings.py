"""Settings fail loudly: every fault is said in Chinese, with the variable and the way out, all at once."""

from __future__ import annotations

import os
import re

import pytest

from webapp.settings import Settings, SettingsError, load
from webapp.starting import address_fault

GOOD = {"DUBAN_SECRET_KEY": "k" * 40, "DUBAN_DATABASE_URL": "sqlite:////var/lib/duban/duban.sqlite3"}
MAIL = {
    "DUBAN_SMTP_HOST": "mail.example.gov.cn",
    "DUBAN_SMTP_FROM": "督办台账 <duban@example.gov.cn>",
    "DUBAN_BASE_URL": "https://duban.example.gov.cn",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [n for n in os.environ if n.startswith("DUBAN_")]:
        monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


FAULTS: list[tuple[dict[str, str], list[str]]] = [
    ({"DUBAN_SECRET_KEY": " " * 40}, ["DUBAN_SECRET_KEY", "openssl rand -hex 32"]),
    ({"DUBAN_SECRET_KEY": "short"}, ["DUBAN_SECRET_KEY", "openssl rand -hex 32"]),
    ({"DUBAN_SMTP_HSOT": "x"}, ["DUBAN_SMTP_HSOT", "是不是 DUBAN_SMTP_HOST"]),
    ({"DUBAN_DATABSE_URL": "x"}, ["DUBAN_DATABSE_URL", "是不是 DUBAN_DATABASE_URL"]),
    ({"duban_sesion_hours": "3"}, ["duban_sesion_hours", "是不是 DUBAN_SESSION_HOURS"]),
    ({"DUBAN_BASE_URL": "https://a b"}, ["DUBAN_BASE_URL", "写明主机"]),
    ({"DUBAN_FILES": " "}, ["DUBAN_FILES", "空的"]),
    ({"DUBAN_FILE_TYPES": ","}, ["DUBAN_FILE_TYPES", "空的"]),
    ({"DUBAN_QQQQ": "x"}, ["没有名为 DUBAN_QQQQ 的设置，请改正"]),
    ({"DUBAN_SMTP_PORT": "abc", **MAIL}, ["DUBAN_SMTP_PORT", "“abc”", "应为整数"]),
    ({"DUBAN_SMTP_PORT": "70000", **MAIL}, ["DUBAN_SMTP_PORT", "不能大于 65535"]),
    ({"DUBAN_SESSION_HOURS": "0"}, ["DUBAN_SESSION_HOURS", "不能小于 1"]),
    ({"DUBAN_DEMO": "maybe"}, ["DUBAN_DEMO", "true 或 false"]),
    ({"DUBAN_SMTP_SECURITY": "ssl", **MAIL}, ["DUBAN_SMTP_SECURITY", "none、starttls、tls"]),
    ({"DUBAN_LOG": "xml"}, ["DUBAN_LOG", "auto、json、console"]),
    ({"DUBAN_DATABASE_URL": "mysql://localhost/duban"}, ["DUBAN_DATABASE_URL", "postgresql+psycopg://"]),
    ({"DUBAN_DATABASE_URL": "nonsense"}, ["DUBAN_DATABASE_URL", "sqlite:///"]),
    ({"DUBAN_DATABASE_URL": "sqlite:///:memory:"}, ["DUBAN_DATABASE_URL", "没有写明数据库"]),
    ({"DUBAN_DATABASE_URL": "postgresql+psycopg://duban:pw@127.0.0.1"}, ["DUBAN_DATABASE_URL", "没有写明数据库"]),
    ({"DUBAN_BASE_URL": "duban.example.gov.cn"}, ["DUBAN_BASE_URL", "https://"]),
    ({"DUBAN_BASE_URL": "https://"}, ["DUBAN_BASE_URL", "写明主机"]),
    ({"DUBAN_BASE_URL": "https://[::1"}, ["DUBAN_BASE_URL", "写明主机"]),
    ({"DUBAN_BASE_URL": "https://a.gov.cn:99999"}, ["DUBAN_BASE_URL", "写明主机"]),
    ({"DUBAN_BASE_URL": "https://a.gov.cn/duban?x=1"}, ["DUBAN_BASE_URL", "/duban?x=1"]),
    ({"DUBAN_DEMO": "true", "DUBAN_BASE_URL": "https://a.gov.cn"}, ["DUBAN_DEMO", "DUBAN_BASE_URL"]),
    ({"DUBAN_SMTP_PORT": "465", "DUBAN_SMTP_SECURITY": "tls"}, ["DUBAN_SMTP_PORT、DUBAN_SMTP_SECURITY", "SMTP_HOST"]),
    ({**MAIL, "DUBAN_SMTP_USER": "duban"}, ["DUBAN_SMTP_USER 与 DUBAN_SMTP_PASSWORD"]),
    ({**MAIL, "DUBAN_SMTP_PASSWORD": "secret-word"}, ["DUBAN_SMTP_USER 与 DUBAN_SMTP_PASSWORD"]),
    ({**MAIL, "DUBAN_SMTP_FROM": "督办台账"}, ["DUBAN_SMTP_FROM", "不是邮件地址"]),
    ({"DUBAN_SMTP_HOST": "mail.example.gov.cn"}, ["DUBAN_SMTP_FROM", "发件人"]),
    ({"DUBAN_METRICS_FROM": "10.0.0.0/8,here"}, ["DUBAN_METRICS_FROM", "“here”"]),
    ({"DUBAN_METRICS_TOKEN": "short"}, ["DUBAN_METRICS_TOKEN", "16"]),
]


@pytest.mark.parametrize(("given", "said"), FAULTS, ids=lambda v: " ".join(v) if isinstance(v, dict) else "")
def test_a_fault_names_the_variable_and_the_way_out(
    environment: pytest.MonkeyPatch, given: dict[str, str], said: list[str]
) -> None:
    for name, value in given.items():
        environment.setenv(name, value)
    with pytest.raises(SettingsError) as told:
        load()
    (line,) = str(told.value).splitlines()
    assert [part for part in said if part not in line] == []
    assert re.search(r"[一-鿿]", line) and "Input should" not in line
    for secret in ("DUBAN_SECRET_KEY", "DUBAN_SMTP_PASSWORD", "DUBAN_METRICS_TOKEN"):
        assert secret not in given or given[secret] not in line.replace(secret, "")


def test_all_faults_are_said_at_once(environment: pytest.MonkeyPatch) -> None:
    for name, value in {"DUBAN_SMTP_USER": "x", "DUBAN_SECRET_KEY": "", "DUBAN_BSE_URL": "x"}.items():
        environment.setenv(name, value)
    with pytest.raises(SettingsError) as told:
        load()
    assert len(str(told.value).splitlines()) == 4


def test_what_is_whole_is_taken(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DUBAN_TEST_POSTGRES_URL", "of the tests, not ours")
    for name, value in {**MAIL, "DUBAN_BASE_URL": "https://duban.example.gov.cn:8443/"}.items():
        environment.setenv(name, value)
    settings = load()
    assert settings.address == "duban.example.gov.cn" and settings.sends_mail


@pytest.mark.parametrize(
    ("base_url", "host", "port", "fits"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1", 8000, True),
        ("http://localhost:8000", "127.0.0.1", 8000, True),
        ("http://127.0.0.1:8000", "127.0.0.1", 8001, False),
        ("http://127.0.0.1", "127.0.0.1", 8000, False),
        ("http://127.0.0.1:8000", "0.0.0.0", 8000, False),
        ("https://duban.example.gov.cn", "127.0.0.1", 8000, True),  # behind a proxy
        ("https://duban.example.gov.cn", "0.0.0.0", 8000, True),
    ],
)
def test_the_address_of_the_links_fits_where_the_pages_listen(base_url: str, host: str, port: int, fits: bool) -> None:
    fault = address_fault(Settings(demo=True, base_url=base_url) if "127" in base_url else _at(base_url), host, port)
    assert (fault is None) == fits
    assert fits or "DUBAN_BASE_URL" in str(fault)


def _at(base_url: str) -> Settings:
    return Settings(secret_key="k" * 40, base_url=base_url)  # type: ignore[arg-type]


def test_what_only_the_demo_may_leave_out_is_asked_for(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("DUBAN_DATABASE_URL")
    environment.setenv("DUBAN_SMTP_HOST", MAIL["DUBAN_SMTP_HOST"])
    environment.setenv("DUBAN_SMTP_FROM", MAIL["DUBAN_SMTP_FROM"])
    with pytest.raises(SettingsError) as raised:
        load()
    said = str(raised.value).splitlines()
    assert ["DUBAN_DATABASE_URL" in said[0], "DUBAN_BASE_URL" in said[1], len(said)] == [True, True, 2]
    environment.setenv("DUBAN_DEMO", "true")
    load()
