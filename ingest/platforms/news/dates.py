"""The dates of feeds: as the formats ask for them, and as feeds write them.

Owns the reading of a date. Must never know what time it is: what a date in the future means is up to the caller.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Final

from ingest.signal import EARLIEST_MS, LATEST_MS

MAX_CHARS: Final = 100
"""A longer text is no date."""
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ZONES: Final = {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "bst": 1,
                "cet": 1, "cest": 2, "eet": 2, "eest": 3, "msk": 3, "ist": 5.5, "jst": 9, "aest": 10}  # fmt: skip
"""Hours ahead of UTC. The zones of RFC 822, and those that feeds often name besides. IST is India's."""

_iso = re.compile(r"\d{4}-\d\d?-\d\d?(?:[T ]|$)", re.IGNORECASE).match
_day_first = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|\.)?[\s-]+([a-z]{3})[a-z]*\.?,?[\s-]+(\d{4}|\d\d)(?!\d)"
).search
_month_first = re.compile(r"([a-z]{3})[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)").search
_clock = re.compile(r"(?<!\d)(\d{1,2}):(\d\d)(?::(\d\d))?(?:\.\d+)?\s*([ap]m)?").search
_offset = re.compile(r"(?:\s|gmt|utc)([+-])(\d\d):?(\d\d)\b").search
_zone = re.compile(r"\b[a-z]{3,4}\b").findall


def date_ms(text: str) -> int | None:
    """Return a date as epoch milliseconds; None if it is none, or of no time in which there were feeds.

    A date without a zone is UTC. A zone is taken at its word: "EST" in summer, when New York means an hour less, gives
    a time an hour late.

    >>> date_ms("Mo, 25 Jun 2018 11:41:36"), date_ms("Thu, 03 Sep 15"), date_ms("0200-01-01T00:00:00Z")
    (1529926896000, 1441238400000, None)
    """
    if len(text) > MAX_CHARS:
        return None
    for read in (_iso_date, _written_date, parsedate_to_datetime):
        try:
            found = read(text.strip())
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
        if found is None:
            continue
        at_ms = int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
        return at_ms if EARLIEST_MS <= at_ms <= LATEST_MS else None
    return None


def _iso_date(text: str) -> datetime | None:
    """Read ISO 8601, the form of Atom, Dublin Core and JSON Feed."""
    return datetime.fromisoformat(text.upper().removesuffix(" UTC")) if _iso(text) else None


def _written_date(text: str) -> datetime | None:
    """Read a day, a month's name, a year, and perhaps a time and a zone: the form of RSS and its relatives."""
    text = text.lower()
    if found := _day_first(text):
        day, month, year = found.groups()
    elif found := _month_first(text):
        month, day, year = found.groups()
    else:
        return None
    years = int(year) if len(year) == 4 else 2000 + int(year) if int(year) < 70 else 1900 + int(year)
    at = datetime(years, MONTHS.index(month) + 1, int(day), tzinfo=_zone_of(text))
    if clock := _clock(text):
        hour, minute, second, half = clock.groups()
        hours = int(hour) % 12 + (12 if half == "pm" else 0) if half else int(hour)
        at += timedelta(hours=hours, minutes=int(minute), seconds=int(second or 0))
    return at


def _zone_of(text: str) -> timezone:
    if found := _offset(text):
        sign, hours, minutes = found.groups()
        ahead = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-ahead if sign == "-" else ahead)
    hours_ahead = next((ZONES[name] for name in reversed(_zone(text)) if name in ZONES), 0)
    return timezone(timedelta(hours=hours_ahead))
