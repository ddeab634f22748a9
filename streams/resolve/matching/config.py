"""The configuration of matching: every threshold and weight that was chosen by measurement.

Owns the numbers, one set for every beat and every data set. Must never know how stories are matched.
"""

import msgspec


class EvidenceWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How evidence counts.

    ``expected_posts``: imagined posts, as usual as the model expects, beside those seen. ``any_story``: the share of
    posts in which a story yet to begin has a given term. ``discount``: the posts of a story in which a term is assumed
    to be chance; ``doubt``: posts added to a story's. ``max_by_term``, ``max_by_meaning``: limits of one term and of
    the cosine. ``meaning``: evidence per 1 of cosine above ``usual_cosine``. ``words``: the number of telling words at
    which a post counts in full; longer posts count by the root, shorter ones more, down to ``least_words``. ``young``
    (by the root of a story's posts), ``fading`` (per e-fold of its post rate) and ``silence`` (per e-fold of
    ``silence_hours``) count against a story.

    ``community_posts`` and ``author_posts``: posts as of everybody, imagined beside those of a community or an author.
    ``subject_stories``: stories of no subject, imagined beside those whose mean is the subject of the stream. ``link``:
    evidence of a link in both texts, if it is the only one; of several, each counts by the root of its share.
    ``burst``: evidence per e-fold that a shared term exceeds its usual rate in the last day, at most ``max_burst``. A
    term counts in full from ``telling`` units of information. ``work``: counts against a post or a story that is
    a paper. ``same_author``: evidence of one author; ``repeated`` (per e-fold of their posts) counts against it.
    """

    expected_posts: float = 1_000.0
    any_story: float = 0.002
    discount: float = 0.8
    doubt: float = 0.5
    max_by_term: float = 6.7
    meaning: float = 9.9
    usual_cosine: float = 0.1
    max_by_meaning: float = 4.0
    words: float = 10.4
    least_words: float = 7.0
    young: float = 5.0
    fading: float = 1.0
    silence: float = 0.8
    silence_hours: float = 24.0
    community_posts: float = 400.0
    author_posts: float = 14.0
    subject_stories: float = 500.0
    link: float = 8.0
    burst: float = 0.5
    max_burst: float = 2.0
    telling: float = 6.0
    work: float = 3.5
    same_author: float = 1.3
    repeated: float = 0.3


class MatcherConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How stories are matched. One configuration serves every beat and every data set.

    ``join``: the similarity from which a post joins a story. ``merge_one``, ``merge_many``: the mean similarity that
    merges a story of one post, or two large ones; ``merge_cosine``: the cosine they need for it. ``rival``: a story
    this far below ``join`` is compared with the joined one. ``background``: the share of posts without a story above
    which a join needs more evidence, a merge ``merge_caution`` times as much, a recheck ``recheck_caution`` times.

    Rechecks: a story with at most ``recheck_max_posts`` posts is rechecked once, when it is ``recheck_hours`` old and
    ``recheck_posts`` posts have arrived since. The most similar larger story takes it if the similarity, plus
    ``recheck_lead`` times the lead over the next story (at most ``max_lead``), reaches ``recheck_join``.

    ``text_chars``: how much of title and text is read. A term expected in ``common_share`` of all posts weighs nothing,
    one expected in ``telling_share`` fully. Posts count 1 - ``fresh_discount`` towards usual terms until they are
    ``fresh_hours`` old, at most half of ``forget_hours``. Towards the terms of a community they count from
    ``usage_hours`` on, and towards those of an author from ``author_hours`` on. ``decay_hours``: see :class:`PostRate`.
    A story expires after ``forget_hours`` without a new post. Above ``max_stories``, the one without a new post for
    longest expires.
    """

    text_chars: int = 400
    join: float = 4.5
    merge_one: float = 2.8
    merge_many: float = 3.7
    merge_cosine: float = 0.5
    merge_caution: float = 2.0
    rival: float = 3.5
    background: float = 0.7
    recheck_hours: float = 4.0
    recheck_posts: int = 300
    recheck_max_posts: int = 8
    recheck_join: float = 4.1
    recheck_lead: float = 0.9
    recheck_caution: float = 3.0
    max_lead: float = 4.0
    common_share: float = 0.005
    telling_share: float = 0.001
    fresh_discount: float = 0.9
    fresh_hours: float = 24.0
    usage_hours: float = 36.0
    author_hours: float = 24.0
    decay_hours: float = 48.0
    forget_hours: float = 7 * 24
    max_stories: int = 200_000
    weights: EvidenceWeights = EvidenceWeights()
