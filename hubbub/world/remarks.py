"""Remarks: what people reply, and in which mood.

Owns the wording of replies: praise, condemnation, and neither. The moods are plain enough for a sentiment lexicon,
so that the world knows how divided a reaction is. Must never know who replies, or when.
"""

from __future__ import annotations

import random

__all__ = ["remark"]

_PRAISE = (
    "This is great news, honestly. {about} deserves the praise.",
    "I love this. Best thing I have read all week.",
    "Impressive work, congratulations to everyone involved.",
    "Good. About time somebody did this right.",
    "Really happy with how {about} turned out, excellent result.",
    "Wonderful, this will help a lot of people.",
    "Smart move, and a fair one. I support it.",
    "Tried it myself and it is fantastic.",
    "Thanks for sharing, this is a brilliant write-up.",
    "Hopeful and well done. More of this please!",
)
_BLAME = (
    "This is terrible. {about} should be ashamed.",
    "Disgusting, and nobody will be punished for it.",
    "What a disaster. I'm angry just reading this.",
    "Awful decision, it's people who will get hurt.",
    "I hate where this is going. Greedy and dishonest.",
    "Horrible. The worst part is that they lied about it.",
    "Scary and sad. {about} failed everyone here.",
    "Pathetic excuse, this is simply wrong.",
    "Shameful, reckless, stupid. Pick any two.",
    "I don't trust {about} at all after this mess.",
)
_NEITHER = (
    "Does anyone have the original document?",
    "Here is the part that the article leaves out: the dates.",
    "Same thing was on another sub an hour ago.",
    "How does this compare with what {about} said last year?",
    "For context, this was already in the filing.",
    "Which version is this about?",
    "The headline is longer than the article.",
    "Following this thread for updates.",
    "So when does it take effect?",
    "Paywalled, can somebody paste the text?",
    "I read it twice and I'm still not sure what changed.",
    "They posted a statement: no comment until next week.",
)
_HOSTILE = (
    "<img src=x onerror=alert(1)> nice try",
    "\u202egnihtyna si siht\u202c",
    "\U0001f525" * 40,
    "see [here](javascript:alert(1)) and http://[::1]:99999/ %00 \x07",
)
_ADDED = ("", "", "", " Edit: typo.", " Source?", " Just my two cents.", " Not a lawyer.", " Change my mind.")


def remark(rng: random.Random, about: str, liked: float, hated: float) -> tuple[str, int]:
    """Return a reply's text and its mood: 1 with probability ``liked``, -1 with ``hated``, else 0."""
    draw = rng.random()
    if draw < 0.004:
        return rng.choice(_HOSTILE), 0
    mood = 1 if draw < liked else -1 if draw < liked + hated else 0
    wordings = {1: _PRAISE, -1: _BLAME, 0: _NEITHER}[mood]
    return rng.choice(wordings).format(about=about) + rng.choice(_ADDED), mood
