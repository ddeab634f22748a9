"""The words that the page shows: bands, states, event types, factors and platforms.

Owns the answer of ``/api/vocabulary``. Must never know a word itself: each comes from the package that owns it, and the
names of the platforms from the front door.
"""

from collections.abc import Mapping

import msgspec

from scoring.band import BANDS
from scoring.composite import FACTORS
from scoring.lifecycle import SHOWN_AS
from scoring.settings import DEFAULT
from streams.records.noise_event import EVENT_TYPES


def vocabulary(platform_names: Mapping[str, str]) -> bytes:
    """Return the answer of ``/api/vocabulary``, as JSON. ``platform_names``: how each platform's name is shown."""
    return msgspec.json.encode(
        {
            "bands": [{"name": name, "from": begins_at} for name, begins_at in BANDS.items()],
            "states": [{"name": name, "label": label} for name, label in SHOWN_AS.items()],
            "factors": [
                {"name": name, **text._asdict(), "weight": getattr(DEFAULT.weights, name)}
                for name, text in FACTORS.items()
            ],
            "event_types": EVENT_TYPES,
            "platforms": platform_names,
        }
    )
