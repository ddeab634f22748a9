"""Every error that Hubbub raises on purpose, in one tree. Each branch says what to do next.

    HubbubError
    ├── RetryLaterError   something outside is away or busy: wait, longer each time, and try again
    ├── SlowDownError     something outside limits our rate: ask nothing for as long as it says
    ├── NeverRetryError   this input can never be used: count it, keep it as a dead letter, go on without it
    ├── RestartError      this process may be out of date or stuck: end it at once and start it again
    ├── UserError         only a person can fix it: stop, and say what is wrong and how to fix it
    └── DefectError       our own code or data is wrong: stop, show the stack, and report it

Owns the branches. A package derives its own errors from them, beside the code that raises them. ``scoring`` imports
nothing of ours and raises ``ValueError``; the caller turns that into a branch. An error outside the tree is one that
no one expected: treat it as a ``DefectError``.

Must never import anything: every package may import this module.
"""


class HubbubError(Exception):
    """An error that Hubbub raises on purpose. The message is one line. Raise a branch, never this class."""


class RetryLaterError(HubbubError):
    """A dependency (a broker, a platform, the network) is away or busy. The same call may succeed later."""


class SlowDownError(HubbubError):
    """A dependency limits our rate. ``after_seconds``: when to ask again; None if it does not say."""

    def __init__(self, message: str, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class NeverRetryError(HubbubError):
    """This input cannot be used, now or later. The next one may be fine."""


class RestartError(HubbubError):
    """This process may be out of date or stuck. Nothing is lost: a new process reads what was not acknowledged."""


class UserError(HubbubError):
    """Only a person can fix this. The message says what is wrong, then the fix. A user never sees a stack for it."""


class DefectError(HubbubError):
    """Our own code or stored data is wrong. Retrying or restarting gives the same error; the stack is needed."""
