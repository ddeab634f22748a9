"""What crosses topics: each record defined once, for its writer and its readers.

``noise_score`` and ``noise_event`` are a contract with other programs (``docs/contracts.md``). The other records are
internal, but they outlive a process. So a field is only ever added, with a default, and a field or a tag never changes
its name. Dead letters, which collectors write too, are in :mod:`transport.dead_letter`.
"""

import msgspec

__all__ = ["encode"]

encode = msgspec.json.Encoder().encode
"""Encode an internal record."""
