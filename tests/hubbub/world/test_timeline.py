"""Pages against a plain filter over all items, and what a page costs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hubbub.world.growth import Curve, Grown
from hubbub.world.items import Post
from hubbub.world.timeline import DEPTH, Timeline, newest, newest_page, place

Times = list[list[int]]
times = st.lists(st.lists(st.integers(0, 50), max_size=30), min_size=1, max_size=4)


def post(native: str, appears_ms: int, gone_ms: int | None = None) -> Post:
    return Post(
        platform="reddit",
        native=native,
        author="somebody",
        title="A title",
        text="",
        created_ms=appears_ms,
        appears_ms=appears_ms,
        gone_ms=gone_ms,
        votes=Grown(appears_ms, 1, Curve(1.0)),
    )


def lay_out(appearances: Times) -> tuple[list[Timeline[Post]], list[Post]]:
    """Return one timeline per list of times, and all their posts, newest first."""
    timelines = [
        Timeline(post(f"{row}-{column:02}", appears_ms) for column, appears_ms in enumerate(line))
        for row, line in enumerate(appearances)
    ]
    return timelines, sorted((item for line in timelines for item in line.items), key=place, reverse=True)


def even(item: Post) -> bool:
    return item.appears_ms % 2 == 0


@given(times, st.integers(-1, 60), st.integers(1, 40), st.data())
def test_a_page_is_what_a_plain_filter_would_give(
    appearances: Times, now_ms: int, limit: int, data: st.DataObject
) -> None:
    timelines, posts = lay_out(appearances)
    there = [item for item in posts if item.appears_ms <= now_ms]
    assert list(newest(timelines, now_ms)) == there
    assert newest_page(timelines, now_ms, even, limit) == list(filter(even, there))[:limit]
    if there:
        anchor = place(data.draw(st.sampled_from(there)))
        older = [item for item in there if even(item) and place(item) < anchor]
        assert newest_page(timelines, now_ms, even, limit, after=anchor) == older[:limit]


@given(times, st.integers(1, 7))
def test_following_after_visits_everything_once(appearances: Times, limit: int) -> None:
    timelines, posts = lay_out(appearances)
    visited: list[Post] = []
    while page := newest_page(timelines, 60, lambda _: True, limit, after=place(visited[-1]) if visited else None):
        visited += page
    assert visited == posts


def test_a_list_is_no_deeper_than_reddits() -> None:
    timelines = [Timeline(post(f"{number:05}", number) for number in range(half, 4000, 2)) for half in (0, 1)]
    oldest = None
    pages = 0
    while page := newest_page(timelines, 4000, lambda _: True, 100, after=oldest):
        oldest = place(page[-1])
        pages += 1
    assert pages == DEPTH // 100


def test_a_page_of_a_large_world_reads_only_the_items_on_it() -> None:
    timeline = Timeline(post(f"{number:06}", number) for number in range(20_000))
    looked_at: list[Post] = []

    def shown(item: Post) -> bool:
        looked_at.append(item)
        return True

    for after in (None, (19_500, "019500")):
        looked_at.clear()
        page = newest_page([timeline], 10**6, shown, 100, after=after)
        assert len(page) == len(looked_at) == 100
