"""The syntax of URLs: one normal form, and no link where a host cannot be one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.resolve.matching.links.address import MAX_FIELDS, MAX_URL_CHARS, fields, normal_path, read


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("", ""),
        ("/", "/"),
        ("/a/./b/../c", "/a/c"),
        ("/../../a", "/a"),
        ("/a/..", "/"),
        ("/a/.", "/a/"),
        ("/a//b///c", "/a/b/c"),
        ("/%7Ea/%41%2d%5f", "/~a/A-_"),
        ("/a%2fb%3f%23%25", "/a%2Fb%3F%23%25"),
        ("/100%", "/100%25"),
        ("/%%341", "/%2541"),
        ("/é/e\u0301/%C3%A9/e%CC%81", "/%C3%A9/%C3%A9/%C3%A9/%C3%A9"),
        ("/%E9%41", "/%E9A"),
        ("/a b|c", "/a%20b%7Cc"),
        ("/story;jsessionid=1A2B/x", "/story/x"),
        ("/...", "/..."),
    ],
)
def test_a_path_has_one_normal_form(path: str, normal: str) -> None:
    assert normal_path(path) == normal


@pytest.mark.parametrize(
    ("query", "normal"),
    [
        ("", []),
        ("a=1&b=2", [("a", "1"), ("b", "2")]),
        ("12345-title", [("12345-title", None)]),
        ("a=&b&&=3", [("b", None)]),
        ("q=a+b", [("q", "a%20b")]),
        ("q=a%20b", [("q", "a%20b")]),
        ("q=a%26b%3Dc", [("q", "a%26b%3Dc")]),
        ("q=a=b", [("q", "a%3Db")]),
        ("q=%B1%B2", [("q", "%B1%B2")]),
        ("q=a%2Fb", [("q", "a/b")]),
    ],
)
def test_a_query_has_one_normal_form(query: str, normal: list[tuple[str, str | None]]) -> None:
    assert fields(query) == normal


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("HTTPS://Example.COM./a", "example.com", ""),
        ("http://example.com:80/", "example.com", ""),
        ("http://example.com:8080/", "example.com", "8080"),
        ("http://a:b@c:d@example.com/", "example.com", ""),
        ("https://MÜNCHEN.example", "xn--mnchen-3ya.example", ""),
        ("https://mu\u0308nchen.example", "xn--mnchen-3ya.example", ""),
        ("https://faß.example", "xn--fa-hia.example", ""),
        ("https://例え。テスト", "xn--r8jz45g.xn--zckzah", ""),
        ("https://ex%61mple.com", "example.com", ""),
        ("\ufeffhttps://example.com\u200b", "example.com", ""),
        ("https://https://example.com/a", "example.com", ""),
        ("example.com:8443/a", "example.com", "8443"),
    ],
)
def test_a_host_has_one_normal_form(url: str, host: str, port: str) -> None:
    address = read(url)
    assert address is not None
    assert (address.host, address.port) == (host, port)


@pytest.mark.parametrize(
    "url",
    [
        "http://exa mple.com/a", "http://exa\tmple.com/a", "http://exa\u00a0mple.com/a", "http://exa\u3000mple.com/a",
        "http://exa\u00admple.com/a", "http://exa\u200bmple.com/a", "http://exa\u200dmple.com/a", "http://exa\u2060mple.com/a",
        "http://exa\u034fmple.com/a", "http://exa\ufe0fmple.com/a", "http://exa\u3164mple.com/a", "http://exa\u202emple.com/a",
        "http://exa%00mple.com/a", "http://exa%2Fmple.com/a", "http://exa%20mple.com/a", "http://example..com/a",
        "http://.example.com/a", "http://example/a", "http://example.com:0x50/a", "http://example.com:99999/a",
        "http://[::1]/a", "http://exa<mple>.com/a", "http://\ud800.com/a", "http://" + "a" * 64 + ".com/a",
        "http://" + "a." * 200 + "com/a", "ftp://example.com/a", "data:text/html,a", "", "https://", ":", "//",
    ],
)  # fmt: skip
def test_what_cannot_be_a_host_of_the_web_is_no_link(url: str) -> None:
    assert read(url) is None


def test_a_link_is_bounded() -> None:
    assert read("https://example.com/" + "a" * MAX_URL_CHARS) is None
    assert len(fields("&".join(f"a{number}=1" for number in range(10 * MAX_FIELDS)))) == MAX_FIELDS


@given(st.text(max_size=60))
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    path = normal_path(f"/{text}".replace("?", "").replace("#", ""))
    assert path.isascii()
    assert normal_path(path) == path
    written = "&".join(name if value is None else f"{name}={value}" for name, value in fields(text))
    assert written.isascii()
    assert fields(written) == fields(text)


@given(st.from_regex(r"(?:[a%/.;+=\u00e9]|%[0-9a-fA-F]{2}){0,20}", fullmatch=True))
def test_escapes_in_any_order_have_one_normal_form(text: str) -> None:
    assert normal_path(normal_path(f"/{text}")) == normal_path(f"/{text}")
    written = "&".join(name if value is None else f"{name}={value}" for name, value in fields(text))
    assert fields(written) == fields(text)
