"""Which host is read, and from where."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.platforms.bluesky.config import BlueskyConfig
from ingest.platforms.bluesky.hosts import MINUTE_US, Host, Hosts, Place
from ingest.platforms.bluesky.wire import Event, Wire
from tests.ingest.sites import NOW_MS

NOW_US = NOW_MS * 1_000
EAST, WEST, OLD = (
    Host("wss://east.example", Wire.V2),
    Host("wss://west.example", Wire.V2),
    Host("wss://old.example", Wire.V1),
)


@dataclass
class Time:
    """The time of the network and of this machine, in seconds from the start."""

    seconds: float = 0.0

    def now_ms(self) -> int:
        return NOW_MS + int(self.seconds * 1_000)

    def __call__(self) -> float:
        return self.seconds


def hosts(saved: Place | None = None, time: Time | None = None) -> Hosts:
    time = time or Time()
    config = BlueskyConfig.model_validate({"hosts": [EAST.url, WEST.url], "v1_hosts": [OLD.url]})
    return Hosts(config, saved, time.now_ms, time)


def place(host: Host = EAST, cursor: int = 50, minutes_ago: int = 1) -> Place:
    return Place(host.url, host.wire, cursor, NOW_US - minutes_ago * MINUTE_US)


def event(cursor: int, at_us: int) -> Event:
    return Event("did:plc:a", cursor, at_us)


def asked(read: Hosts) -> int:
    return int(read.url().rpartition("cursor=")[2])


def test_the_first_start_begins_a_while_ago_and_counts_no_gap() -> None:
    read = hosts()
    assert asked(read) == NOW_US - 60 * MINUTE_US
    read.read(event(7, NOW_US))
    assert read.take_gaps() == 0
    assert read.place == Place(EAST.url, Wire.V2, 7, NOW_US)


def test_the_same_host_goes_on_by_its_own_numbers() -> None:
    read = hosts(place(WEST))
    assert (read.current, asked(read)) == (WEST, 50)
    read.failed()
    assert (read.current, asked(read)) == (WEST, 50)


def test_every_change_of_host_goes_back_by_time_and_the_last_is_followed_by_the_first() -> None:
    read = hosts(place())
    seen = []
    for _ in range(4):
        seen.append((read.current, asked(read)))
        read.failed()
        read.failed()
    at_us = NOW_US - MINUTE_US
    assert seen == [(EAST, 50), *((host, at_us - back * MINUTE_US) for host, back in ((WEST, 3), (OLD, 6), (EAST, 9)))]


def test_a_host_whose_clock_is_ahead_makes_no_other_skip_anything() -> None:
    read = hosts(place())
    read.url()
    read.read(event(51, NOW_US + 60 * MINUTE_US))
    read.failed()
    read.failed()
    assert asked(read) == NOW_US - 3 * MINUTE_US


def test_an_event_ends_a_row_of_failures() -> None:
    read = hosts(place())
    for number in range(5):
        read.failed()
        read.url()
        read.read(event(51 + number, NOW_US))
    assert read.current == EAST


def test_a_stream_that_begins_late_has_lost_something() -> None:
    read = hosts(place(minutes_ago=58))
    read.url()
    read.read(event(9_000, NOW_US - 50 * MINUTE_US))
    assert read.take_gaps() == 0
    read.url()
    read.read(event(9_001, NOW_US - 20 * MINUTE_US))
    assert (read.take_gaps(), read.take_gaps()) == (1, 0)


def test_a_host_that_falls_behind_is_left_and_one_that_catches_up_is_not() -> None:
    time = Time()
    read = hosts(place(minutes_ago=60), time)
    read.url()
    for minute in range(20):  # it catches up, two minutes in each
        time.seconds = 60.0 * minute
        read.read(event(minute, NOW_US - 60 * MINUTE_US + 2 * minute * MINUTE_US))
        assert not read.is_stale()
    began = time.seconds
    while not read.is_stale():  # and stops
        time.seconds += 10
    assert 60 <= time.seconds - began <= 130
    assert read.current == WEST


def test_a_host_that_keeps_up_is_never_stale() -> None:
    time = Time()
    read = hosts(place(), time)
    read.url()
    for number in range(100):
        time.seconds = 100.0 * number
        read.read(event(number, time.now_ms() * 1_000 - 4 * MINUTE_US))
        assert not read.is_stale()
