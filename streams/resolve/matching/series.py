"""Series: posts of one author whose titles differ only in a date or a number, such as "Daily thread 1/10/2026".

Owns how a series is recognised. Its items are not one story, but each may join another. Must never know of stories.
"""

import re

LEAST_LETTERS = 6
"""A title with fewer letters beside its dates and numbers names no series."""
_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_MONTHS = rf"(?:{_MONTH})[a-z]*\.?"
_changing = re.compile(
    rf"""
    \b\d{{1,4}}(?:[./-]\d{{1,2}}[./-]|/\d{{1,2}}/?)\d{{0,4}}\b                               # 1/10/2026, 26.1.7
    | \b{_MONTHS}\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}})?                        # January 14, 2026
    | \b\d{{1,2}}(?:st|nd|rd|th|\.)?\s+{_MONTHS}(?:\s+\d{{4}})?\b                       # 14 January 2026
    | \b\d{{1,2}}:\d{{2}}(?::\d{{2}})?\b
    | (?:\#|\b(?:no|nr|day|part|week|ep|episode|vol|volume|issue|edition|chapter|round)\b\.?)\s*\d+
    | \b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b | \b(?:mon|tue|wed|thu|fri|sat|sun),(?=\s\d)  # Tue, 06 Jan
    """,
    re.VERBOSE,
).sub
_may_change = re.compile(r"\d|day\b").search
_letters = re.compile(r"[^\W\d_]+").findall


def series_of(title: str) -> str:
    """Return what the items of the series of ``title`` have in common; "" if it is in none.

    >>> series_of("Daily AI News 1/10/2026") == series_of("Daily AI news 1/11/2026") != ""
    True
    >>> series_of("Death toll rises to 45"), series_of("May 14")
    ('', '')
    """
    lower = title.lower()
    if not _may_change(lower) or (common := _changing(" ", lower)) == lower:
        return ""
    letters = "".join(_letters(common))
    return letters if len(letters) >= LEAST_LETTERS else ""
