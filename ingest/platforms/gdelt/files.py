"""GDELT's files: which there are, and the pages in one.

Owns the names of the files, which can be foretold: there is one every 15 minutes. Owns the columns of the Global
Knowledge Graph, too (http://data.gdeltproject.org/documentation/GDELT-Global_Knowledge_Graph_Codebook-V2.1.pdf), and
bounds to what a file unpacks. Must never fetch one.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import IO, Final

from transport.errors import RetryLaterError

INTERVAL: Final = timedelta(minutes=15)
MAX_UNPACKED_BYTES: Final = 134_217_728
"""Largest file, unpacked. One of 1 000 pages has some 13 MB; the largest have some 50."""
MAX_LINE_BYTES: Final = 1_048_576
"""Longest line; the longest seen has 36 kB."""
MAX_PAGES: Final = 50_000
"""Most lines; a file has some 1 000 to 4 000."""
MAX_DIRECTORY_BYTES: Final = 4_096
"""Longest list of members. It has one, in some 80 bytes."""
END_BYTES, LONG_LOCATOR_BYTES = 22, 20
"""The record at the end of a ZIP file, and the one before it in the form beyond 4 GB (APPNOTE.TXT, section 4.3)."""
CHUNK_BYTES: Final = 262_144
MAX_CHARS: Final = 8_192
"""Longest value that is kept."""
FEWEST_COLUMNS: Final = 27
_SITE, _URL, _SEEN, _TRANSLATION, _EXTRAS = 3, 4, 1, 25, 26

_named = re.compile(r"/(\d{14})(?:\.translation)?\.gkg\.csv\.zip\b")
_title = re.compile(r"<PAGE_TITLE>([^<]*)</PAGE_TITLE>").search
_published = re.compile(r"<PAGE_PRECISEPUBTIMESTAMP>(\d{14})</PAGE_PRECISEPUBTIMESTAMP>").search
_language = re.compile(r"\bsrclc:(\w{2,3})\b").search

Page = dict[str, str | None]


class UnpackError(RetryLaterError):
    """A file that is broken or unpacks to too much."""


def newest_file(listing: bytes) -> datetime:
    """Return the time of the newest file that ``lastupdate.txt`` names.

    Raises:
        RetryLaterError: it names none.
    """
    times = [
        time for name in _named.findall(listing.decode("utf-8", "replace")) if (time := file_time(name)) is not None
    ]
    if not times:
        raise RetryLaterError(f"lastupdate.txt names no file: {listing[:80]!r}")
    return max(times)


def file_name(time: datetime, *, translated: bool) -> str:
    """Return the name of the file of a time."""
    return f"{time:%Y%m%d%H%M%S}{'.translation' if translated else ''}.gkg.csv.zip"


def pages_in(packed: bytes) -> list[Page]:
    """Return the pages of a file, for ``convert``. It takes up to a second, so call it in a thread.

    Raises:
        UnpackError: the file is no such file, or unpacks to too much. Its checksum is part of the format.
    """
    if not _has_short_directory(packed):
        raise UnpackError("the file ends with no directory of one member")
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            (member,) = archive.infolist()
            if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise UnpackError("the file is packed in an unusual way")
            with archive.open(member) as unpacked:
                return [_page(line) for line in _lines(unpacked)]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, NotImplementedError) as error:
        raise UnpackError(f"the file cannot be unpacked: {type(error).__name__}: {error}") from error


def _has_short_directory(packed: bytes) -> bool:
    """Return whether a file ends as GDELT's do: with a short directory, without a comment, in the form up to 4 GB.

    Python's reader would first read a directory of any length, in twenty times its memory.
    """
    end = packed[-END_BYTES:]
    return (
        end.startswith(b"PK\5\6")
        and int.from_bytes(end[12:16], "little") <= MAX_DIRECTORY_BYTES
        and packed[-END_BYTES - LONG_LOCATOR_BYTES :][:4] != b"PK\6\7"
    )


def _lines(member: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file that are not empty, and stop with an error where no honest file is that large."""
    read_bytes = pages = 0
    rest = b""
    while chunk := member.read(CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        read_bytes += len(chunk)
        for line in filter(bytes.strip, lines):
            pages += 1
            yield line
        if read_bytes > MAX_UNPACKED_BYTES or pages > MAX_PAGES or len(rest) > MAX_LINE_BYTES:
            raise UnpackError(f"the file unpacks to more than {MAX_UNPACKED_BYTES} bytes or {MAX_PAGES} lines")
    if rest.strip():
        yield rest


def _page(line: bytes) -> Page:
    text = line.decode("utf-8", "replace").rstrip("\r")
    columns = text.split("\t")
    if len(columns) < FEWEST_COLUMNS:
        return {"line": text[:500]}
    extras = columns[_EXTRAS]
    language = _language(columns[_TRANSLATION])
    return {
        "url": columns[_URL][:MAX_CHARS],
        "title": found[1][:MAX_CHARS] if (found := _title(extras)) else None,
        "seendate": columns[_SEEN][:MAX_CHARS],
        "published": found[1] if (found := _published(extras)) else None,
        "domain": columns[_SITE][:MAX_CHARS],
        "language": language[1] if language else "eng",
    }


def file_time(name: str) -> datetime | None:
    """Return the time that the first 14 digits of a file's name stand for; None if there can be no such file."""
    try:
        time = datetime.strptime(name, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return time if time.timestamp() % INTERVAL.total_seconds() == 0 else None
