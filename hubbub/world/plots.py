"""Plots: what the stories of a generated world are about.

Owns the kinds of events and their wording (``words/plots.toml``). The seed fills in invented companies, people and
products (``names.py``). Must never know when a story happens or how loud it gets.
"""

import msgspec

from hubbub.world.words import read_toml


class Plot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of event. The first of the ``headlines`` is the story's title; the file's header lists their slots.

    ``praise``, ``blame``: shares of replies that praise and that condemn, 0 to 1. ``up_votes``: share of votes that are
    up, 0 to 1.
    """

    slug: str
    praise: float
    blame: float
    up_votes: float
    headlines: tuple[str, ...]


PLOTS = read_toml("plots.toml", dict[str, tuple[Plot, ...]])["plot"]
