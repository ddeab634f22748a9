"""The retry policy for each HTTP status."""

from __future__ import annotations

import pytest

from ingest import metrics
from ingest.errors import error_for_status, retry_policy
from transport.errors import DefectError


@pytest.mark.parametrize(
    ("status", "headers", "policy"),
    [
        (301, {}, "never_retry"),
        (400, {}, "retry_later"),
        (401, {}, "retry_later"),
        (403, {}, "retry_later"),
        (404, {}, "never_retry"),
        (408, {}, "retry_later"),
        (410, {}, "never_retry"),
        (429, {}, "slow_down"),
        (500, {}, "retry_later"),
        (500, {"Retry-After": "5"}, "retry_later"),
        (503, {}, "retry_later"),
        (503, {"Retry-After": "5"}, "slow_down"),
        (999, {}, "retry_later"),
    ],
)
def test_a_failed_status_has_a_policy(status: int, headers: dict[str, str], policy: str) -> None:
    error = error_for_status(status, headers, "it")
    assert error is not None
    assert retry_policy(error) == policy
    assert policy in metrics.VERDICTS


@pytest.mark.parametrize(("status", "headers"), [(200, {}), (204, {"Retry-After": "5"})])
def test_a_success_is_no_error(status: int, headers: dict[str, str]) -> None:
    assert error_for_status(status, headers, "it") is None


def test_any_other_error_is_unexpected() -> None:
    assert retry_policy(DefectError("x")) == retry_policy(KeyError("x")) == "unexpected"
