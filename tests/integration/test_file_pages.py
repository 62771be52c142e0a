"""Files over HTTP: how much a request may carry, who gets what, under which headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from ledger.clock import StoredClock
from ledger.database import Database
from ledger.migrating import upgrade
from ledger.schema import assignment, attachment, clearing, item, upload
from tests import samples
from webapp.app import create_app
from webapp.demo import campaign
from webapp.demo.office import Office
from webapp.demo.people import PASSWORD
from webapp.settings import Settings

BIG = samples.pdf(padding=1_500_000)  # more than any other request may carry


class Site:
    """The pages on a running plan in which 市人社局 and 大冶市 have signed for everything."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'duban.sqlite3'}"
        upgrade(url)
        self.db = Database(url, StoredClock())
        office = Office(self.db, campaign.begin(self.db))
        for unit in ("renshe", "daye"):
            office.acknowledge(unit)
        self.settings = Settings(demo=True, database_url=url, files=str(folder / "files"), file_mb=2, file_count=3)
        self.app = create_app(self.settings, self.db)

    def enter(self, account: str) -> FlaskClient:
        client = self.app.test_client()
        token = _token(client, "/login")
        answer = client.post("/login", data={"csrf_token": token, "account": account, "password": PASSWORD})
        assert answer.status_code == 302
        return client

    def share(self, no: str, unit: str) -> int:
        with self.db.read() as connection:
            found = select(assignment.c.id).join(item, item.c.id == assignment.c.item_id)
            return int(connection.execute(found.where(item.c.no == no, assignment.c.unit == unit)).scalar_one())

    def last(self) -> int:
        with self.db.read() as connection:
            return int(connection.execute(select(func.max(attachment.c.id))).scalar_one())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("file-pages"))
    yield made
    made.db.close()


def _token(client: FlaskClient, page: str = "/inbox") -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(page).get_data(as_text=True))
    assert found
    return found[1]


def fetch(client: FlaskClient, path: str, **headers: str) -> TestResponse:
    """A file, read to its end."""
    return client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()}, buffered=True)


def post(client: FlaskClient, path: str, files: list[tuple[bytes, str]], **fields: str) -> TestResponse:
    """A form with files, as a browser without JavaScript sends it."""
    return send_form(client, path, files, csrf_token=_token(client), **fields)


def send_form(client: FlaskClient, path: str, files: list[tuple[bytes, str]], **fields: str) -> TestResponse:
    parts = [FileStorage(BytesIO(content), name, "files") for content, name in files]
    boundary, body = encode_multipart({"files": parts, **fields})
    return client.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def report(
    site: Site, client: FlaskClient, *files: tuple[bytes, str], no: str = "4", unit: str = "renshe"
) -> TestResponse:
    return post(client, f"/assignments/{site.share(no, unit)}/report", list(files), progress="见附件。", act="report")


# ---------------------------------------------------------------- how much
def test_only_forms_that_take_files_carry_more_than_a_megabyte(site: Site) -> None:
    client = site.enter("renshe")
    assert report(site, client, (BIG, "情况说明.pdf")).status_code == 302
    assert fetch(client, f"/files/{site.last()}").data == BIG
    for path in (
        "/drafts/report-1",
        "/inbox/acknowledge",
        "/logout",
        f"/assignments/{site.share('4', 'renshe')}/acknowledge",
    ):
        assert post(client, path, [(BIG, "情况说明.pdf")]).status_code == 413, path
    data = {"csrf_token": _token(client), "progress": "字" * 400_000}
    assert client.post(f"/assignments/{site.share('4', 'renshe')}/report", data=data).status_code == 413
    stranger = site.app.test_client()
    token = _token(stranger, "/login")
    address = f"/assignments/{site.share('4', 'renshe')}/report"
    answer = send_form(stranger, address, [(BIG, "a.pdf")], csrf_token=token)
    assert answer.status_code == 413
    headers = {"X-CSRFToken": _token(client), "Upload-Offset": "0"}
    assert client.patch("/uploads/1", data=bytes(1024 * 1024 + 1), headers=headers).status_code == 413


