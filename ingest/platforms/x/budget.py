"""The budget for X: how many more posts may be asked for.

Owns the account of posts and money. The order is: reserve, save the reservation with the cursor, ask, then charge what
came. A crash in between loses the reservation, so the account may be too high and never too low. Must never know a
request, nor read a clock.

A *result* is one post that is asked for. It may bring its author, the posts that it refers to, and their authors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.memory.allowance import Allowance, BudgetLine, Spent, day, month
from ingest.memory.seen import Seen
from ingest.platforms.x.config import XConfig

MAX_CHARGED: Final = 50_000
"""Posts and authors that are known to be charged today, in some 8 MB. One that was dropped is counted again."""
MAX_REFERRED: Final = 2
"""Posts that one post refers to: it may answer one and quote another."""
MICRO: Final = 1_000_000
"""Micro-dollars in a dollar: sums of whole numbers are exact."""


class Spending(msgspec.Struct, frozen=True):
    """What is spent or reserved, as the cursor holds it."""

    posts_day: Spent = Spent()
    posts_month: Spent = Spent()
    micro_usd_month: Spent = Spent()
    reobserved_day: Spent = Spent()


class Budget:
    """See the module. ``saved``: from the cursor."""

    def __init__(self, config: XConfig, saved: Spending = Spending()) -> None:  # noqa: B008 (immutable)
        self.reserved = 0
        """Results that may be asked for: the saved cursor counts them as spent."""
        self._posts_day = Allowance(config.posts_per_day, day, saved.posts_day)
        self._posts_month = Allowance(config.posts_per_month, month, saved.posts_month)
        self._micro_usd = Allowance(int(config.usd_per_month * MICRO), month, saved.micro_usd_month)
        self._reobserved = Allowance(int(config.posts_per_day * config.reobserve_share), day, saved.reobserved_day)
        self._post_micro_usd = _micro_usd(config.usd_per_post)
        self._author_micro_usd = _micro_usd(config.usd_per_author)
        self._posts_per_result = 1 + (MAX_REFERRED if config.originals else 0)
        self._micro_usd_per_result = self._posts_per_result * (self._post_micro_usd + self._author_micro_usd)
        self._charged = Seen(MAX_CHARGED)
        self._charged_day_ms = 0

    def left(self, now_ms: int) -> int:
        """Return how many results may be reserved beyond those that are."""
        most = min(
            self._posts_day.left(now_ms) // self._posts_per_result,
            self._posts_month.left(now_ms) // self._posts_per_result,
        )
        if self._micro_usd_per_result:
            most = min(most, self._micro_usd.left(now_ms) // self._micro_usd_per_result)
        return max(0, most - self.reserved)

    def left_for_reobservation(self, now_ms: int) -> int:
        """Return how many tracked posts of earlier days may be asked for."""
        return self._reobserved.left(now_ms)

    def reserve(self, results: int, now_ms: int) -> None:
        """Reserve at most ``results`` in all; what is reserved may be asked for once the cursor is saved."""
        self.reserved += min(max(0, results - self.reserved), self.left(now_ms))

    def release(self, results: int) -> None:
        """Reserve no more than ``results`` from now on: the others will not be asked for."""
        self.reserved = min(self.reserved, results)

    def charge(self, results: int, posts: Iterable[str], authors: Iterable[str], now_ms: int) -> int:
        """Count what came for ``results`` reserved ones, each id once a day; return the number of new posts."""
        self.reserved = max(0, self.reserved - results)
        new_posts = sum(self._is_new(f"post {id_}", now_ms) for id_ in posts)
        new_authors = sum(self._is_new(f"author {id_}", now_ms) for id_ in authors)
        self._spend(new_posts, new_authors, now_ms)
        return new_posts

    def charge_lost(self, results: int, now_ms: int) -> None:
        """Count ``results`` in full: they were asked for, and the answer was lost on its way."""
        self.reserved = max(0, self.reserved - results)
        self._spend(results * self._posts_per_result, results * self._posts_per_result, now_ms)

    def charge_reobservation(self, posts: int, now_ms: int) -> None:
        """Count posts that :meth:`charge` counted towards the share for tracked posts, too."""
        self._reobserved.spend(posts, now_ms)

    def is_charged(self, post: str, now_ms: int) -> bool:
        """Return whether the post was charged today, so that it costs nothing until midnight."""
        self._forget_yesterday(now_ms)
        return f"post {post}" in self._charged

    def platform_counts(self, posts: int, now_ms: int) -> None:
        """Take the platform's count of today's posts if it is higher: others may use the account, too."""
        missing = posts - self._posts_day.spent(now_ms)
        if missing > 0:
            self._spend(missing, missing, now_ms)

    def resets_in_ms(self, now_ms: int) -> tuple[str, int]:
        """Return the option that limits most, and how long until its next period begins."""
        per_result = (
            ("posts_per_day", self._posts_day, self._posts_per_result),
            ("posts_per_month", self._posts_month, self._posts_per_result),
            ("usd_per_month", self._micro_usd, self._micro_usd_per_result),
        )
        limits = [
            (allowance.left(now_ms) // (per or 1), -allowance.resets_in_ms(now_ms), option)
            for option, allowance, per in per_result
        ]
        _, wait_ms, option = min(limits)
        return option, -wait_ms

    def lines(self, now_ms: int) -> Iterator[BudgetLine]:
        """Yield each limit and what is spent or reserved of it."""
        saved = self.saved(now_ms)
        yield BudgetLine("posts_per_day", self._posts_day.limit, saved.posts_day.units)
        yield BudgetLine("posts_per_month", self._posts_month.limit, saved.posts_month.units)
        yield BudgetLine("usd_per_month", self._micro_usd.limit / MICRO, saved.micro_usd_month.units / MICRO)

    def saved(self, now_ms: int) -> Spending:
        """Return what to save with the cursor."""
        posts = self.reserved * self._posts_per_result
        return Spending(
            self._posts_day.saved(now_ms, posts),
            self._posts_month.saved(now_ms, posts),
            self._micro_usd.saved(now_ms, self.reserved * self._micro_usd_per_result),
            self._reobserved.saved(now_ms),
        )

    def _spend(self, posts: int, authors: int, now_ms: int) -> None:
        self._posts_day.spend(posts, now_ms)
        self._posts_month.spend(posts, now_ms)
        self._micro_usd.spend(posts * self._post_micro_usd + authors * self._author_micro_usd, now_ms)

    def _is_new(self, id_: str, now_ms: int) -> bool:
        self._forget_yesterday(now_ms)
        return self._charged.add(id_)

    def _forget_yesterday(self, now_ms: int) -> None:
        begins_ms = day(now_ms).begins_ms
        if begins_ms > self._charged_day_ms:
            self._charged, self._charged_day_ms = Seen(MAX_CHARGED), begins_ms


def _micro_usd(usd: float) -> int:
    """Return a price in micro-dollars, rounded up: a price must not seem lower than it is."""
    return math.ceil(round(usd * MICRO, 3))
