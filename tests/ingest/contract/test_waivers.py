"""Every platform is tried, and no waiver outlives its check."""

from __future__ import annotations

from hubbub.world.servers import SIMULATORS
from ingest.registry import PLATFORMS
from tests.ingest.contract import item_checks, order_checks, wire_checks
from tests.ingest.contract.checks import CHECKS
from tests.ingest.contract.platform_under_test import WAYS
from tests.ingest.contract.sender_checks import SENDER_CHECKS
from tests.ingest.contract.waivers import WAIVERS


def test_every_platform_has_a_simulator_and_every_waiver_a_check() -> None:
    assert SIMULATORS.keys() == PLATFORMS.keys()
    for platform, name in WAIVERS:
        assert platform in WAYS
        assert name in CHECKS
    assert SENDER_CHECKS.keys() <= CHECKS.keys()


def test_every_check_has_a_theme_that_a_file_runs() -> None:
    themes = {theme.__name__ for theme in (wire_checks, order_checks, item_checks)}
    assert {function.__module__ for function in CHECKS.values()} <= themes
