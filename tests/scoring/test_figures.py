"""Public figures: found as author and as mention, by whole words, in any letter case; files of one's own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.signal import Author, Counts, Signal
from scoring import FigureFileError, FigureIndex

INDEX = FigureIndex.default()

ONE = """
[[figure]]
id = "grace"
name = "Grace Hopper"
tier = "A"
aliases = ["admiral hopper"]
cased = ["COBOL"]
handles = { x = ["grace"], reddit = ["GraceH"] }

[[figure]]
id = "apple"
name = "Apple"
tier = "S"
name_cased = true
"""
OWN = FigureIndex.from_toml(ONE)


def signal(text: str | None = None, title: str | None = None, platform: str = "x", author: str | None = None) -> Signal:
    return Signal(
        id=f"{platform}:1",
        kind="post",
        platform=platform,
        thread=f"{platform}:1",
        author=Author(author) if author is not None else None,
        title=title,
        text=text,
        counts=Counts(),
        created_ms=1_704_000_000_000,
        observed_ms=1_704_000_000_000,
    )


def test_the_default_registry_is_large_and_well_formed() -> None:
    assert len(INDEX.figures) >= 150
    assert set(INDEX.tiers.values()) == {"S", "A", "B", "C"}
    names = [name.lower() for figure in INDEX.figures.values() for name in figure.any_case()]
    assert len(names) == len(set(names)), "two figures share a name"
    handles = [(p, h.lower()) for figure in INDEX.figures.values() for p, hs in figure.handles.items() for h in hs]
    assert len(handles) == len(set(handles)), "two figures share a handle"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Sam Altman speaks", ("sam-altman",)),
        ("SAM ALTMAN, again", ("sam-altman",)),
        ("openai's plan; (Nvidia)", ("nvidia", "openai")),
        ("OpenAI\u53d1\u5e03\u65b0\u6a21\u578b", ("openai",)),
        ("openaire is not it, nor is xopenai or open_openai_x", ()),
        ("an apple a day, pineapple, the amazon of data, meta tags, grapple", ()),
        ("Apple and Meta sue Amazon", ("amazon", "apple", "meta")),
        ("read https://openai.com/blog/nvidia now", ()),
        ("Musk", ("elon-musk",)),
        ("musky scent of musk", ()),
        ("", ()),
    ],
)
def test_mentions(text: str, found: tuple[str, ...]) -> None:
    assert INDEX.match(signal(text)) == found
    assert INDEX.match(signal(title=text)) == found


def test_authors_and_handles_count_on_their_platform_only() -> None:
    assert OWN.match(signal(author="Grace")) == ("grace",)
    assert OWN.match(signal(author="@grace")) == ("grace",)
    assert OWN.match(signal(author="gracie")) == ()
    assert OWN.match(signal(author="")) == ()
    assert OWN.match(signal(author="graceh", platform="reddit")) == ("grace",)
    assert OWN.match(signal(author="grace", platform="reddit")) == ()
    assert OWN.match(signal("Apple has sold out", author="grace")) == ("apple", "grace")
    assert OWN.match(signal("thanks @GRACE!")) == ("grace",)
    assert OWN.match(signal("thanks @grace!", platform="reddit")) == ()
    assert OWN.match(signal("mail@grace or @gracefully")) == ()


def test_names_that_are_words_match_only_as_written() -> None:
    assert OWN.find("Apple") == ("apple",)
    assert OWN.find("apple APPLE") == ()
    assert OWN.find("COBOL") == ("grace",)
    assert OWN.find("cobol") == ()
    assert OWN.find("Admiral HOPPER") == ("grace",)


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert OWN.match(signal("x " * 3000 + "Grace Hopper")) == ()
    assert OWN.match(signal(None, title="x " * 3000 + "Grace Hopper")) == ()


def test_a_handle_is_found_after_a_text_of_nothing_else() -> None:
    assert OWN.find("@" * 3000 + " @grace", "x") == OWN.find("@grace", "x") != ()


def test_an_operators_file_goes_on_top_of_the_default() -> None:
    index = FigureIndex.default('[[figure]]\nid = "sam-altman"\nname = "Sam Altman"\ntier = "C"\n')
    assert index.tiers["sam-altman"] == "C"
    assert index.tiers["openai"] == "S"
    assert FigureIndex.default() is INDEX


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[figure]", "not TOML"),
        ('[[figure]]\nid = "a"\nname = "A"\ntier = "Z"\n', "Invalid enum value 'Z'"),
        ('[[figure]]\nid = "a"\nname = "A"\n', "missing required field `tier`"),
        ('[[figure]]\nid = "a"\nname = "A"\ntier = "A"\ntears = 1\n', "unknown field `tears`"),
        ('[[figure]]\nid = "a"\nname = "A"\ntier = "A"\naliases = [" "]\n', "'a' has an empty name"),
        ('[[figure]]\nid = "a"\nname = "A"\ntier = "A"\n' * 2, "'a' is listed twice"),
        (f'[[figure]]\nid = "{"a" * 65}"\nname = "A"\ntier = "A"\n', "has over 64 bytes"),
    ],
)
def test_a_broken_file_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(FigureFileError, match="registry of public figures: ") as caught:
        FigureIndex.from_toml(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value).strip()


@given(st.text(max_size=60), st.sampled_from(("Grace Hopper", "grace hopper", "GRACE HOPPER")), st.text(max_size=60))
@settings(max_examples=50, deadline=None)
def test_a_name_between_spaces_is_found_in_any_text(before: str, name: str, after: str) -> None:
    if "://" in before:
        return
    assert "grace" in OWN.find(f"{before} {name} {after}")
