"""GDELT's files: names, columns, and packed files that are no such thing."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from datetime import UTC, datetime

import pytest

from hubbub.world.platforms.gdelt.formats import write
from ingest.platforms.gdelt.files import MAX_LINE_BYTES, UnpackError, file_name, newest_file, pages_in
from transport.errors import RetryLaterError

TIME = datetime(2024, 1, 2, 16, 30, tzinfo=UTC)


def packed(content: bytes, method: int = zipfile.ZIP_DEFLATED, members: int = 1) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for number in range(members):
            archive.writestr(f"{number}.csv", content)
    return file.getvalue()


def test_the_newest_file_of_a_listing() -> None:
    listing = (
        b"60331 d2b5 http://data.gdeltproject.org/gdeltv2/20240102163000.export.CSV.zip\n"
        b"96420 ad65 http://data.gdeltproject.org/gdeltv2/20240102163000.mentions.CSV.zip\n"
        b"4861337 4fa5 http://data.gdeltproject.org/gdeltv2/20240102163000.gkg.csv.zip\n"
    )
    assert newest_file(listing) == TIME
    assert newest_file(listing.replace(b".gkg", b".translation.gkg")) == TIME
    assert file_name(TIME, translated=False) == "20240102163000.gkg.csv.zip"
    assert file_name(TIME, translated=True) == "20240102163000.translation.gkg.csv.zip"
    for wrong in (b"", b"<html>", b"/20240102163001.gkg.csv.zip", b"/99999999999999.gkg.csv.zip", b"\xff" * 100):
        with pytest.raises(RetryLaterError, match="names no file"):
            newest_file(wrong)


def test_the_columns_of_a_file() -> None:
    page = {
        "url": "https://a.example/b",
        "title": "One & two",
        "seendate": "20240102163000",
        "published": "20240102161500",
        "domain": "a.example",
    }
    found = pages_in(write([page, {**page, "published": None, "title": None}]))
    assert found[0] == {**page, "title": "One &amp; two", "language": "eng"}
    assert (found[1]["title"], found[1]["published"]) == (None, None)


def test_odd_lines_are_pages_of_their_own() -> None:
    columns = ["x"] * 25 + ["srclc:fra;eng:GT-FRA 1.0", "<PAGE_TITLE>caf\xe9</PAGE_TITLE>"]
    lines = [b"not enough\tcolumns", b"", "\t".join(columns).encode("latin-1"), b"\x00\xff"]
    found = pages_in(packed(b"\r\n".join(lines)))
    assert found[0] == {"line": "not enough\tcolumns"}
    assert (found[1]["title"], found[1]["language"]) == ("caf\ufffd", "fra")
    assert found[2].keys() == {"line"}
    assert len(found) == 3


@pytest.mark.parametrize(
    "body",
    [b"", b"PK\x05\x06", b"no zip", packed(b"a\tb\n")[:-30], packed(b"", members=2), packed(b"a", zipfile.ZIP_BZIP2)],
    ids=["empty", "no members", "no zip", "cut", "two members", "another packing"],
)
def test_a_file_that_is_broken_or_packed_otherwise_is_refused(body: bytes) -> None:
    with pytest.raises(UnpackError):
        pages_in(body)


def test_a_file_with_a_false_checksum_is_refused() -> None:
    body = bytearray(packed(b"a\tb\n" * 1_000, zipfile.ZIP_STORED))
    body[200] ^= 1
    with pytest.raises(UnpackError, match="CRC"):
        pages_in(bytes(body))


@pytest.mark.parametrize("line", [b"\t" * (MAX_LINE_BYTES + 1), b"\n" * 140_000_000])
def test_a_packed_bomb_is_not_unpacked(line: bytes) -> None:
    body = packed(line)
    tracemalloc.start()
    try:
        with pytest.raises(UnpackError, match="unpacks to more"):
            pages_in(body)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_long_directory_is_not_read() -> None:
    many = packed(b"", members=20_000)
    tracemalloc.start()
    try:
        with pytest.raises(UnpackError, match="directory"):
            pages_in(many)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
