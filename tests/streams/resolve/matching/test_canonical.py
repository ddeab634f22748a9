"""Canonical links: one page has one key, and a page that is no evidence has none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.resolve.matching.canonical import canonical, headline_in, links_in

PAGE = "theverge.com/2014/3/10/5491908/comcast-buys-congress"
SAME_PAGE = [
    ("https://www.theverge.com/2014/3/10/5491908/comcast-buys-congress", PAGE),
    ("http://theverge.com:80/2014/3/10/5491908/comcast-buys-congress/#comments", PAGE),
    ("HTTPS://WWW.TheVerge.com/2014/3/10/5491908/comcast-buys-congress?utm_source=x&utm_medium=y", PAGE),
    ("https://www.theverge.com/2014/3/10/5491908/comcast-buys-congress?CMP=tw&fbclid=IwAR1&amp;ref=hp", PAGE),
    ("https://m.theverge.com//2014/3/10/5491908/comcast-buys-congress", PAGE),
    ("https://amp.theverge.com/2014/3/10/5491908/comcast-buys-congress/amp/", PAGE),
    ("https://www.google.com/amp/s/www.theverge.com/2014/3/10/5491908/comcast-buys-congress", PAGE),
    ("https://www-theverge-com.cdn.ampproject.org/c/s/www.theverge.com/2014/3/10/5491908/comcast-buys-congress", PAGE),
    (
        "https://www.google.co.uk/url?sa=t&url=https%3A%2F%2Ftheverge.com%2F2014%2F3%2F10%2F5491908%2Fcomcast-buys-congress",
        PAGE,
    ),
    (
        "https://l.facebook.com/l.php?u=https%3A%2F%2Ftheverge.com%2F2014%2F3%2F10%2F5491908%2Fcomcast-buys-congress%3Ffbclid%3D1&h=A",
        PAGE,
    ),
    (
        "https://out.reddit.com/t3_1?url=https%3A%2F%2Ftheverge.com%2F2014%2F3%2F10%2F5491908%2Fcomcast-buys-congress&token=x",
        PAGE,
    ),
    ("https://web.archive.org/web/20140311/http://www.theverge.com/2014/3/10/5491908/comcast-buys-congress", PAGE),
    ("https://youtu.be/dQw4w9WgXcQ?si=abc&t=3", "youtube.com/watch?v=dQw4w9WgXcQ"),
    ("https://m.youtube.com/watch?feature=share&v=dQw4w9WgXcQ&list=PL1", "youtube.com/watch?v=dQw4w9WgXcQ"),
    ("https://www.youtube.com/shorts/dQw4w9WgXcQ", "youtube.com/watch?v=dQw4w9WgXcQ"),
    ("https://mobile.twitter.com/nasa/status/1234567?s=20", "x.com/status/1234567"),
    ("https://x.com/i/web/status/1234567", "x.com/status/1234567"),
    ("https://old.reddit.com/r/news/comments/abc123/some_title/?context=3", "redd.it/abc123"),
    ("https://redd.it/abc123", "redd.it/abc123"),
    ("https://arxiv.org/pdf/2512.22055v2.pdf", "arxiv.org/abs/2512.22055"),
    ("http://export.arxiv.org/abs/2512.22055", "arxiv.org/abs/2512.22055"),
    ("https://en.m.wikipedia.org/wiki/Mount_Gox", "en.wikipedia.org/wiki/Mount_Gox"),
    ("https://news.ycombinator.com/item?id=8863", "news.ycombinator.com/item?id=8863"),
]
NO_EVIDENCE = [
    "https://www.nytimes.com/",
    "NBA.com",
    "https://bbc.co.uk/news",
    "https://x.com/nasa",
    "https://www.youtube.com/@veritasium",
    "https://github.com/torvalds",
    "ftp://example.org/file",
    "javascript:alert(1)",
    "mailto:a@example.org",
    "http://[::1",
    "http://localhost/a/b",
    "",
    "https://example.org/" + "a" * 3_000,
]


@pytest.mark.parametrize(("url", "key"), SAME_PAGE)
def test_all_urls_of_one_page_have_one_key(url: str, key: str) -> None:
    assert canonical(url) == key


@pytest.mark.parametrize("url", NO_EVIDENCE)
def test_a_page_that_unrelated_posts_link_to_has_no_key(url: str) -> None:
    assert canonical(url) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://i.redd.it/56utfxnzsf9c1.jpg", "https://i.redd.it/ex5w0sstk2ac1.jpg"),
        ("http://bit.ly/1H439mq", "http://bit.ly/1H439mQ"),
        ("https://example.org/story?id=1", "https://example.org/story?id=2"),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "https://www.youtube.com/watch?v=dQw4w9WgXcR"),
        ("https://github.com/foo/bar", "https://github.com/foo/baz"),
    ],
)
def test_different_pages_keep_different_keys(one: str, other: str) -> None:
    assert canonical(one) is not None
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com/list?",
        "https://youtube.com/watch?v=abcdefghijk&",
        "https://www.google.com/url?q=https://example.com/a/b&",
    ],
)
def test_parameters_beyond_the_limit_change_nothing(url: str) -> None:
    assert canonical(url + "&" * 500) == canonical(url)
    assert canonical(url + "&".join(f"a{number:03}=1" for number in range(64))) == canonical(
        url + "&".join(f"a{number:03}=1" for number in range(100))
    )


def test_order_of_parameters_does_not_matter() -> None:
    assert canonical("https://example.org/a?x=1&y=2") == canonical("https://example.org/a?y=2&x=1")


@given(st.text(max_size=300))
def test_any_text_is_handled(text: str) -> None:
    canonical(text)
    canonical(f"https://{text}")
    canonical(f"https://www.google.com/url?q={text}")


@given(st.from_regex(r"https?://[a-z]{2,8}\.(?:com|org)/[a-z0-9/%?&=.-]{0,60}", fullmatch=True))
def test_a_key_is_its_own_key(url: str) -> None:
    key = canonical(url)
    if key is not None:
        assert canonical(f"https://{key}") == key


def test_links_are_found_without_the_punctuation_around_them() -> None:
    text = "See (https://example.org/a), http://example.org/b. And www.example.org/c… or 「https://example.org/d」"
    assert links_in(text) == [
        f"{start}example.org/{page}"
        for start, page in zip(("https://", "http://", "www.", "https://"), "abcd", strict=True)
    ]


@pytest.mark.parametrize(
    ("key", "headline"),
    [
        ("news.example/2014/03/10/elephants-hear-age-in-human-voices", "elephants hear age in human voices"),
        ("news.example/a/21911080/mt-gox-files-for-bankruptcy.html", "mt gox files for bankruptcy"),
        (
            "news.example/%D0%BF%D0%B0%D1%80%D0%BE%D0%BC-%D1%81%D0%B5%D0%BB-%D0%BD%D0%B0-%D0%BC%D0%B5%D0%BB%D1%8C",
            "паром сел на мель",
        ),
        ("news.example/story-fn6vihic-122685108223", ""),
        ("news.example/news?title=not-in-the-path", ""),
        ("redd.it/18wuc1r", ""),
    ],
)
def test_a_headline_in_a_path_is_found(key: str, headline: str) -> None:
    assert headline_in(key) == headline
