"""Operator commands on stories, and which of them are due.

Owns when a command is carried out: with the next decision on a new post, once everything it names exists. So it has a
place in the one order of decisions, and a replay of the log carries it out again. Pure. Must never know who gave it.
"""

from dataclasses import dataclass, field

from msgspec.structs import replace

from streams.records.stories import NOWHERE, Merge, Moved, OperatorCommand, StoryInfo, ThreadRecord
from streams.resolve.threads import ThreadIndex


@dataclass(slots=True)
class CarriedOut:
    """What the commands due with one decision change.

    ``created``: stories; ``titles``: new titles by story; ``merged``: stories; ``moved``: threads, by ``pins``.
    """

    created: list[StoryInfo] = field(default_factory=list)
    titles: list[tuple[str, str]] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    pins: list[OperatorCommand] = field(default_factory=list)
    merged: list[Merge] = field(default_factory=list)


class CommandExecutor:
    """The commands against the existing stories. It takes in every decision, in their order."""

    def __init__(self, threads: ThreadIndex) -> None:
        """``threads`` also holds the commands; the caller keeps it up to date."""
        self._threads = threads
        self._stories: set[str] = set()
        self._became: dict[str, str] = {}
        self._expired: set[str] = set()
        self._done: dict[tuple[str, str], OperatorCommand] = {}

    def current(self, story: str) -> str:
        """Return what ``story`` has become by merges: itself, another story, or ``NOWHERE``."""
        while story in self._became:
            story = self._became[story]
        return story

    def has_title(self, story: str) -> bool:
        """Return whether an operator has set the title of ``story``."""
        return any(command.kind == "rename" and command.subject == story for command in self._threads.commands.values())

    def note(self, record: ThreadRecord) -> None:
        """Take in an earlier decision."""
        self._stories.update(assignment.story for assignment in record.assignments)
        for merge in record.merged:
            self._became[merge.gone] = merge.into

    def note_matcher_merge(self, gone: str) -> None:
        """Take in that the matcher no longer has ``gone``; it gives that story's posts to the one it merged into."""
        self._expired.add(gone)

    def expire(self, expired: list[str]) -> tuple[str, ...]:
        """Return the stories that end because the matcher dropped ``expired``.

        A story into which commands merged others ends with the last of them that the matcher still gives posts.
        """
        self._expired.update(expired)
        gone: list[str] = []
        for story in dict.fromkeys(self.current(story) for story in expired):
            parts = [one.subject for one in self._threads.commands.values() if self.current(one.subject) == story]
            if story != NOWHERE and self._expired.issuperset({story, *parts} & self._stories):
                gone.append(story)
        if gone:
            ended = set(gone)
            over = {one for one in self._stories | self._became.keys() if self.current(one) in ended}
            self._stories -= over
            self._expired -= over
            self._became = {one: into for one, into in self._became.items() if one not in over}
        return tuple(gone)

    def merge(self, gone: str, into: str) -> list[Merge]:
        """Return the merge of the current stories that makes ``gone`` part of ``into``; none if it already is."""
        gone, into = self.current(gone), self.current(into)
        if gone in {into, NOWHERE}:
            return []
        self._became[gone] = into
        return [Merge(gone, into)]

    def carry_out(self, thread: str, at_ms: int, created: list[StoryInfo]) -> CarriedOut:
        """Carry out what is due with the decision on ``thread`` at ``at_ms``, which ``created`` stories."""
        self._stories.update(info.id for info in created)
        done = CarriedOut()
        for command in self._threads.commands.values():
            if self._done.get((command.kind, command.subject)) == command:
                continue
            if self._carry_out(command, thread, at_ms, done):
                self._done[command.kind, command.subject] = command
        titles = dict(done.titles)
        done.created = [replace(info, title=titles.pop(info.id, info.title)) for info in (*created, *done.created)]
        done.titles = list(titles.items())
        return done

    def _carry_out(self, command: OperatorCommand, thread: str, at_ms: int, done: CarriedOut) -> bool:
        """Add to ``done`` what ``command`` demands; return False if what it names does not exist yet."""
        if command.kind == "pin":
            return self._pin(command, thread, at_ms, done)
        if command.subject not in self._stories:
            return False
        if command.kind == "rename":
            done.titles.append((command.subject, command.title))
        elif command.kind == "block":
            done.merged += self.merge(command.subject, NOWHERE)
        elif command.into in self._stories:
            done.merged += self.merge(command.subject, command.into)
        else:
            return False
        return True

    def _pin(self, command: OperatorCommand, thread: str, at_ms: int, done: CarriedOut) -> bool:
        is_new = command.subject == thread
        if not is_new and command.subject not in self._threads.known:
            return False
        moved = self._threads.moved.get(command.subject)
        if moved is not None and moved.into == command.into:
            self._stories.add(command.into)
            return True
        if command.into not in self._stories:
            if command.found is None:
                return False
            done.created.append(command.found)
            self._stories.add(command.into)
        done.moved.append(Moved(command.subject, command.into, 0 if is_new else at_ms))
        done.pins.append(command)
        return True
