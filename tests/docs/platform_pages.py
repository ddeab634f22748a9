"""The generated parts about platforms: the head of each page, the overview, and the brief list of the README.

Owns how a platform's declaration (``SPEC``) and its options are shown. Must never know a platform by name.
"""

from __future__ import annotations

import inspect
from typing import Any

import scoring
from ingest.collector import CollectorConfig
from ingest.registry import PLATFORMS
from ingest.spec import PlatformSpec
from tests.docs.markdown import items_shown, meaning, table

__all__ = ["PLATFORMS", "brief", "head", "overview"]


def head(name: str) -> str:
    """Return the head of a platform's page: what it needs and gives, its limits, cost, terms, constants and options."""
    spec = PLATFORMS[name]
    about = " ".join((inspect.getdoc(spec.config) or "").replace("``", "`").split())
    place = f"Set them in the table `[collect.{name}]` of `hubbub.toml`."
    return f"\n{_facts(spec)}\n## Options\n\n{about} {place}\n\n{_options(spec.config)}\n"


def overview() -> str:
    """Return a table of all platforms, with links to their pages."""
    rows = [
        (f"[`{name}`](platforms/{name}.md)", spec.display_name, _by_default(spec), spec.needs, spec.gives)
        for name, spec in sorted(PLATFORMS.items())
    ]
    return table(("Name", "Platform", "Runs", "Needs", "Collects"), rows)


def brief() -> str:
    """Return what each platform needs, those first that run by default."""
    specs = sorted(PLATFORMS.values(), key=lambda spec: (spec.needs_account, spec.name))
    rows = [
        (f"[{spec.display_name}](docs/reference/platforms/{spec.name}.md)", _by_default(spec), spec.needs)
        for spec in specs
    ]
    return table(("Platform", "Runs", "Needs"), rows)


def _by_default(spec: PlatformSpec[Any]) -> str:
    return "when set up" if spec.needs_account else "by default"


def _facts(spec: PlatformSpec[Any]) -> str:
    needed = [f"`{name}`" for name, option in spec.config.model_fields.items() if option.is_required()]
    runs = _by_default(spec) + (f": set {', '.join(needed)}" if needed else "")
    budget = [f"`{line.option}`" for line in spec.budget(spec.config.model_construct(), None, 0)] if spec.budget else []
    observed = ", ".join(sorted(capability.value for capability in spec.capabilities))
    loud, views = spec.loud_interactions, spec.views_per_like
    rows = [
        ("Needs", spec.needs),
        ("Gives", spec.gives),
        ("Observes besides posts", observed or "nothing"),
        ("Runs", runs),
        ("Rate limit", spec.rate_limit),
        ("Cost", f"limited by {', '.join(budget)}" if budget else "none, and no daily quota"),
        ("Terms of use", f"[{spec.terms}]({spec.terms_url})"),
        ("Interactions of a very loud story", _constant(loud, scoring.DEFAULT.other_loud_interactions)),
        ("Viewers for each who liked", _constant(views, scoring.DEFAULT.other_views_per_like)),
    ]
    return table(("", spec.display_name), rows)


def _constant(value: float | None, default: float) -> str:
    return f"{default:,.10g}, the value of platforms without one" if value is None else f"{value:,.10g}"


def _options(config: type[CollectorConfig]) -> str:
    rows = [
        (f"`{name}`", ", ".join(items_shown(option.get_default(call_default_factory=True))), meaning(option))
        for name, option in config.model_fields.items()
    ]
    return table(("Option", "Default", "What it does"), rows)
