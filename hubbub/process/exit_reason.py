"""Why a role's process ended: the exit code for its supervisor, and one line for the operator.

Owns the step from an exception to both. A broker's errors count as an outage, unless it refuses for good: a role that
met one can only start again. Must never end a process.
"""

from transport.errors import DefectError, HubbubError, RestartError, RetryLaterError, SlowDownError, UserError
from transport.kafka import REFUSALS, KafkaError

FAILED = 1
"""A person has to act: the settings, the data or the code are wrong."""
TRY_AGAIN = 75
"""A dependency was away, or the process was out of date: nothing to fix, start it again (EX_TEMPFAIL, sysexits.h)."""


def exit_code(error: BaseException) -> int:
    """Return the exit code of a process that ``error`` ends."""
    if isinstance(error, (UserError, DefectError, *REFUSALS)):
        return FAILED
    outage = KafkaError, ConnectionError, TimeoutError, RetryLaterError, SlowDownError, RestartError
    return TRY_AGAIN if isinstance(error, outage) else FAILED


def is_defect(error: BaseException) -> bool:
    """Return whether ``error`` is a fault of ours, so that its stack is needed to find it."""
    return isinstance(error, DefectError) or not isinstance(error, HubbubError | KafkaError | OSError)


def first_cause(error: BaseException) -> BaseException:
    """Return the first error of a group, at any depth."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def in_one_line(error: BaseException) -> str:
    """Return type, message and notes of ``error`` in one line."""
    first_line = f"{type(error).__name__}: {error}".splitlines()[0]
    return "; ".join([first_line, *getattr(error, "__notes__", ())])
