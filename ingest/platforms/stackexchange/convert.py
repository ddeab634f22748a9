"""Questions, answers and comments of Stack Exchange into signals. Pure: no clock, no network, no memory.

Owns what each field of an item means (https://api.stackexchange.com/docs, types question, answer and comment). Must
never fetch.

- A question is a post. An answer is a reply in its thread, and so is a comment on either.
- Questions and answers of a site are numbered together, comments apart: ``site/7``, ``site/comment/7``.
- ``score`` is likes; answers and comments are replies; ``view_count`` is views.
- Titles and names come HTML-escaped, bodies as HTML: the API makes them safe to show in a page.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec

from ingest.batch import Ignored, Signals, errors_to_dead_letters, well_formed
from ingest.fields import count_of
from ingest.plain_text import plain_text
from ingest.signal import Author, Community, Counts, Signal

PLATFORM: Final = "stackexchange"


class _Owner(msgspec.Struct):
    """The author of an item. ``user_id``: absent if the account is gone."""

    display_name: str | None = None
    user_id: int | None = None


class _Item(msgspec.Struct):
    creation_date: int
    question_id: int | None = None
    answer_id: int | None = None
    comment_id: int | None = None
    title: str | None = None
    body: str | None = None
    link: str | None = None
    owner: _Owner | None = None
    score: int | None = None
    view_count: int | None = None
    answer_count: int | None = None
    comment_count: int | None = None


def signal_id(site: str, number: int, *, comment: bool = False) -> str:
    """Return the id of the signal for a question or an answer of ``site``, or for a comment."""
    return f"{PLATFORM}:{site}/comment/{number}" if comment else f"{PLATFORM}:{site}/{number}"


def parts(question: object) -> Iterator[object]:
    """Yield a question, its answers and all comments, each as :func:`convert` takes it."""
    yield question
    for item in (question, *_list(question, "answers")):
        if item is not question:
            yield item
        yield from _list(item, "comments")


def number(question: object) -> int | None:
    """Return the number of a question; None if it has none."""
    found = question.get("question_id") if isinstance(question, dict) else None
    return found if type(found) is int and found > 0 else None


def active_s(question: object) -> int:
    """Return when something last happened to a question, in epoch seconds; 0 if it does not say."""
    found = question.get("last_activity_date") if isinstance(question, dict) else None
    return found if type(found) is int else 0


@errors_to_dead_letters
def convert(raw: object, witnessed_ms: int, site: str = "stackoverflow", question: int | None = None) -> Signals:
    """Return what becomes of one item of ``site``.

    ``raw``: the parsed JSON. ``witnessed_ms``: when it arrived. ``question``: for a comment, the number of the question
    at the root of its thread, which the comment does not name.
    """
    item = msgspec.convert(raw, _Item)
    if item.comment_id is not None:
        kind_is_post, id_ = False, signal_id(site, item.comment_id, comment=True)
    elif item.answer_id is not None:
        kind_is_post, id_, question = False, signal_id(site, item.answer_id), item.question_id
    elif item.question_id is not None:
        kind_is_post, id_, question = True, signal_id(site, item.question_id), item.question_id
    else:
        raise ValueError("neither a question, nor an answer, nor a comment")
    if question is None:
        return Signals(ignored=Counter([Ignored.ORPHAN]))
    replies = _replies(raw, item) if kind_is_post else count_of(item.comment_count)
    return Signals(
        [
            Signal(
                id=id_,
                kind="post" if kind_is_post else "reply",
                platform=PLATFORM,
                thread=signal_id(site, question),
                author=_author(item.owner),
                community=Community(name=site),
                title=_plain(item.title) if kind_is_post else None,
                text=_plain(item.body),
                permalink=well_formed(item.link) if item.link else None,
                counts=Counts(likes=count_of(item.score), replies=replies, views=count_of(item.view_count)),
                created_ms=min(item.creation_date * 1000, witnessed_ms),
                observed_ms=witnessed_ms,
            )
        ]
    )


def _replies(raw: object, question: _Item) -> int | None:
    """Return how many answers and comments a question has, as far as the platform counts them."""
    if question.answer_count is None:
        return None
    below = [answer.get("comment_count") for answer in _list(raw, "answers") if isinstance(answer, dict)]
    counted = [question.answer_count, question.comment_count, *below]
    return sum(max(0, count) for count in counted if type(count) is int)


def _author(owner: _Owner | None) -> Author | None:
    """Return the author. Many users share a name, so the user's number is part of it."""
    name = None if owner is None else _plain(owner.display_name)
    if owner is None or name is None:
        return None
    return Author(name=name if owner.user_id is None else f"{name} ({owner.user_id})")


def _plain(markup: str | None) -> str | None:
    return (well_formed(plain_text(markup)) or None) if markup else None


def _list(item: object, name: str) -> list[object]:
    found = item.get(name) if isinstance(item, dict) else None
    return found if isinstance(found, list) else []
