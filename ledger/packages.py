"""The parts of an Office file (.xlsx, .docx) as the XML that stands in them.

What a part is, its root says: names and places of parts are their programme's choice. A bounded amount is unpacked
and parsed, as a stream of tags of which nothing stays, without entities and network.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Collection, Generator, Iterator, Mapping
from functools import cached_property
from typing import BinaryIO, NamedTuple
from urllib.parse import unquote
from xml.parsers import expat

MOST_BYTES = 64 * 1024 * 1024  # of XML, unpacked, of all parts
MOST_ELEMENTS = 1_000_000  # of all parts: half a million cells with something in them
_LONGEST_TAG = 2 * 1024 * 1024  # a tag is parsed as a whole, its attributes with it
_DEEPEST = 256
_BLOCK = 128 * 1024
_HEAD = 256
_XML = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*<")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # as the standard has it; others cannot be unpacked piecemeal
_FAULTS = (
    zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, ValueError, EOFError, OSError,
)  # fmt: skip


class Unreadable(Exception):
    """A file that cannot be unpacked or parsed, or does not hold what it must."""


class TooLarge(Unreadable):
    """More than is looked through."""


class Tag(NamedTuple):
    """A tag by its local name, with the attributes of its element; one that closes has the text since the last tag."""

    name: str
    opens: bool
    attributes: Mapping[str, str]
    text: str = ""


class Part(NamedTuple):
    """A part that is XML, with the local name of its root."""

    info: zipfile.ZipInfo
    root: str

    @property
    def name(self) -> str:
        return _plain(self.info.filename)


class Package:
    """The parts of a container. Raises: Unreadable for what is none."""

    def __init__(self, file: BinaryIO, most_bytes: int | None = None) -> None:
        file.seek(0)
        try:
            self._archive = zipfile.ZipFile(file)
        except _FAULTS as error:
            raise Unreadable from error
        self.most_bytes = self._bytes = most_bytes or MOST_BYTES
        self._elements = MOST_ELEMENTS

    def parts(self, *roots: str) -> list[Part]:
        """The parts with one of these roots, in the order of the numbers in their names. Raises: Unreadable."""
        return [part for part in self._parts if part.root in roots]

    @cached_property
    def _parts(self) -> list[Part]:
        """Every part that is XML; one that breaks off before its root is none."""
        infos = sorted(self._archive.infolist(), key=lambda i: [int(n) for n in re.findall(r"\d+", i.filename)])
        return [Part(info, root) for info in infos if (root := self._root(info))]

    def _root(self, info: zipfile.ZipInfo) -> str:
        tags = self._tags(info, _Parser(None))
        try:
            return next((tag.name for tag in tags), "")
        except TooLarge:
            raise
        except Unreadable:
            return ""
        finally:
            tags.close()

    def tags(self, part: Part, *closing: str, opening: str = "") -> Iterator[Tag]:
        """The tags of a part that close elements of these local names, and those that open `opening`, as they stand.

        Raises: Unreadable.
        """
        return self._tags(part.info, _Parser(opening, closing))

    def targets(self, part: Part) -> dict[str, str]:
        """The names of the parts that a part refers to, by the numbers under which it does. Raises: Unreadable."""
        folder, base = posixpath.split(part.name)
        wanted = f"{folder}/_rels/{base}.rels"
        return {
            tag.attributes.get("Id", ""): _plain(posixpath.join("/", folder, tag.attributes.get("Target", "")))
            for rels in self.parts("Relationships")
            if rels.name == wanted
            for tag in self.tags(rels, "Relationship")
        }

    def _tags(self, info: zipfile.ZipInfo, parser: _Parser) -> Generator[Tag, None, None]:
        try:
            if info.compress_type not in _METHODS:
                raise Unreadable
            with self._archive.open(info) as file:
                data = file.read(_HEAD)
                if not _XML.match(data):
                    return
                while data:
                    self._bytes -= len(data)
                    if self._bytes < 0:
                        raise TooLarge
                    yield from parser.feed(data, self._elements)
                    data = file.read(_BLOCK)
                yield from parser.feed(b"", self._elements)
                self._elements -= parser.elements
        except _FAULTS as error:
            raise Unreadable from error


class _Parser:
    """Gives the tags of pieces of XML as they come, of which it keeps nothing; `opening` None is any element."""

    def __init__(self, opening: str | None, closing: Collection[str] = ()) -> None:
        self.elements = 0
        self._opening, self._closing = opening, frozenset(closing)
        self._found, self._text, self._fed = list[Tag](), list[str](), 0
        self._within: list[dict[str, str]] = []  # the attributes of the elements that are open
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.StartDoctypeDeclHandler = self._refuse
        self._expat.StartElementHandler = self._open
        self._expat.EndElementHandler = self._close
        self._expat.CharacterDataHandler = self._text.append

    def feed(self, data: bytes, most: int) -> list[Tag]:
        """The tags that end in this piece; an empty one is the last. Raises: Unreadable."""
        self._found.clear()
        self._fed += len(data)
        try:
            self._expat.Parse(data, not data)
        except expat.ExpatError as error:
            raise Unreadable from error
        if self.elements > most or self._fed - self._expat.CurrentByteIndex > _LONGEST_TAG:
            raise TooLarge
        return self._found

    def _refuse(self, *_: object) -> None:
        raise Unreadable

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        self._within.append(attributes)
        if len(self._within) > _DEEPEST:
            raise TooLarge
        self._text.clear()
        if self._opening is None or self._opening == _local(name):
            self._found.append(Tag(_local(name), True, _plain_keys(attributes)))

    def _close(self, name: str) -> None:
        attributes, local = self._within.pop(), _local(name)
        if local in self._closing:
            self._found.append(Tag(local, False, _plain_keys(attributes), "".join(self._text)))
        self._text.clear()


def _plain_keys(attributes: dict[str, str]) -> dict[str, str]:
    return {_local(key): said for key, said in attributes.items()} if attributes else attributes


def _local(name: str) -> str:
    """Without its prefix, which is its programme's choice; what declares a prefix keeps its own."""
    return name if name.startswith("xmlns") else name.rpartition(":")[2]


def _plain(name: str) -> str:
    """A part's name as the standard compares them: from the root, in small letters."""
    return posixpath.normpath("/" + unquote(name).replace("\\", "/").lstrip("/")).lower()
