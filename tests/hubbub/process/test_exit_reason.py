"""From an exception to an exit code, and to one line for the operator."""

from __future__ import annotations

import errno

import pytest
from aiokafka.errors import CommitFailedError, MessageSizeTooLargeError, TopicAuthorizationFailedError

from hubbub.process.exit_reason import FAILED, TRY_AGAIN, exit_code, first_cause, in_one_line, is_defect
from transport.errors import DefectError, NeverRetryError, RestartError, RetryLaterError, SlowDownError, UserError
from transport.fencing import LeaseLostError
from transport.kafka import BrokerAwayError


class LostTopicError(UserError, BrokerAwayError):
    """The tree decides when an error is also one of Kafka's."""


@pytest.mark.parametrize(
    ("error", "code", "defect"),
    [
        (BrokerAwayError("gone"), TRY_AGAIN, False),
        (CommitFailedError(), TRY_AGAIN, False),
        (LeaseLostError("the group is silent"), TRY_AGAIN, False),
        (ConnectionResetError(errno.ECONNRESET, "reset"), TRY_AGAIN, False),
        (TimeoutError("no answer"), TRY_AGAIN, False),
        (RetryLaterError("away"), TRY_AGAIN, False),
        (SlowDownError("too fast", 3.0), TRY_AGAIN, False),
        (RestartError("stuck"), TRY_AGAIN, False),
        (MessageSizeTooLargeError(), FAILED, False),
        (TopicAuthorizationFailedError(), FAILED, False),
        (UserError("no such beat"), FAILED, False),
        (LostTopicError("create it"), FAILED, False),
        (OSError(errno.ENOSPC, "disk full"), FAILED, False),
        (NeverRetryError("not JSON"), FAILED, False),
        (DefectError("damaged state"), FAILED, True),
        (KeyError("url"), FAILED, True),
        (ValueError("too many"), FAILED, True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_error_has_an_exit_code_and_only_a_defect_needs_its_stack(
    error: Exception, code: int, *, defect: bool
) -> None:
    assert (exit_code(error), is_defect(error)) == (code, defect)


def test_a_group_stands_for_its_first_error_in_one_line_with_its_notes() -> None:
    error = ValueError("too many\nby far")
    error.add_note("the record is at offset 7")
    group = ExceptionGroup("tasks", [ExceptionGroup("inner", [error]), KeyError("later")])
    assert in_one_line(first_cause(group)) == "ValueError: too many; the record is at offset 7"
