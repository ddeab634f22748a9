"""Where a secret may come from: a variable, a file that a variable names, or a ``hubbub.toml`` that is private.

Owns which options are secret, and which files are closed enough to hold one. Must never know what a secret is for.
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from transport.errors import UserError

SUFFIX: Final = "_file"
MAX_BYTES: Final = 65_536
"""Largest file with a secret: a private key has some kilobytes."""


class SecretError(UserError):
    """A secret may be read by others, or cannot be read. The message says how to fix it, without the secret."""


def secrets_in(kind: object, value: object, path: str = "") -> Iterator[str]:
    """Yield the names of the secret options that ``value``, the raw settings of type ``kind``, sets."""
    for one in _kinds(kind):
        if one is SecretStr and isinstance(value, str):
            yield path
        elif isinstance(value, Mapping):
            for key, part in value.items():
                yield from secrets_in(_member(one, str(key)), part, f"{path}.{key}" if path else str(key))


def with_secret_files(kind: type[BaseModel], variables: Mapping[str, str | None], prefix: str) -> dict[str, str | None]:
    """Return ``variables`` in which each ``NAME_FILE`` of a secret ``NAME`` is replaced by what its file holds.

    Names are in small letters, as pydantic-settings has them.

    Raises:
        SecretError: a file cannot be used, or both variables are set.
    """
    result = dict(variables)
    for variable, file in secret_files(kind, variables, prefix).items():
        name = variable.removesuffix(SUFFIX)
        if variables.get(name) is not None:
            raise SecretError(f"both {name.upper()} and {variable.upper()} are set; unset one of them")
        del result[variable]
        result[name] = _read(Path(file), variable.upper())
    return result


def secret_files(kind: type[BaseModel], variables: Mapping[str, str | None], prefix: str) -> dict[str, str]:
    """Return the file that each variable ``NAME_FILE`` of a secret ``NAME`` names."""
    return {
        variable: file
        for variable, file in variables.items()
        if file is not None
        and variable.startswith(prefix)
        and variable.endswith(SUFFIX)
        and _is_secret(kind, variable[len(prefix) : -len(SUFFIX)].split("__"))
    }


def refuse_loose(file: Path, what: str) -> None:
    """Raise unless only its owner, and root's group, can read ``file``.

    Containers give files of root to a group; such a file may be read by that group.

    Raises:
        SecretError: others can read it. ``what`` says what it holds.
    """
    status = file.stat()
    allowed = stat.S_IRGRP if status.st_uid == 0 else 0
    if os.name == "posix" and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~allowed:
        raise SecretError(f"{file} holds {what}, and others than its owner may use it; chmod 600 {file}")


def _read(file: Path, variable: str) -> str:
    try:
        if not file.is_file():
            raise SecretError(f"{variable}: {file} is not a file")
        refuse_loose(file, "a secret")
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        text = content.decode().rstrip("\r\n")
    except OSError as error:
        raise SecretError(f"{variable}: {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SecretError(f"{variable}: {file} is not text in UTF-8") from None
    if not text or len(content) > MAX_BYTES:
        raise SecretError(f"{variable}: {file} is {'empty' if not text else f'larger than {MAX_BYTES} bytes'}")
    return text


def _is_secret(kind: object, path: Sequence[str]) -> bool:
    if not path:
        return SecretStr in _kinds(kind)
    return any(_is_secret(_member(one, path[0]), path[1:]) for one in _kinds(kind))


def _kinds(kind: object) -> list[object]:
    """Return the types that a value of ``kind`` may have, without annotations."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _kinds(get_args(kind)[0])
    if origin in {Union, UnionType}:
        return [one for part in get_args(kind) for one in _kinds(part)]
    return [kind]


def _member(kind: Any, key: str) -> object:
    """Return the type of ``key`` in a value of type ``kind``, a group of settings or a mapping; None if it has none."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(key)
        return None if field is None else field.annotation
    origin = get_origin(kind)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return get_args(kind)[1]
    return None
