"""Plain text of feeds: no tag of HTML remains, whatever is unusual stays, and hostile markup costs little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.feed_text import one_line, plain_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>Two<br/>Three</p>", "One\n\nTwo\n\nThree"),
        ("<style>p {}</style>One<script>alert('<b>')</script> two", "One two"),
        ("How <script> works", "How works"),
        ("One<!-- hidden --> two", "One two"),
        ("&lt;p&gt;AT&amp;amp;T&lt;/p&gt;", "AT&T"),
        ("List<T> a < b > c 1<2", "List<T> a < b > c 1<2"),
        ("&#" + "9" * 5_000 + ";", "\ufffd"),
        ("<a href='x'>link</a> <unknown-tag>", "link <unknown-tag>"),
    ],
)
def test_markup_becomes_text(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@pytest.mark.parametrize("unit", ["<script>", "<!--", "<a ", "<", "&", "&#1", "<p", "</", "<style><![CDATA[", "\n \n"])
def test_hostile_markup_takes_linear_time(unit: str) -> None:
    plain_text(unit * (1_000_000 // len(unit)))  # the time-out of the test is the limit; quadratic code takes hours


@given(st.text())
def test_a_line_is_one_line(markup: str) -> None:
    assert one_line(markup) == " ".join(one_line(markup).split())
