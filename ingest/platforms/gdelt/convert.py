"""Pages that GDELT has seen into signals. Pure: no clock, no network, no memory.

Owns what each value of a page means, from a file or from the search. Must never fetch.

- A page is a post; its link identifies it (:mod:`ingest.page_key`).
- It is as old as its publisher says or, if that is unknown or later, as GDELT's first sight of it.
- GDELT keeps no counts, no texts and no deletions.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from ingest.batch import Signals, errors_to_dead_letters, well_formed
from ingest.feed_text import one_line
from ingest.page_key import page_key
from ingest.signal import EARLIEST_MS, Community, Signal

PLATFORM = "gdelt"
MAX_TITLE_CHARS = 5_000
LANGUAGES = {
    "english": "en", "eng": "en", "french": "fr", "fra": "fr", "german": "de", "deu": "de", "spanish": "es",
    "spa": "es", "italian": "it", "ita": "it", "portuguese": "pt", "por": "pt", "russian": "ru", "rus": "ru",
    "chinese": "zh", "zho": "zh", "japanese": "ja", "jpn": "ja", "korean": "ko", "kor": "ko", "arabic": "ar",
    "ara": "ar", "turkish": "tr", "tur": "tr", "dutch": "nl", "nld": "nl", "polish": "pl", "pol": "pl",
}  # fmt: skip
"""As the search names them, and as the files do (ISO 639-3). A language of few pages stays without a name."""

_space_before_mark = re.compile(r"\s+([,.;:!?%)\]’])").sub
_not_digits = re.compile(r"[TZ]").sub


class _Page(msgspec.Struct):
    url: str
    title: str | None = None
    seendate: str | None = None
    published: str | None = None
    domain: str | None = None
    language: str | None = None


@errors_to_dead_letters
def convert(raw: object, witnessed_ms: int) -> Signals:
    """Return what becomes of one page. ``witnessed_ms``: when it arrived here."""
    page = msgspec.convert(raw, _Page)
    link = page.url.strip()
    key = page_key(link)
    if key is None:
        raise ValueError("the page has no link")
    times_ms = [at_ms for text in (page.published, page.seendate) if (at_ms := _time_ms(text)) is not None]
    title = _space_before_mark(r"\1", one_line((page.title or "")[:MAX_TITLE_CHARS]))
    id_ = f"{PLATFORM}:{key}"
    found = Signal(
        id=id_,
        kind="post",
        platform=PLATFORM,
        thread=id_,
        community=Community(name=well_formed(page.domain)) if page.domain else None,
        title=well_formed(title) or None,
        url=well_formed(link),
        permalink=well_formed(link),
        lang=LANGUAGES.get(page.language.lower()) if page.language else None,
        created_ms=min([*times_ms, witnessed_ms]),
        observed_ms=witnessed_ms,
    )
    return Signals([found])


def _time_ms(text: str | None) -> int | None:
    """Read ``20240102164500`` and ``20240102T164500Z``; None if it is no time in which there was a GDELT."""
    try:
        at = datetime.strptime(_not_digits("", text or ""), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    at_ms = int(at.timestamp() * 1000)
    return at_ms if at_ms >= EARLIEST_MS else None