def test_a_file_that_is_too_big_is_said_beside_the_field(site: Site) -> None:
    answer = report(site, site.enter("renshe"), (bytes(2 * 1024 * 1024 + 1), "大.pdf"), (b"ok", "小.txt"))
    words = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "“大.pdf”有 2.1 MB，超过每个 2 MB 的上限" in words
    assert ">小.txt</a>" in words
    assert ">见附件。</textarea>" in words.replace("\n", "")


# ---------------------------------------------------------------- who
def test_uploads_belong_to_one_person_and_to_forms_that_one_sees(site: Site) -> None:
    client, other = site.enter("renshe"), site.enter("daye")
    own, foreign = f"report-{site.share('4', 'renshe')}", f"report-{site.share('13', 'daye')}"
    fields = {"name": "甲.txt", "size": "5", "mark": "5-1"}

    def announce(who: FlaskClient, form: str, token: str | None = None) -> TestResponse:
        headers = {"X-CSRFToken": _token(who) if token is None else token}
        return who.post(f"/uploads/for/{form}", data=fields, headers=headers)

    made = announce(client, own)
    assert made.status_code == 201
    share = site.share("4", "renshe")
    for none in (f"{own}-zzz-9999", f"{own}-1", f"submit-{share}", f"decide-{share}-zzz-1", f"decide-{share}-review"):
        assert announce(client, none).status_code == 404, none
    for none in (f"urge-{share}", f"round-{share}", "clear-name"):  # forms, but none that takes files
        assert announce(client, none).status_code == 404, none
    for form in (f"submit-{share}-1", f"decide-{share}-review-1"):
        assert announce(client, form).status_code == 201, form
    number = made.get_json()["id"]
    assert announce(client, own, token="").status_code == 400
    assert announce(other, own).status_code == 404  # not an item of theirs
    assert announce(site.enter("keji"), foreign).status_code in (201, 404)
    for form in ("urge-1", "round-1", "report-999999", "report-1x", "..%2f..", "acknowledge-1-1"):
        assert announce(client, form).status_code == 404, form

    def send(who: FlaskClient, data: bytes, offset: str) -> TestResponse:
        return who.patch(f"/uploads/{number}", data=data, headers={"X-CSRFToken": _token(who), "Upload-Offset": offset})

    assert send(other, b"hello", "0").status_code == 404
    assert send(client, b"lo", "3").get_json() == {"received": 0}
    assert send(client, b"hello!", "0").status_code == 409
    assert fetch(client, f"/uploads/{number}").status_code == 404
    assert send(client, b"hello", "0").get_json()["stored"] is True
    assert fetch(client, f"/uploads/{number}").data == b"hello"
    assert fetch(other, f"/uploads/{number}").status_code == 404
    assert other.post(f"/uploads/{number}/remove", data={"csrf_token": _token(other)}).status_code == 404
    headers = {"X-CSRFToken": _token(client), "Accept": "application/json"}
    assert client.post(f"/uploads/{number}/remove", headers=headers).status_code == 204
    assert fetch(client, f"/uploads/{number}").status_code == 404
    with site.db.read() as connection:
        assert number not in connection.execute(select(upload.c.id)).scalars().all()


def test_where_a_file_goes_on_must_be_said(site: Site) -> None:
    client, form = site.enter("renshe"), f"report-{site.share('4', 'renshe')}"
    fields, token = {"name": "续.txt", "size": "5", "mark": "5-2"}, {"X-CSRFToken": _token(client)}
    address = f"/uploads/{client.post(f'/uploads/for/{form}', data=fields, headers=token).get_json()['id']}"
    for said in ("-5", "", "0x0", "1.0", "+0", "9" * 16, None):
        told = {"Upload-Offset": said} if said is not None else {}
        answer = client.patch(address, data=b"hello", headers=token | told)
        assert answer.status_code == 400 and "Upload-Offset 应为 0 或正整数" in answer.get_json()["error"], said
    assert client.patch(address, data=b"", headers=token | {"Upload-Offset": "0"}).get_json()["received"] == 0
    assert client.post(f"{address}/remove", headers=token | {"Accept": "application/json"}).status_code == 204


