"""Checks the English of the project: sentence length and words that have a better term (docs/glossary.md).

Owns what counts as prose and which words are rejected. Prose is Markdown text, docstrings, comments, messages and the
names of tests. Code, links and generated tables are not. List the violations of a file or folder with:

    .venv/bin/python -m tests.docs.language streams/score
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAX_WORDS = 25
"""Words of one sentence. Longer sentences hold two facts."""
LINE_COMMENTS = {".toml": "#", ".yml": "#", ".yaml": "#", ".sh": "#", "": "#", ".js": "//"}
DATA = {"tests", "benchmarks", "world"}
"""Folders whose texts are mostly examples of what people post: only their docstrings and comments are checked."""
SKIPPED = {"__pycache__", "node_modules", "target", "build", "dist", "htmlcov"}

REJECTED: dict[str, str] = {
    r"who(m)?ever": "name the subject",
    r"nobody": "name the subject and negate the verb",
    r"anew": "again",
    r"\btold\b": "emitted, reported",
    r"\bheard\b": "acknowledged, received",
    r"hang(s|ing)? on\b": "depends on",
    r"let(s|ting)? go\b": "releases",
    r"by no fault": "say what caused it",
    r"\bof which\b": "start a new sentence",
    r"thereby": "start a new sentence",
    r"strangers?\b": "background posts; untrusted users",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bborne\b|\bbears? (that|it|with)\b": "tolerates",
    r"\bbark(s|ed)?\b": "raises",
    r"\b(a|the|such a|its) letters?\b(?! case| of)|\bbur(y|ies|ied|ying)\b": "dead letter",
    r"\btellers?\b": "emitter",
    r"\bparcels?\b": "batch",
    r"\bagendas?\b": "schedule, timer queue",
    r"\bappointments?\b": "assignment",
    r"\bhandovers?\b": "rebalance",
    r"\bstragglers?\b": "recheck",
    r"\bexhibits?\b": "evidence",
    r"\btall(y|ies)\b|\bcensus\b": "aggregate",
    r"\bfeelings?\b": "sentiment",
    r"\bcrowds?\b": "sketched ledger",
    r"\bintakes?\b": "consumer, topic reader",
    r"\blanes?\b": "queue",
    r"(?<!type )\bstubs?\b": "redirect",
    r"\bfound(s|ed|ing)\b": "creates, first",
    r"\bwatchers?\b": "subscribers",
    r"\bwatched (items|posts|stories)\b": "tracked",
    r"\baffinit(y|ies)\b": "similarity",
    r"\bsweeps?\b": "full scan",
    r"\bpaces?\b|\bpacing\b": "rate limiter, rate",
    r"\bverdicts?\b": "retry policy",
    r"\bpatience\b": "idle timeout",
    r"\b(a|the|second|first|one|two|each|every|further) looks?\b|\blook(s|ed) at\b|\blook(s|ed|ing) again\b": "poll",
    r"\b(a|the|bare|time|its|their|least) marks?\b|\bmarks of\b": "source watermark",
    r"\bsettl(e|es|ed|ing)\b": "end-of-replay barrier",
    r"\bclaim(s|ed|ing)?\b": "fencing record",
    r"\bowned\b": "assigned",
    r"\bboards?\b": "read model",
    r"\borders\b(?! of magnitude)": "operator commands",
    r"\btied\b": "dies with the parent",
    r"\bforgotten\b": "expired",
    r"(?<!half-)\blife\b|\blives\b": "run",
}
"""What to write instead, by pattern. The last seven letters of a word count: ``anew`` finds no ``renew``."""
CLAUSE_SUBJECT = re.compile(
    r"^(Who (?!may)|What (\S+ ){0,9}?(is|was|are|were|has|had|have|comes|came|goes|does|did|says?|said|"
    r"waits?|stays?|holds?|needs?) "
    r"(\S+ )*?(is|was|are|were|has|must|may|can|cannot|goes|comes|stays|does|did|would|will|counts?)\b)"
)
"""A clause as the subject: "What is gone is missed"."""
_PATTERNS = [
    (re.compile(rf"(?<![\w-]){pattern}(?!\w)" if pattern[0].isalpha() else pattern, re.IGNORECASE), better)
    for pattern, better in REJECTED.items()
]
_ANY = re.compile("|".join(pattern.pattern for pattern, _ in _PATTERNS), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Violation:
    """A line of a file and what is wrong with it."""

    path: Path
    line: int
    fault: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.fault}"


@dataclass(slots=True)
class _Block:
    """Prose that belongs together: a paragraph, a list item, a message. ``limited``: sentence length is checked."""

    line: int
    text: str
    limited: bool = True


def violations(path: Path) -> list[Violation]:
    """Return what is wrong with the English of one file, in order."""
    found = [
        Violation(path, block.line, fault) for block in _blocks(path) for fault in faults(block.text, block.limited)
    ]
    return sorted(found, key=lambda violation: violation.line)


def faults(text: str, limited: bool = True) -> list[str]:
    """Return what is wrong with ``text``, without code and links in it."""
    text = _without_code(text)
    patterns = _PATTERNS if _ANY.search(text) else []
    found = [f"{match[0]!r}: write {better!r}" for pattern, better in patterns for match in pattern.finditer(text)]
    for sentence in re.split(r"(?<=[.!?])[\"')*]*\s+(?=[A-Z(\"'*0-9])|:\s|\n\n", " ".join(text.split(" "))):
        words = [word for word in sentence.split() if re.search(r"\w", word)]
        if limited and len(words) > MAX_WORDS:
            found.append(f"{len(words)} words: {' '.join(words[:8])} …")
        if CLAUSE_SUBJECT.match(sentence.strip()) and not sentence.rstrip().endswith("?"):
            found.append(f"a clause as subject: {' '.join(words[:8])} …")
    return found


def files(path: Path) -> Iterator[Path]:
    """Yield the files with prose at or below ``path``."""
    if path.is_file():
        yield path
        return
    for inner in sorted(path.iterdir()):
        if inner.name in SKIPPED or inner.name.startswith("."):
            continue
        if inner.is_dir() or inner.suffix in {".py", ".md", ".js", ".css", ".toml"}:
            yield from files(inner)


def _without_code(text: str) -> str:
    text = re.sub(r":\w+:`~?([^`]*)`", "CODE", text)
    text = re.sub(r"``[^`]*``|`[^`]*`", "CODE", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"https?://\S+|<[^>]*>", "LINK", text)
    return re.sub(r"\b(e\.g|i\.e|vs|cf|al|approx|St)\.", r"\1", text)


def _blocks(path: Path) -> Iterator[_Block]:
    text = path.read_text()
    if path.suffix == ".md":
        yield from _markdown(text)
    elif path.suffix == ".py":
        yield from _python(text, messages=not DATA & set(path.parts))
    else:
        yield from _comments_of_lines(text, LINE_COMMENTS.get(path.suffix))
        if path.suffix in {".js", ".css"}:
            for found in re.finditer(r"/\*(.*?)\*/", text, re.DOTALL):
                yield _Block(text.count("\n", 0, found.start()) + 1, found[1].replace("\n", " "))


def _markdown(text: str) -> Iterator[_Block]:
    code = generated = False
    block: _Block | None = None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        generated = stripped.startswith("<!-- table:") or (generated and stripped != "<!-- end -->")
        fence = stripped.startswith("```")
        code ^= fence
        table, starts = stripped.startswith("|"), re.match(r"([-*+] |\d+\. |#+ |> )", stripped)
        if block and (code or fence or table or starts or not stripped or stripped.startswith("<!--")):
            yield block
            block = None
        if code or fence or generated or not stripped or stripped.startswith("<!--"):
            continue
        if table:
            yield _Block(number, stripped, limited=False)
        elif block is None:
            block = _Block(number, stripped[starts.end() :] if starts else stripped)
            if stripped.startswith("#"):
                yield block
                block = None
        else:
            block.text += " " + stripped
    if block:
        yield block


def _python(source: str, *, messages: bool) -> Iterator[_Block]:
    tree = ast.parse(source)
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docstrings.add(node.value)
            yield from _docstring(node.lineno, node.value.value)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield _Block(node.lineno, node.name.replace("_", " "), limited=False)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            said = node.value if messages and len(node.value.split()) > 2 else ""
            yield _Block(node.lineno, said, limited=False)
    yield from _comments(source)


def _docstring(first: int, text: str) -> Iterator[_Block]:
    """Yield the paragraphs and list items of a docstring that begins on line ``first``, without examples."""
    block: _Block | None = None
    section = example = False
    lines = text.splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    for number, raw in enumerate(lines, first):
        line = raw if number == first else raw[margin:]
        stripped = line.strip()
        example = bool(stripped) and (example or stripped.startswith(">>>"))
        heading = stripped in {"Raises:", "Returns:", "Yields:", "Args:"}
        indented = line.startswith("    ") and not section
        starts = re.match(r"[-*] |\S+: " if section else r"[-*] ", stripped)
        if block and (not stripped or example or heading or indented or starts):
            yield block
            block = None
        section = heading or (section and bool(stripped))
        if not stripped or example or heading or indented:
            continue
        if block is None:
            block = _Block(number, stripped)
        else:
            block.text += " " + stripped
    if block:
        yield block


def _comments(source: str) -> Iterator[_Block]:
    block: _Block | None = None
    last = -1
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        text = re.sub(
            r"^#+:? ?|(type: ignore|noqa)(\S*:? ?[A-Z]+\d+,? ?)*(\[\S*\])?|pragma: .*|fmt: \w+", "", token.string
        )
        alone = not token.line[: token.start[1]].strip()
        if block and alone and token.start[0] == last + 1:
            block.text += " " + text.strip()
        else:
            if block:
                yield block
            block = _Block(token.start[0], text.strip())
        last = token.start[0] if alone else -1
    if block:
        yield block


def _comments_of_lines(text: str, sign: str | None) -> Iterator[_Block]:
    block: _Block | None = None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        said = stripped.lstrip(sign).strip() if sign and stripped.startswith(sign) else ""
        if block and not said:
            yield block
            block = None
        elif block:
            block.text += " " + said
        elif said and not said.startswith("!"):
            block = _Block(number, said)
    if block:
        yield block


def main(paths: Sequence[str]) -> int:
    """Print every violation at or below ``paths``; return 1 if there is any."""
    found = [violation for path in paths for file in files(Path(path)) for violation in violations(file)]
    for violation in found:
        print(violation)  # noqa: T201 (its purpose)
    print(f"{len(found)} violations")  # noqa: T201
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["."]))
