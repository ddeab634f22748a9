"""``hubbub eval figures`` and ``eval links`` compare what is found with a file of right answers, line by line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from hubbub.cli import main
from hubbub.evaluate.answers.figures import read_headlines
from hubbub.evaluate.answers.lines import read_answers
from hubbub.evaluate.answers.links import evaluate_links, read_links
from transport.errors import UserError

FIGURES = """\
# headline, TAB, figures

Mayor Ada Example opens the bridge\tada
Ada Example and Bert Sample argue\tbert, ada
Ada Example \x1b[31m[red]sails\tbert
A bridge opens\t
Another bridge opens\t-
A third bridge opens
Zoe Nowhere writes a book\tzoe
"""
REGISTRY = """
[[figure]]
id = "ada"
name = "Ada Example"
tier = "B"
[[figure]]
id = "bert"
name = "Bert Sample"
tier = "C"
"""
LINKS = """\
\ufeff# made up
same\thttps://example.org/a-big-story?utm_source=x\thttp://www.example.org/a-big-story/
same\thttps://example.org/one-big-story\thttps://example.org/two-big-story
different\thttps://example.org/a-big-story\thttps://example.org/a-big-story#part
different\thttps://example.org/\thttps://example.org/
none\tmailto:a@example.org\t-
none\thttps://example.org/a-big-story
page\thttps://example.org/a-big-story
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "figures.tsv").write_text(FIGURES)
    (tmp_path / "figures.toml").write_text(REGISTRY)
    (tmp_path / "links.tsv").write_text(LINKS)
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Any:
    assert main(["eval", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_figures_are_compared_headline_by_headline(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = printed(capsys, "figures", files / "figures.tsv", "--figures-file", files / "figures.toml")
    assert (result["right"], result["of"]) == (5, 7)
    assert result["counts"] == {"right": 3, "false": 1, "missed": 2}
    assert (result["precision"], result["recall"]) == (0.75, 0.6)
    assert result["f1"] == pytest.approx(2 / 3)
    assert [(case["line"], case["expected"], case["found"], case["unknown"]) for case in result["wrong"]] == [
        (5, ["bert"], ["ada"], []),
        (9, ["zoe"], [], ["zoe"]),
    ]


def test_the_report_on_figures_shows_each_wrong_line(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "figures", str(files / "figures.tsv"), "--figures-file", str(files / "figures.toml")]) == 0
    report = capsys.readouterr().out
    assert "5 of 7 headlines right" in report
    assert "line 5: expected bert, found ada: Ada Example [31m[red]sails" in report
    assert "line 9: expected zoe (not listed: zoe), found none: Zoe Nowhere writes a book" in report
    assert "\x1b" not in report


def test_links_are_compared_by_their_keys(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = printed(capsys, "links", files / "links.tsv")
    assert (result["right"], result["of"]) == (4, 7)
    assert result["counts"] == {"right": 1, "false": 1, "missed": 1}
    assert (result["precision"], result["recall"], result["f1"]) == (0.5, 0.5, 0.5)
    assert [(case["line"], case["expected"], case["found"]) for case in result["wrong"]] == [
        (3, "same", "different"),
        (4, "different", "same"),
        (7, "none", "page"),
    ]
    assert result["wrong"][0]["keys"] == ["example.org/one-big-story", "example.org/two-big-story"]


def test_the_report_on_links_shows_the_keys(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "links", str(files / "links.tsv")]) == 0
    report = capsys.readouterr().out
    assert "4 of 7 lines right" in report
    assert "line 7: expected none, found page" in report
    assert "https://example.org/a-big-story#part  key example.org/a-big-story" in report


def test_two_links_without_a_key_are_not_the_same(files: Path) -> None:
    cases = read_links(files / "links.tsv")
    result = evaluate_links(cases, lambda _: None)
    assert [case.line for case in result.wrong] == [2, 3, 8]
    assert evaluate_links(cases, lambda _: "key").counts.missed == 0


def test_a_long_line_is_shown_in_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "links.tsv").write_text(f"page\tnonsense{'x' * 5_000}\n")
    assert main(["eval", "links", str(tmp_path / "links.tsv")]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) < 250


def test_fields_are_read_from_any_editor(tmp_path: Path) -> None:
    (tmp_path / "links.tsv").write_bytes(
        b"\xef\xbb\xbf# bom\r\nsame\t https://a.example/x \thttps://b.example/y\r\n\r\n"
    )
    assert list(read_answers(tmp_path / "links.tsv")) == [(2, ["same", "https://a.example/x", "https://b.example/y"])]
    (tmp_path / "links.tsv.gz").write_bytes(gzip.compress(b"none\tx"))
    assert read_links(tmp_path / "links.tsv.gz")[0].links == ("x",)


@pytest.mark.parametrize(
    ("command", "line", "message"),
    [
        ("figures", b"a\tb\tc", "line 2 has 3 fields"),
        ("figures", b"\tapple", "line 2 has no headline"),
        ("figures", b"Apple and Intel\tapple,,intel", "line 2 has an empty id between commas"),
        ("figures", b"Apple \xff\tapple", "line 2 is not UTF-8"),
        ("links", b"samesame\ta\tb", "line 2 begins with 'samesame'"),
        ("links", b"same\thttps://a.example/x", "line 2 does not have 2 link(s)"),
        ("links", b"same\thttps://a.example/x\t-", "line 2 does not have 2 link(s)"),
        ("links", b"same\ta\tb\tc", "line 2 does not have 2 link(s)"),
        ("links", b"none\t-", "line 2 does not have 1 link(s)"),
        ("links", b"none\ta\tb", "line 2 does not have 1 link(s)"),
        ("links", b"\x1b[31msame\ta\tb", "line 2 begins with"),
    ],
)
def test_a_bad_line_is_one_message_with_its_number(
    command: str, line: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.tsv").write_bytes(b"# comment\n" + line + b"\n")
    assert main(["eval", command, str(tmp_path / "bad.tsv")]) == 1
    (shown,) = capsys.readouterr().err.splitlines()
    assert f"bad.tsv, {message}" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("command", ["figures", "links"])
def test_an_empty_or_missing_file_is_one_message(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.tsv").write_text("# nothing\n\n")
    assert main(["eval", command, str(tmp_path / "empty.tsv")]) == 1
    (shown,) = capsys.readouterr().err.splitlines()
    assert "empty.tsv holds no" in shown
    assert main(["eval", command, str(tmp_path / "missing.tsv")]) == 2


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubbub.recordings.MAX_LINE_BYTES", 100)
    (tmp_path / "bad.tsv.gz").write_bytes(gzip.compress(b"x" * 101))
    with pytest.raises(UserError, match="line 1 is longer than 100 bytes"):
        read_headlines(tmp_path / "bad.tsv.gz")


def test_the_shared_answers_are_read(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures, links = (printed(capsys, kind, shared / f"odd/{kind}.tsv") for kind in ("figures", "links"))
    assert (figures["of"], links["of"]) == (47, 32)
    for result in (figures, links):
        assert result["of"] - result["right"] == len(result["wrong"])
    assert {case.expected for case in read_links(shared / "odd/links.tsv")} == {"same", "different", "none"}
