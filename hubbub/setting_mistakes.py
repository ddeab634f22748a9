"""The words for mistakes in the settings; those of pydantic are in terms of Python.

Owns what an operator reads about each. Must never show a value: it may be a secret.
"""

from collections.abc import Iterator
from typing import Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

FORMS: Final = {
    "tuple_type": 'must be a list, such as ["…"]',
    "dict_type": "must be a table: names, each with its options",
    "model_type": "must be a table of options",
    "string_pattern_mismatch": "is not of the form that it must have",
}
"""By the type of pydantic's error."""


def mistakes(error: ValidationError, settings: type[BaseModel]) -> Iterator[str]:
    """Yield a line for each mistake, with the name of the option, and what the option is if its form is wrong."""
    found = error.errors(include_url=False, include_input=False)
    for one in found:
        place = one["loc"]
        if one["type"] == "too_short" and any(place == other["loc"][: len(place)] for other in found if other != one):
            continue  # its items are wrong, so that none is left
        said = FORMS.get(one["type"])
        option = _option(settings, [str(part) for part in place])
        what = " ".join((option.description or "").replace("``", "").split()) if option is not None else ""
        name = ".".join(str(part) for part in place)
        if said is None:
            yield f"{name}: {one['msg'].removeprefix('Value error, ')}"
        else:
            yield f"{name} {said}" + (f" ({what})" if what else "")


def _option(kind: object, place: list[str]) -> FieldInfo | None:
    """Return the innermost option at ``place``."""
    if not place or not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return None
    field = kind.model_fields.get(place[0])
    if field is None:
        return None
    inner = [_option(one, place[1:]) for one in (field.annotation, *get_args(field.annotation))]
    return next((one for one in inner if one is not None), field)
