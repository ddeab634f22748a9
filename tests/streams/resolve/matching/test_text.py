"""Untrusted text: cleaned, and spelled so that equal words are equal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.resolve.matching.look_alikes import without_look_alikes
from streams.resolve.matching.text import clean, words

LATIN_WITH_OTHERS = [
    ("\u0410pple", "Apple"),  # Cyrillic
    ("G\u043e\u043egle", "Google"),
    ("Mi\u0441r\u043es\u043eft", "Microsoft"),
    ("P\u0430\u0443\u0440al", "Paypal"),
    ("\u0430m\u0430z\u043en", "amazon"),
    ("T\u0435sl\u0430", "Tesla"),
    ("\u0405amsung", "Samsung"),
    ("fac\u0435b\u043e\u043ek", "facebook"),
    ("\u0406ntel", "Intel"),
    ("\u0458azz", "jazz"),
    ("\u04bbello", "hello"),
    ("na\u0457ve", "na\u00efve"),
    ("caf\u0435\u0301", "caf\u00e9"),
    ("\u039dVIDIA", "NVIDIA"),  # Greek
    ("\u0392itcoin", "Bitcoin"),
    ("Micr\u03bfsoft", "Microsoft"),
    ("\u03a7box", "Xbox"),
    ("Z\u03bfom", "Zoom"),
    ("\u03c1aypal", "paypal"),
    ("NF-\u03baB", "NF-kB"),
    ("Ur\u03a5u", "UrYu"),
]
OTHERS_WITH_LATIN = [
    ("M\u043e\u0441\u043a\u0432\u0430", "\u041c\u043e\u0441\u043a\u0432\u0430"),  # Russian
    ("c\u0435\u0433\u043e\u0434\u043d\u044f", "\u0441\u0435\u0433\u043e\u0434\u043d\u044f"),
    ("\u0420o\u0441\u0441\u0438\u044f", "\u0420\u043e\u0441\u0441\u0438\u044f"),
    ("\u0432\u044b\u0431op\u044b", "\u0432\u044b\u0431\u043e\u0440\u044b"),
    ("\u0423\u043a\u0440\u0430\u0457\u043da", "\u0423\u043a\u0440\u0430\u0457\u043d\u0430"),  # Ukrainian
    ("K\u0438\u0457\u0432", "\u041a\u0438\u0457\u0432"),
    (
        "\u0411\u044a\u043bgap\u0438\u044f".replace("g", "\u0433"),
        "\u0411\u044a\u043b\u0433\u0430\u0440\u0438\u044f",
    ),  # Bulgarian
    (
        "\u049a\u0430\u0437a\u049b\u0441\u0442\u0430\u043d",
        "\u049a\u0430\u0437\u0430\u049b\u0441\u0442\u0430\u043d",
    ),  # Kazakh
    ("A\u03b8\u03ae\u03bd\u03b1", "\u0391\u03b8\u03ae\u03bd\u03b1"),  # Greek
    ("\u0395\u039b\u039b\u0391\u0394A", "\u0395\u039b\u039b\u0391\u0394\u0391"),
    (
        "\u03ba\u03c5\u03b2\u03ad\u03c1\u03bd\u03b7\u03c3\u03b7".replace("\u03c5", "u"),
        "\u03ba\u03c5\u03b2\u03ad\u03c1\u03bd\u03b7\u03c3\u03b7",
    ),
]
AS_THEY_ARE = [
    "Москва", "сосо", "РАУРАЛ", "Ёлка", "Йогурт", "Αθήνα", "ἀλφάβητος", "ΟΡΟΣ", "café", "naïve",
    "Straße", "Łódź", "Việt Nam", "Ångström", "İstanbul", "curaçao", "øl", "القاهرة", "ירושלים",
    "東京", "서울", "दिल्ली", "กรุงเทพ", "iPhone-ом", "USB-кабель", "vконтакте", "Δv", "μm", "IFNγ",
    "TGFβ", "α-synuclein", "XXI век",
]  # fmt: skip


@pytest.mark.parametrize(("written", "meant"), LATIN_WITH_OTHERS + OTHERS_WITH_LATIN)
def test_a_word_of_two_scripts_is_folded_into_one(written: str, meant: str) -> None:
    assert without_look_alikes(written) == meant
    assert clean(f"{written}!", 100) == f"{meant}!"
    assert words(f"so {written} says") == words(f"so {meant} says")


@pytest.mark.parametrize("text", AS_THEY_ARE)
def test_other_words_stay_as_they_are(text: str) -> None:
    assert without_look_alikes(text) == text
    assert clean(text, 100) == text


@given(st.text(st.characters(categories=["L", "M", "Nd", "Zs"]), max_size=60))
def test_folding_is_done_at_once_and_only_to_words_of_two_scripts(text: str) -> None:
    folded = without_look_alikes(text)
    assert without_look_alikes(folded) == folded
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in text} & {"LATIN", "CYRILLIC", "GREEK"}
    if len(scripts) < 2:
        assert folded == text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("A\u0336p\u0336p\u0336l\u0336e\u0336", "Apple"),
        ("b\u0334r\u0334e\u0334a\u0334k\u0334", "break"),
        ("n\u0338o\u0338", "no"),
        ("s\u20d2t\u20d2o\u20d2p\u20d2", "stop"),
        ("\u041c\u0336\u0438\u0336\u0440\u0336", "\u041c\u0438\u0440"),
        ("\u0645\u0640\u0640\u0640\u0631\u062d\u0628\u0627", "\u0645\u0631\u062d\u0628\u0627"),
        ("\u0639\u0640\u0640\u0627\u062c\u0640\u0644", "\u0639\u0627\u062c\u0644"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("Tom &amp;amp; Jerry", "Tom & Jerry"),
        ("Tom &amp;amp;amp; Jerry", "Tom & Jerry"),
        ("it&amp;#39;s", "it's"),
        ("it&#x27;s", "it's"),
        ("&amp;quot;yes&amp;quot;", '"yes"'),
        ("2 &amp;lt; 3", "2 < 3"),
        ("caf&amp;eacute;", "caf\u00e9"),
        ("one&amp;nbsp;two", "one two"),
        ("a&amp;zwnj;&amp;shy;b", "a\u200cb"),
        ("\u0410&amp;#8203;pple", "Apple"),
    ],
)
def test_decoration_and_entities_are_removed(written: str, meant: str) -> None:
    assert clean(written, 100) == meant
    assert words(clean(f"so {written} says", 100)) == words(f"so {meant} says")


@pytest.mark.parametrize(
    "text", ["AT&T", "R&D; Q&A", "&copy", "&;", "&#;", "&nosuchentity;", "a & b", "&&&&", "?a=1&copy=2"]
)
def test_an_ampersand_that_begins_no_entity_stays(text: str) -> None:
    assert clean(text, 100) == text


def test_accents_of_real_languages_stay() -> None:
    vietnamese = unicodedata.normalize("NFD", "Ti\u1ebfng Vi\u1ec7t")
    assert clean(vietnamese, 100) == vietnamese
    assert words(vietnamese) == words("Ti\u1ebfng Vi\u1ec7t")


@given(st.text(max_size=300))
def test_cleaning_any_text_ends_and_is_bounded(text: str) -> None:
    assert len(clean(text, 50)) <= 50
    words(text)
