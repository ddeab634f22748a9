"""The native id of a page: one for all links to it, printable and bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.page_key import MAX_KEY_CHARS, page_key


@pytest.mark.parametrize(
    ("link", "key"),
    [
        ("https://a.example/b", "a.example/b"),
        ("http://www.A.example:80//b/../c/#d", "a.example//c"),
        ("https://a.example:8443/b/", "a.example:8443/b"),
        ("https://a.example", "a.example"),
        ("https://a.example/?p=7&utm_source=rss&utm_medium=feed", "a.example?p=7"),
        ("https://a.example/b?z=1&a=2", "a.example/b?a=2&z=1"),
        ("https://a.example/b?a=2&z=1&fbclid=x&at_medium=RSS&ref=hn", "a.example/b?a=2&z=1"),
        ("https://a.example/%7Eb/ä b", "a.example/~b/%C3%A4%20b"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://user:secret@a.example/b", "a.example/b"),
        ("ftp://a.example/b", None),
        ("//a.example/b", None),
        ("a.example/b", None),
        ("http://[", None),
        ("http://a b/", None),
        ("", None),
    ],
)
def test_a_key_names_the_page_alone(link: str, key: str | None) -> None:
    assert page_key(link) == key


def test_a_long_key_is_bounded_and_its_own() -> None:
    first, second = (page_key(f"https://a.example/{'x' * 2_000}{end}") for end in "ab")
    assert first != second
    assert first is not None
    assert len(first) == MAX_KEY_CHARS


@given(
    st.text() | st.text().map(lambda text: f"https://{text}") | st.text().map(lambda text: f"https://a.example/{text}")
)
def test_no_text_raises(link: str) -> None:
    key = page_key(link)
    assert key is None or (0 < len(key) <= MAX_KEY_CHARS and key.isascii() and key.isprintable() and " " not in key)
