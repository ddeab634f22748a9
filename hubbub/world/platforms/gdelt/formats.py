"""The formats of GDELT: the packed file of the Global Knowledge Graph, and the list of the newest files.

Owns the columns. Must never know a world. It writes pages in the form in which the collector reads them. So a test can
read a file, change it and write it again.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from ingest.platforms.gdelt.files import FEWEST_COLUMNS, pages_in

Page = Mapping[str, Any]


def write(pages: object) -> bytes:
    """Return a file with ``pages``; a text, such as the list of the newest files, stays as it is."""
    if not isinstance(pages, list):
        return str(pages).encode()
    lines = "".join("\t".join(_columns(page)) + "\n" for page in pages)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("20240101000000.gkg.csv"), lines.encode("utf-8", "replace"))
    return packed.getvalue()


def read(body: bytes) -> object:
    """Return what :func:`write` takes."""
    return pages_in(body) if body.startswith(b"PK") else body.decode()


def _columns(page: Page) -> list[str]:
    columns = [""] * FEWEST_COLUMNS
    seen = _text(page.get("seendate"))
    columns[0], columns[1], columns[2] = f"{seen}-1", seen, "1"
    columns[3], columns[4] = _text(page.get("domain")), _text(page.get("url"))
    columns[7] = "SCIENCE;WB_133_INFORMATION_AND_COMMUNICATION_TECHNOLOGIES"
    columns[15] = "-1.2,2.1,3.3,5.4,20.1,0.1,120"
    columns[26] = "".join(
        f"<{tag}>{escape(_text(page[name]))}</{tag}>"
        for name, tag in (("published", "PAGE_PRECISEPUBTIMESTAMP"), ("title", "PAGE_TITLE"))
        if page.get(name) is not None
    )
    return columns


def _text(value: object) -> str:
    """Return a value as one column can carry it."""
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return " ".join(text.splitlines()).replace("\t", " ")
