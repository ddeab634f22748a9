"""People count, not posts: storms, bots, series and feeds that renew their ids stay quiet, and a real rush does not."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from ingest.signal import Author, Community, Counts, Signal
from scoring import Ledger, Makeup, SpikeChange, makeup, score, spike
from scoring.ledger import MAX_ITEMS
from scoring.ledger.wording import text_number
from tests.scoring.stories import ledger_of

T0 = 1_704_067_200_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def post(number: int, at_ms: int = T0, **changed: object) -> Signal:
    """Return a post by an author of its own."""
    made = Signal(
        id=f"reddit:{number}",
        kind="post",
        platform="reddit",
        thread=f"reddit:{number}",
        author=Author(f"author{number}"),
        counts=Counts(likes=1, replies=0),
        created_ms=at_ms,
        observed_ms=at_ms + 1000,
    )
    return replace(made, **changed)


def words(rng: random.Random, least: int = 4) -> str:
    """Return words that are not said again."""
    return " ".join("".join(rng.choices("abcdefghijklmnop", k=7)) for _ in range(least))


def alarms(signals: Sequence[Signal]) -> list[SpikeChange]:
    """Return the alarms that go on, the detector stepped as the score role steps it, until an hour after the last."""
    ledger, detector, found = Ledger(), spike.Spike(), list[SpikeChange]()
    waiting = sorted(signals, key=lambda signal: signal.observed_ms, reverse=True)
    ends_ms = waiting[0].observed_ms + HOUR_MS
    bucket_ms = min(signal.created_ms for signal in signals) // spike.BUCKET_MS * spike.BUCKET_MS
    while bucket_ms < ends_ms:
        end_ms = bucket_ms + spike.BUCKET_MS
        while waiting and waiting[-1].observed_ms <= end_ms:
            ledger.apply(waiting.pop())
        detector, changes = spike.step(detector, bucket_ms, ledger.counts(bucket_ms, 1))
        found += [change for change in changes if change.on]
        bucket_ms = end_ms
    return found


def loudest(signals: Sequence[Signal]) -> float:
    """Return the highest noise that the story ever has."""
    ledger, highest = Ledger(), 0.0
    for signal in sorted(signals, key=lambda signal: signal.observed_ms):
        ledger.apply(signal)
        highest = max(highest, score(ledger, signal.observed_ms, tiers={}).noise)
    return highest


VARIED: dict[str, Callable[[random.Random], str]] = {
    "the same": lambda _: "Claim your free Zorbcoin airdrop now",
    "numbers": lambda rng: f"Claim your free Zorbcoin airdrop now {'!' * rng.randrange(4)} {rng.randrange(10**6)}",
    "links": lambda rng: f"Claim your free Zorbcoin airdrop now zorb{rng.randrange(99)}.example/{rng.random()}",
    "mentions": lambda rng: f"@user{rng.randrange(10**6)} Claim your free Zorbcoin airdrop #{words(rng, 1)} now",
    "shared": lambda rng: f"RT @bot{rng.randrange(99)}: Claim your free Zorbcoin airdrop now",
    "capitals": lambda rng: "".join(rng.choice((letter, letter.upper())) for letter in "claim your free coins now"),
    "spaces": lambda rng: "".join(rng.choice((letter, letter + "\u200b ")) for letter in "claim your free coins now"),
    "fullwidth": lambda rng: "".join(rng.choice((x, chr(ord(x) + 0xFEE0))) for x in "claimyourfreecoinsnow"),
    "emoji": lambda rng: "".join(
        f"{word} {rng.choice('🔥🚀💰')}" for word in ["claim", "your", "free", "coins", "now"]
    ),
    "endings": lambda rng: f"Claim your free Zorbcoin airdrop now, all of you {words(rng, 2)}",
    "another script": lambda rng: f"今すぐ無料コインを手に入れよう{rng.randrange(999)}",
}


@pytest.mark.parametrize(("copies", "minutes"), [(30, 60), (500, 10), (400, 400)])
@pytest.mark.parametrize("variation", VARIED)
def test_a_storm_of_one_text_raises_no_spike_and_stays_quiet(variation: str, copies: int, minutes: int) -> None:
    rng = random.Random(variation)
    storm = [
        post(
            number,
            T0 + rng.randrange(minutes * MINUTE_MS),
            title=VARIED[variation](rng),
            text=f"join zorb{rng.randrange(9)}.example",
            community=Community(f"c{rng.randrange(40)}", 900_000) if number % 2 and copies == 500 else None,
        )
        for number in range(copies)
    ]
    storm.sort(key=lambda signal: signal.observed_ms)
    assert alarms(storm) == []
    assert loudest(storm[:180] if copies == 500 else storm[:40]) < 20 or any(one.community for one in storm)
    found = score(ledger_of(*storm), storm[-1].observed_ms, tiers={})
    assert found.velocity_per_hour <= 2
    assert makeup(ledger_of(*storm)).uncounted == pytest.approx(copies - 2, rel=0.25)


@pytest.mark.parametrize("people", [8, 40, 400])
@pytest.mark.parametrize("headlines", [3, 5, None], ids=["three headlines", "five headlines", "own words"])
def test_a_real_rush_spikes_as_fast_as_its_posts_would(people: int, headlines: int | None) -> None:
    """At its first bucket; a rush of headlines, too, as long as they are not one."""
    rng = random.Random(people)
    told = [words(rng) for _ in range(headlines or people)]
    rush = [post(n, T0 + rng.randrange(4 * MINUTE_MS), title=told[n % len(told)]) for n in range(people)]
    (alarm,) = alarms(rush)[:1]
    assert alarm.at_ms == T0 + spike.BUCKET_MS
    if people < MAX_ITEMS:
        assert alarm.counted == min(people, 2 * headlines if headlines else people)


def test_a_storm_in_a_story_does_not_make_it_spike_nor_quieter() -> None:
    rng = random.Random(1)
    told = [post(n, T0 + n * 12 * MINUTE_MS, title=words(rng), counts=Counts(likes=300)) for n in range(30)]
    storm = [post(1000 + n, T0 + 3 * HOUR_MS + n * 1000, title="Claim your free coins now") for n in range(100)]
    assert alarms(told) == alarms(told + storm) == []
    alone, both = (score(ledger_of(*some), T0 + 7 * HOUR_MS, tiers={}) for some in (told, told + storm))
    assert alone.noise <= both.noise < alone.noise + 0.5
    assert both.velocity_per_hour == alone.velocity_per_hour == 0


def test_a_loud_post_is_not_quieter_because_bots_copy_it() -> None:
    loud = post(1, title="Quillon says the ledger failed", counts=Counts(likes=9_000, replies=800))
    copies = [post(2 + n, T0 + n, title="Quillon says the ledger failed") for n in range(150)]
    alone, copied = (score(ledger_of(*some), T0 + HOUR_MS, tiers={}) for some in ([loud], [loud, *copies]))
    assert copied.noise == pytest.approx(alone.noise, abs=0.1)


def test_an_author_is_one_voice_in_five_minutes() -> None:
    rng = random.Random(2)
    author = Author("prolific")
    busy = [post(n, T0 + n * 20_000, author=author, title=words(rng)) for n in range(90)]  # half an hour
    ledger = ledger_of(*busy)
    assert ledger.counts(T0, 7) == [1, 1, 1, 1, 1, 1, 0]
    assert score(ledger, T0 + 30 * MINUTE_MS, tiers={}).velocity_per_hour == 6
    elsewhere = post(99, T0 + 1, author=author, platform="x", id="x:99", thread="x:99", title=words(rng))
    assert ledger_of(*busy, elsewhere).counts(T0, 1) == [2]
    assert alarms(busy) == []


def test_the_copies_of_authors_who_say_something_else_are_voices() -> None:
    copies = [post(n, T0 + n * 1000, title="Claim your free coins now") for n in range(10)]
    assert ledger_of(*copies).counts(T0, 1) == [2]
    own = [
        replace(post(100 + n, T0 + 100_000, title=words(random.Random(n))), author=Author(f"author{n}"))
        for n in range(3)
    ]
    assert ledger_of(*copies, *own).counts(T0, 1) == [5]
    brief = [post(n, T0 + n, title="thank you") for n in range(9)]
    assert ledger_of(*brief).counts(T0, 1) == [9]
    unknown = [post(n, T0 + n, author=None, title="Quillon says the ledger failed") for n in range(9)]
    assert ledger_of(*unknown).counts(T0, 1) == [9], "it is not known that they say nothing else"
    removed = [post(n, T0 + n, title="[ Removed by Reddit ]", text="") for n in range(9)]
    assert ledger_of(*removed).counts(T0, 1) == [9]


def feed(night: int, items: int = 100, **changed: object) -> list[Signal]:
    """Return what a feed gives in a night, under ids of that night."""
    begins_ms = T0 + night * 72 * HOUR_MS
    paper = Author("paper.example")
    return [
        post(
            night * 10_000 + n,
            begins_ms + n * 500,
            author=paper,
            title=f"{words(random.Random(n))}",
            url=f"https://paper.example/{n}/report",
            **changed,
        )
        for n in range(items)
    ]


@pytest.mark.parametrize("order", ["as they come", "the other way", "merged"])
@pytest.mark.parametrize("again", ["all", "link", "title"])
def test_a_feed_that_renews_its_ids_brings_no_new_coverage(again: str, order: str) -> None:
    first, second = feed(0, 80), feed(1, 80)
    if again == "link":
        second = [replace(one, title=f"edited {n} {one.title}") for n, one in enumerate(second)]
    elif again == "title":
        second = [replace(one, url=f"{one.url}?night=2") for one in second]
    if order == "merged":
        ledger = ledger_of(*second)
        ledger.merge(ledger_of(*first))
    else:
        ledger = ledger_of(*(first + second if order == "as they come" else second + first))
    now_ms = second[-1].observed_ms
    once, twice = score(ledger_of(*first), now_ms, tiers={}), score(ledger, now_ms, tiers={})
    assert (twice.first_seen_ms, twice.last_coverage_ms) == (once.first_seen_ms, once.last_coverage_ms)
    assert (twice.velocity_per_hour, twice.windows["24h"].items, twice.inputs.run_ms) == (0, 0, once.inputs.run_ms)
    assert ledger.runs == ledger_of(*first).runs
    assert ledger.counts(second[0].created_ms // spike.BUCKET_MS * spike.BUCKET_MS, 2) == [0, 0]
    assert Ledger.decode(ledger.encode()) == ledger


def test_a_repeat_that_is_not_one_after_all_is_coverage_again() -> None:
    """The title that was the same is edited before the next look."""
    one, other = post(1, title="What we know of the outage"), post(2, T0 + HOUR_MS, title="What we know of the outage")
    other = replace(other, author=one.author)
    ledger = ledger_of(one, other)
    assert score(ledger, T0 + HOUR_MS, tiers={}).last_coverage_ms == T0
    ledger.apply(replace(other, title="Quillon says sorry to everyone", observed_ms=T0 + 2 * HOUR_MS))
    found = score(ledger, T0 + 2 * HOUR_MS - 1, tiers={})
    assert (found.last_coverage_ms, found.velocity_per_hour) == (T0 + HOUR_MS, 1)


def test_of_two_equal_items_of_one_moment_neither_repeats_the_other() -> None:
    twins = [post(n, author=Author("twin"), title="Quillon says the ledger failed") for n in (1, 2)]
    for order in (twins, twins[::-1]):
        assert [item.again_ms for item in ledger_of(*order).items.values()] == [0, 0]


def test_others_who_give_the_same_link_are_coverage() -> None:
    link = "https://paper.example/outage"
    ledger = ledger_of(post(1, url=link), post(2, T0 + HOUR_MS, url=link))
    assert score(ledger, T0 + HOUR_MS, tiers={}).last_coverage_ms == T0 + HOUR_MS
    home = ledger_of(*(post(n, T0 + n * HOUR_MS, author=Author("a"), url="https://paper.example/") for n in range(2)))
    assert score(home, T0 + HOUR_MS, tiers={}).last_coverage_ms == T0 + HOUR_MS


def test_what_is_said_again_later_does_not_count_before() -> None:
    one = post(1, title="What we know of the outage")
    again = replace(post(2, T0 + 5 * HOUR_MS, title=one.title), author=one.author)
    then, alone = (score(ledger_of(*some), T0 + HOUR_MS, tiers={}) for some in ([one, again], [one]))
    assert (then.noise, then.windows) == (alone.noise, alone.windows)


def bot(count: int = 60) -> list[Signal]:
    return [
        post(n, T0 + n * 20 * MINUTE_MS, author=Author("bot"), platform="x", text=f"@user{n} Blocked for a reply")
        for n in range(count)
    ]


def hashtag_poster() -> list[Signal]:
    rng = random.Random(3)
    return [
        post(
            n, T0 + n * 31 * MINUTE_MS, author=Author("tagger"), platform="x", text=f"{words(rng, 2)} #BigData #AI {n}"
        )
        for n in range(30)
    ]


@pytest.mark.parametrize("signals", [bot(), hashtag_poster()], ids=["bot", "hashtag poster"])
def test_one_author_alone_stays_quiet(signals: list[Signal]) -> None:
    assert loudest(signals) <= 20.05
    assert alarms(signals) == []
    assert score(ledger_of(*signals), signals[-1].observed_ms, tiers={}).inputs.run_ms == 0


def test_a_series_of_one_author_is_covered_once() -> None:
    series = [
        post(n, T0 + n * 24 * HOUR_MS, author=Author("digest"), title=f"One-Minute Daily News 1/{10 + n}/2026")
        for n in range(14)
    ]
    found = score(ledger_of(*series), series[-1].observed_ms, tiers={})
    assert found.last_coverage_ms == T0
    assert found.noise < 10


def test_a_storys_makeup() -> None:
    signals = [
        post(1, author=Author("a"), title="What we know of the outage", url="https://paper.example/1"),
        post(2, author=Author("a"), title="Quillon says the ledger failed", url="https://www.PAPER.example/2"),
        post(3, author=Author("b"), text="RT @a: What we know of the outage!", url="https://other.example/3"),
        post(4, author=None, text="thank you"),
    ]
    found = makeup(ledger_of(*signals))
    assert (found.copies, found.one_author, found.one_domain) == pytest.approx((1 / 3, 2 / 3, 2 / 3))
    assert found.originals == 2
    assert makeup(Ledger()) == Makeup()


def test_texts_that_differ_in_words_are_different() -> None:
    assert len({text_number(text) for text in ("Quillon says sorry", "Quillon says nothing", "Quillon says no")}) == 3
    assert text_number("\ud800" * 30 + "abcdefghijk") == text_number("abcdefghijk") != 0


def test_later_observations_count_as_if_they_were_the_only_ones() -> None:
    """Of liked items, by one author or unknown ones, and of copies, dropped or kept; even after a score."""
    author = Author("liked")
    items = [
        *(post(n, T0 + n, author=author, counts=Counts(likes=likes)) for n, likes in ((1, 5), (2, 9))),
        *(post(n, T0 + n, author=None, counts=Counts(likes=30)) for n in (3, 4)),
        *(post(n, T0 + n, title="Claim your free coins now", counts=Counts(likes=n)) for n in range(10, 16)),
    ]
    for changed in range(len(items)):
        for likes in (3, 8, 11, 20, 100):
            ledger = ledger_of(*items)
            score(ledger, T0 + HOUR_MS, tiers={})
            later = replace(items[changed], counts=Counts(likes=likes), observed_ms=T0 + HOUR_MS)
            ledger.apply(later)
            alone = ledger_of(*items[:changed], later, *items[changed + 1 :])
            assert score(ledger, T0 + HOUR_MS, tiers={}) == score(alone, T0 + HOUR_MS, tiers={})
            own = post(99, T0 + 99, author=Author("author12"), title="Quillon says the ledger failed")
            for each in (ledger, alone):
                each.apply(own)
            assert score(ledger, T0 + HOUR_MS, tiers={}) == score(alone, T0 + HOUR_MS, tiers={})


def test_copies_that_come_after_a_score_take_the_voices_of_the_first() -> None:
    copies = [post(n, T0 + n, title="Claim your free coins now") for n in range(5)]
    ledger = ledger_of(*copies[:2])
    assert score(ledger, T0 + 1000, tiers={}).velocity_per_hour == 2
    for copy in copies[2:]:
        ledger.apply(copy)
        assert score(ledger, T0 + 1000, tiers={}).velocity_per_hour == 2
