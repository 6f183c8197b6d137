"""Which value a setting has, and who gave it: the command line, the environment, or a `.env` file.

Paths are taken from the file that names them; those of the environment and the command line from the working folder.
Nothing here knows which settings are right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

PATHS = ("FW_DATA_DIR", "DAGSTER_HOME")
PROVIDERS = "FW_PROVIDERS"

COMMAND_LINE, ENVIRONMENT, DEFAULT = "command line", "environment", "default"


@dataclass(frozen=True, slots=True)
class Value:
    """What a setting is; an empty text is one that was set to nothing."""

    text: str = field(repr=False)
    given_by: str
    """`command line`, `environment`, `default`, or the path of a `.env` file."""


def gather(
    given: Mapping[str, str], process: Mapping[str, str], files: Iterable[Path], *, folder: Path
) -> dict[str, Value]:
    """Return every setting by name: the command line wins over the environment, and that over the files, in order.

    Args:
        given: settings of the command line.
        process: the environment.
        files: `.env` files; one that is not there has no settings.
        folder: the working folder, from which paths of the first two are taken.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is not written in UTF-8.
    """
    layers = [(given, COMMAND_LINE, folder), (process, ENVIRONMENT, folder)]
    for file in files:
        # a name without a sign behind it is set to nothing
        named = {name: value or "" for name, value in dotenv_values(file, encoding="utf-8").items()}
        layers.append((named, str(file), file.parent))
    found: dict[str, Value] = {}
    for values, given_by, base in layers:
        for name, text in values.items():
            if name not in found:
                found[name] = Value(_absolute(name, text.strip(), base), given_by)
    return found


def _absolute(name: str, text: str, base: Path) -> str:
    if text and name in PATHS:
        return _below(text, base)
    if name == PROVIDERS:
        return ",".join(_with_paths(item, base) for item in text.split(","))
    return text


def _with_paths(item: str, base: Path) -> str:
    """Make the paths of `source=provider:path` absolute; also of `one:path+another` and of `role=path;role=path`."""
    source, sign, providers = item.partition("=")
    found = []
    for provider in re.split(r"\+(?=[a-z]+(?:[:+]|$))", providers):
        name, colon, option = provider.partition(":")
        parts = (re.fullmatch(r"(\s*[a-z]+=)?(.*)", part, re.DOTALL) for part in option.split(";"))
        places = [(part[1] or "") + _below(part[2].strip(), base) for part in parts if part]
        found.append(name + colon + ";".join(places))
    return source + sign + "+".join(found)


def _below(text: str, base: Path) -> str:
    """Return a path as an absolute one; an address, standard input (`-`) and nothing at all as they are."""
    if text in {"", "-"} or "://" in text:
        return text
    try:
        return str(base / Path(text).expanduser())
    except RuntimeError:  # the folder of a user that is not there: whoever opens it says so
        return text
