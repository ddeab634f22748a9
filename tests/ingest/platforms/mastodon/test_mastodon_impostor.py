"""An instance that would speak for the statuses of another one."""

from __future__ import annotations

from ingest.batch import Signals
from ingest.memory.tracked import HOUR_MS, TrackedItems
from ingest.platforms.mastodon.admission import Admission
from ingest.platforms.mastodon.known import KnownStatuses
from ingest.platforms.mastodon.threads import ThreadQueue
from ingest.relevance import EVERYTHING
from ingest.signal import Signal
from tests.ingest.platforms.mastodon.mastodon_site import HOST, local, native, toot
from tests.ingest.sites import NOW_MS

EDITED = "2024-01-02T16:40:00.000Z"
FALSE = toot(1) | {"content": "<p>Lies</p>", "edited_at": EDITED, "favourites_count": 1_000_000}


class Instances:
    """The author's instance, two others, and what they know together."""

    def __init__(self) -> None:
        self.known = KnownStatuses()
        self.home, self.other, self.third = map(self._admission, (HOST, "evil.example", "c.example"))

    def _admission(self, host: str) -> Admission:
        return Admission(host, self.known, ThreadQueue(), TrackedItems(100, 72 * HOUR_MS), EVERYTHING)

    def delete(self, admission: Admission, host: str) -> list[Signal]:
        """Return what becomes of a deletion that an instance streams."""
        return admission.deletion(self.known.at(host, local(1)), NOW_MS).signals


def texts(signals: Signals) -> list[str | None]:
    return [signal.text for signal in signals.signals]


def test_another_instance_neither_edits_nor_deletes_a_status() -> None:
    instances = Instances()
    assert texts(instances.home.statuses([toot(1)], NOW_MS)) == ["Status 1"]
    assert texts(instances.other.statuses([FALSE], NOW_MS)) == []
    assert instances.delete(instances.other, "evil.example") == []
    (edited,) = instances.home.statuses([toot(1, content="<p>True</p>", edited_at=EDITED)], NOW_MS).signals
    assert (edited.text, edited.counts.likes) == ("True", 3)
    assert [gone.deleted for gone in instances.delete(instances.home, HOST)] == [True]


def test_an_instance_that_gives_its_own_id_to_a_foreign_status_does_not_change_that() -> None:
    instances = Instances()
    instances.home.statuses([toot(1)], NOW_MS)
    instances.other.statuses([toot(2, host="evil.example")], NOW_MS)
    tracked = instances.known.get(native(2, "evil.example"))
    assert tracked is not None
    impostor = FALSE | {"id": local(2)}
    assert instances.other.observed(tracked, impostor, NOW_MS).signals == []


def test_the_first_instance_speaks_until_the_authors_own_does() -> None:
    instances = Instances()
    instances.other.statuses([toot(1, edited_at="9999")], NOW_MS)
    assert texts(instances.third.statuses([FALSE], NOW_MS)) == []
    assert texts(instances.other.statuses([toot(1, content="<p>2</p>", edited_at="99999")], NOW_MS)) == ["2"]
    instances.home.statuses([toot(1)], NOW_MS)
    assert texts(instances.home.statuses([toot(1, content="<p>3</p>", edited_at=EDITED)], NOW_MS)) == ["3"]
    assert instances.delete(instances.other, "evil.example") == []
    assert [gone.deleted for gone in instances.delete(instances.home, HOST)] == [True]
