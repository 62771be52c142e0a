"""A reader without JavaScript: fetches pages, follows links, fills the forms as served, tokens included."""

from __future__ import annotations

import json
import urllib.request
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from lxml import etree

from webapp.demo.people import PASSWORD


class Reader:
    """Somebody who is logged in and has one page open."""

    def __init__(self, url: str, account: str) -> None:
        self.url = url
        self._open = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        ).open
        self.open("/login")
        self.submit("//form[contains(@action,'/login')]", account=account, password=PASSWORD)
        assert self.path == "/inbox"

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    # ---------------------------------------------------------------- getting about
    def open(self, address: str, fields: list[tuple[str, str]] | None = None) -> None:
        """Fetch a page, or send a form; an answer that is no success raises urllib's HTTPError."""
        body = urlencode(fields).encode() if fields is not None else None
        request = urllib.request.Request(urljoin(self.url, address), body, {"Referer": self.url})
        with self._open(request, timeout=60) as answer:
            self.url, self.page = answer.url, etree.HTML(answer.read().decode())

    def json(self, address: str) -> Any:
        with self._open(urljoin(self.url, address), timeout=60) as answer:
            return json.load(answer)

    def follow(self, xpath: str) -> None:
        self.open(self.value(xpath, "href"))

    def submit(self, xpath: str, **typed: str) -> None:
        """Send a form with what it holds already and what is typed; a name that no field or button has is a mistake."""
        form = self._one(xpath)
        fields = [(f.get("name"), f.get("value", "")) for f in form.xpath(".//input[not(@type='checkbox')][@name]")]
        fields += [(f.get("name"), f.text or "") for f in form.xpath(".//textarea[@name]")]
        buttons = [*form.xpath(".//button"), *self._all(f"//*[@form='{form.get('id')}']")]
        known = {name for name, _ in fields} | {button.get("name") for button in buttons}
        assert typed.keys() <= known, (typed, known)
        self.open(form.get("action"), [(n, v) for n, v in fields if n not in typed] + list(typed.items()))

    # ---------------------------------------------------------------- reading
    def value(self, xpath: str, name: str = "value") -> str:
        return str(self._one(xpath).get(name))

    def words(self, xpath: str = "//body") -> str:
        return "".join(self._one(xpath).itertext()).strip()

    def says(self, words: str) -> bool:
        return words in self.words()

    def _all(self, xpath: str) -> list[Any]:
        found = self.page.xpath(xpath)
        assert isinstance(found, list)
        return found

    def _one(self, xpath: str) -> Any:
        found = self._all(xpath)
        assert len(found) == 1, f"{xpath}: {len(found)} on {self.url}"
        return found[0]