def test_files_put_into_two_forms_are_counted_together(site: Site) -> None:
    client, share = site.enter("renshe"), site.share("4", "renshe")
    before, token, numbers = site.last(), _token(client), []
    for form in (f"report-{share}", f"submit-{share}-1"):
        for n in range(2):
            fields = {"name": f"{n}.txt", "size": "2", "mark": f"{form}-{n}"}
            made = client.post(f"/uploads/for/{form}", data=fields, headers={"X-CSRFToken": token}).get_json()["id"]
            sent = {"X-CSRFToken": token, "Upload-Offset": "0"}
            assert client.patch(f"/uploads/{made}", data=b"ok", headers=sent).get_json()["stored"]
            numbers.append(str(made))

    def hand_in(*named: str, carried: tuple[str, ...] = ()) -> TestResponse:
        fields: dict[str, object] = {"csrf_token": token, "progress": "见附件。", "act": "report", "upload": [*named]}
        fields["files"] = [(BytesIO(b"ok"), name) for name in carried]
        return client.post(f"/assignments/{share}/report", data=fields, content_type="multipart/form-data")

    for answer in (hand_in(*numbers), hand_in(*numbers[1:], carried=("又一个.txt",))):
        assert answer.status_code == 422 and "一次最多附 3 个文件。请移除不需要的" in answer.get_data(as_text=True)
    assert site.last() == before
    assert hand_in(*numbers[:3], *numbers[:3]).status_code == 302
    with site.db.read() as connection:
        assert connection.execute(select(func.count()).where(attachment.c.id > before)).scalar_one() == 3


def test_files_are_shown_to_readers_of_the_report_only(site: Site) -> None:
    assert report(site, site.enter("renshe"), (samples.pdf(), "说明.pdf")).status_code == 302
    address = f"/files/{site.last()}"
    answers = {
        who: fetch(site.enter(who), address).status_code
        for who in ("renshe", "renshe-fenguan", "zhuanban", "keji", "daye")
    }
    assert answers == {"renshe": 200, "renshe-fenguan": 200, "zhuanban": 200, "keji": 404, "daye": 404}
    assert fetch(site.app.test_client(), address).status_code == 302
    assert fetch(site.enter("renshe"), "/files/999999").status_code == 404


# ---------------------------------------------------------------- under which headers
@pytest.mark.parametrize(
    ("name", "content", "kind", "shown"),
    [
        ("说明.pdf", samples.pdf(), "application/pdf", True),
        ("照片.png", samples.png(4, 4), "image/png", True),
        ("脚本.txt", samples.HTML, "text/plain; charset=utf-8", False),
        ("照片.heic", samples.HEIC, "image/heic", False),
    ],
)
def test_a_browser_runs_nothing_of_a_file(site: Site, name: str, content: bytes, kind: str, shown: bool) -> None:
    client = site.enter("renshe")
    assert report(site, client, (content, name)).status_code == 302
    answer = fetch(client, f"/files/{site.last()}")
    assert answer.data == content
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert ("sandbox" in answer.headers["Content-Security-Policy"]) == (kind != "application/pdf")
    told = answer.headers["Content-Disposition"]
    assert told.startswith("inline" if shown else "attachment")
    assert told.endswith(f"filename*=UTF-8''{quote(name)}")
    saved = fetch(client, f"/files/{site.last()}?download=1").headers["Content-Disposition"]
    assert saved.startswith("attachment")


def test_a_name_cannot_break_out_of_anything(site: Site) -> None:
    client = site.enter("renshe")
    name = '../<img src=x onerror=alert(1)>"\r\nSet-Cookie: a=b;\u202e.txt'
    token, form = _token(client), f"report-{site.share('4', 'renshe')}"
    made = client.post(
        f"/uploads/for/{form}", data={"name": name, "size": "2", "mark": "x"}, headers={"X-CSRFToken": token}
    )
    number = made.get_json()["id"]
    headers = {"X-CSRFToken": token, "Upload-Offset": "0"}
    assert client.patch(f"/uploads/{number}", data=b"ok", headers=headers).get_json()["stored"] is True
    fields = {"csrf_token": token, "upload": str(number), "progress": "见附件。", "act": "report"}
    assert client.post(f"/assignments/{site.share('4', 'renshe')}/report", data=fields).status_code == 302
    answer = fetch(client, f"/files/{site.last()}")
    assert "\r" not in answer.headers["Content-Disposition"]
    assert "a=b" not in answer.headers.get("Set-Cookie", "")
    page = client.get("/items/4").get_data(as_text=True)
    assert "<img src=x" not in page
    assert "\u202e" not in page


