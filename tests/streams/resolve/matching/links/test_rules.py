"""The rules of sites: each leads to a key that is its own key, and none takes long on hostile links."""

from __future__ import annotations

import string
import time
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.resolve.matching.canonical import canonical
from streams.resolve.matching.links.address import MAX_URL_CHARS
from streams.resolve.matching.links.rules import RULES, Names, Page, Site, rules_of
from streams.resolve.matching.links.wrappers import MAX_UNWRAPPINGS

PAGES = [(site, page) for site in RULES.sites for page in site.pages]
STORY = "https://paper.example/2026/03/harbour-bridge-closes"
KEY = "paper.example/2026/03/harbour-bridge-closes"
LONGEST_SECONDS = 0.25
"""Far more than any link needs; a rule that backtracks takes minutes."""


def host_of(site: Site) -> str:
    host = site.hosts[0].removeprefix("*.").replace(".*", ".com")
    return "social.example" if host == "*" else host


HOSTS = sorted({host_of(site) for site in RULES.sites} | {"paper.example"})


@pytest.mark.parametrize(("site", "page"), PAGES, ids=[f"{site.hosts[0]} {page.path}" for site, page in PAGES])
@given(data=st.data())
@settings(max_examples=15, derandomize=True)
def test_the_key_of_a_known_page_is_its_own_key(site: Site, page: Page, data: st.DataObject) -> None:
    letters = st.characters(codec="ascii", exclude_characters="?#\\ %" + string.whitespace, min_codepoint=33)
    path = data.draw(st.from_regex(page.path, fullmatch=True, alphabet=letters))
    query = "&".join(f"{name}=Ab1-{number}" for number, name in enumerate(page.query))
    key = canonical(f"https://{host_of(site)}{path}?{query}")
    if key is not None:
        assert canonical(f"https://{key}") == key


PIECES = [
    "/", "//", ".", "..", "%2F", "%", "%25", "%2e", "?", "#", "#!/", "&", "=", "a=b", "ref=", "utm_source=x", "amp",
    "/amp", ".amp", ".html", "index.html", "https://", "https:/", "x.com/a/status/1", "\\", "+", " ", "www.", "é",
    "%C3%A9", "%E9", ";jsessionid=1", "abc-def-ghi", "2026", "watch", "v=abcdefghijk", "(", ")",
]  # fmt: skip
"""What rules look at, to be put together in any order."""


@given(st.sampled_from(HOSTS), st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=8))
@settings(max_examples=500, derandomize=True)
def test_the_key_of_any_link_is_its_own_key(host: str, pieces: list[str]) -> None:
    key = canonical(f"https://{host}/{''.join(pieces)}")
    if key is not None:
        assert canonical(f"https://{key}") == key


def test_a_host_has_the_rules_of_its_site() -> None:
    assert rules_of("www.youtube.com").host == "youtube.com"
    assert rules_of("amazon.co.uk").pages == rules_of("amazon.com").pages != ()
    assert rules_of("de.m.wikipedia.org").host == "de.wikipedia.org"
    assert rules_of("notes.blogspot.com.br").host == "notes.blogspot.com"
    assert rules_of("news.google.com").wraps != rules_of("google.com").wraps


@pytest.mark.parametrize("host", ["google.evil.example", "amazon.evil.example", "evilx.com", "x.com.evil.example"])
def test_a_host_that_only_looks_like_a_site_has_no_rules(host: str) -> None:
    known = rules_of(host)
    assert known.host == host
    assert known._replace(host="") == rules_of("any.other.example")._replace(host="")
    assert (known.wraps, known.keep, known.drop) == ((), None, None)


def test_names_match_in_any_letter_case_and_by_their_beginning() -> None:
    names = Names(["utm_*", "GCLID"])
    assert "UTM_source" in names
    assert "gclid" in names
    assert "utm" not in names
    assert "gclid2" not in names
    assert "anything" not in Names([])


@pytest.mark.parametrize(
    ("value", "dropped"),
    [
        ("", True), ("producthunt", True), ("Weekly-Newsletter", True), ("@someone", True), ("hp_top_3", True),
        ("https://t.co/", True), ("paper.news", True), ("rss----a1b2---4", True), ("Zx9Kq2LmPa7", True),
        ("main", False), ("v1.2.0", False), ("v1.2.py", False), ("17", False), ("0123abcd", False),
        ("john.3.16", False), ("https://paper.example/other", False), ("twitter-data", False),
    ],
)  # fmt: skip
def test_a_name_that_may_say_something_is_judged_by_its_value(value: str, dropped: bool) -> None:
    assert (canonical(f"{STORY}?ref={value}") == KEY) is dropped
    assert (canonical(f"{STORY}?source={value}") == KEY) is dropped


def test_a_topic_is_kept_where_the_path_names_no_page() -> None:
    assert canonical("https://maps.example/view?source=twitter") != canonical("https://maps.example/view?source=reddit")
    assert canonical("https://maps.example/view?ref=twitter") == canonical("https://maps.example/view")
    assert canonical("https://shop.example/?ref=o3idfm0n") is None


def google_news(address: str) -> str:
    size = len(address)
    length = bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])
    return urlsafe_b64encode(b"\x08\x13\x22" + length + address.encode() + b"\xd2\x01\x00").decode().rstrip("=")


@given(st.integers(min_value=1, max_value=1_200))
def test_google_news_gives_the_address_inside(length: int) -> None:
    story = f"{STORY}-{'a' * length}"
    for form in ("rss/articles", "articles", "read", "__i/rss/rd/articles"):
        assert canonical(f"https://news.google.com/{form}/{google_news(story)}?oc=5") == f"{KEY}-{'a' * length}"


@pytest.mark.parametrize(
    "identifier", ["CBMi", "CBMiZ", "CBMi_w", "CBMigQ", "CBMiAA", "CBMi8J-YgA", "a", "====", "-_-_"]
)
def test_a_broken_identifier_of_google_news_stays_as_it_is(identifier: str) -> None:
    key = canonical(f"https://news.google.com/rss/articles/{identifier}?oc=5")
    assert key is None or key.startswith("news.google.com/")


def test_wrappers_end() -> None:
    wrapper = "https://web.archive.org/web/2026/"
    assert canonical(wrapper * MAX_UNWRAPPINGS + STORY) == KEY
    assert canonical(wrapper * (MAX_UNWRAPPINGS + 1) + STORY) is None
    assert canonical("https://x.com/login?redirect_after_login=/login?redirect_after_login=/login") is None


@pytest.mark.parametrize(
    "part",
    [
        "a.",
        "-v1-",
        "/amp",
        ".amp.html/index",
        "%2e/",
        "/..",
        "a-",
        "/https:",
        "&a=1",
        "%",
        "=",
        "/x.y",
        "1-",
        "é",
        "(",
        "\\_",
        "#!",
        "https://",
    ],
)
def test_no_rule_takes_long_on_a_hostile_link(part: str) -> None:
    for host in HOSTS:
        for start in (f"https://{host}/", f"https://{host}/x?u=", f"https://{host}/x#!/"):
            link = (start + part * MAX_URL_CHARS)[:MAX_URL_CHARS]
            begun = time.process_time()
            canonical(link)
            assert time.process_time() - begun < LONGEST_SECONDS, link[:80]
