"""The watermark of one source, which records of ``candidates`` and ``story-activity`` carry.

Owns its form. A *source* is one partition of ``signals``. The time of a record in it is its observation time, but never
less than that of a record before it in the partition. That time never goes back, and every reader of the log computes
the same.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

Offset = Annotated[int, Meta(ge=0)]


class SourceWatermark(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The statement that everything of ``source`` up to ``mark_ms`` has been sent to this partition before.

    ``sources``: how many there are. ``idle``: the source has been read to its end, so it holds back no watermark.
    ``settle``: the replay that ended here, if one did; every story is then scored at exactly the time it ended.
    """

    source: Offset
    sources: Annotated[int, Meta(ge=1)]
    mark_ms: int
    idle: bool = False
    settle: str = ""