def test_numbers_that_are_none_are_answered_in_words(site: Site) -> None:
    client = site.enter("renshe")
    assert fetch(client, "/files/99999999999999999999").status_code == 404
    assert fetch(client, "/uploads/99999999999999999999").status_code == 404
    address, fields = f"/assignments/{site.share('4', 'renshe')}/report", {"progress": "无", "act": "report"}
    for number in ("²", "-1", "x", "9" * 30):  # no number of an upload: as if it were not there
        assert client.post(address, data={**fields, "csrf_token": _token(client), "upload": number}).status_code == 302
    for size in ("", "x", "²", "9" * 5000):
        data = {"name": "甲.txt", "size": size, "mark": "\x01"}
        form, headers = f"report-{site.share('4', 'renshe')}", {"X-CSRFToken": _token(client)}
        assert client.post(f"/uploads/for/{form}", data=data, headers=headers).status_code == 422, size


def test_part_of_a_file_and_an_unchanged_one_are_answered_so(site: Site) -> None:
    client = site.enter("renshe")
    assert report(site, client, (samples.png(64, 64), "照片.png")).status_code == 302
    address = f"/files/{site.last()}"
    whole = fetch(client, address)
    part = fetch(client, address, Range="bytes=8-15")
    assert (part.status_code, part.data) == (206, samples.png(64, 64)[8:16])
    assert fetch(client, address, If_None_Match=whole.headers["ETag"]).status_code == 304
    assert fetch(site.enter("keji"), address, If_None_Match=whole.headers["ETag"]).status_code == 404


def test_a_file_the_store_has_lost_is_said_in_words(site: Site) -> None:
    client = site.enter("renshe")
    assert report(site, client, (b"soon lost", "丢.txt")).status_code == 302
    with site.db.read() as connection:
        sha256 = connection.execute(select(attachment.c.sha256).where(attachment.c.id == site.last())).scalar_one()
    site.settings.store.path(sha256).unlink()
    answer = fetch(client, f"/files/{site.last()}")
    assert answer.status_code == 404
    assert "附件库里没有这个文件" in answer.get_data(as_text=True)


# ---------------------------------------------------------------- 依规清除
def test_two_people_clear_a_file_that_came_without_a_word(site: Site) -> None:
    liaison, guanli, ducha = (site.enter(account) for account in ("renshe", "guanli", "ducha"))
    path = f"/assignments/{site.share('4', 'renshe')}/report"
    assert post(liaison, path, [(samples.pdf(padding=4321), "不该附的名单.pdf")], act="report").status_code == 302
    number = site.last()
    with site.db.read() as connection:
        row = connection.execute(select(attachment).where(attachment.c.id == number)).one()
    item_id = row.stream.removeprefix("item:")
    asking = f"/items/{item_id}/records/{row.seq}/clearing"
    assert asking in ducha.get(f"/items/{item_id}").text
    assert "附件“不该附的名单.pdf”" in ducha.get(asking).text
    assert "不该附的名单" not in guanli.get(asking).text and f"附件 {number}" in guanli.get(asking).text
    form = {"csrf_token": _token(guanli), "fields": f"file-{number}", "ground": "《个人信息保护法》第四十七条"}
    assert guanli.post(asking, data=form).status_code == 302
    with site.db.read() as connection:
        waiting = connection.execute(select(func.max(clearing.c.id))).scalar_one()
    assert f"第 {row.seq} 号办理记录的附件 {number}" in ducha.get(f"/clearings/{waiting}").text
    agreed = {"csrf_token": _token(ducha), "act": "confirm", "understood": "1"}
    assert ducha.post(f"/clearings/{waiting}", data=agreed).status_code == 302
    assert not site.settings.store.has(row.sha256)
    assert fetch(liaison, f"/files/{number}").status_code == 404
    assert "不该附的名单" not in ducha.get(f"/items/{item_id}").text
    assert ducha.get(asking).status_code == 404  # nothing left to clear
