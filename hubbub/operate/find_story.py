"""Finding the story that a person names, also after a merge.

Owns the lookup by slug or id, and the suggestion when there is no such story.
"""

from collections.abc import Mapping

from hubbub.operate.operator_commands import read_threads
from streams.records.noise_score import NoiseScore
from streams.resolve.threads import NEVER
from transport.errors import UserError


def find(wanted: str, scores: Mapping[str, NoiseScore]) -> NoiseScore:
    """Return the story with the slug or id ``wanted``.

    Raises:
        UserError: there is no such story.
    """
    score = scores.get(wanted) or next((score for score in scores.values() if score.slug == wanted), None)
    if score is None:
        near = [s.slug for s in scores.values() if wanted.lower() in s.slug or wanted.lower() in s.title.lower()][:3]
        hint = f"did you mean: {', '.join(near)}?" if near else "see: hubbub scores"
        raise UserError(f"no story {wanted!r}; {hint}")
    return score


async def merged_into(wanted: str, kafka: Mapping[str, object], prefix: str) -> str | None:
    """Return the id of the story that the one with the slug or id ``wanted`` was merged into; None if it was not.

    Raises:
        TopicMissingError: there is no topic of stories.
        KafkaError: the broker cannot be reached.
    """
    threads = await read_threads(kafka, prefix)
    info = threads.find_story(wanted)
    return None if info is None or info.into is None else threads.story_at(info.id, NEVER)
