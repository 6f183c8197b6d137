"""Reading YAML strictly: a key that lacks, is unknown or is said twice is refused, and so is a value of another kind.

Knows nothing of what the keys mean.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from fw_pipeline.errors import PipelineError
from fw_pipeline.text import shown


def refuse(where: str, cause: str, remedy: str) -> PipelineError:
    """Return what to raise when a document cannot be taken as it is."""
    return PipelineError(where, cause, remedy)


def parse(where: str, path: Path) -> Any:
    """Return the content of a YAML file.

    Raises:
        PipelineError: it is not valid YAML, or one mapping holds a key twice.
    """
    try:
        loader = yaml.CSafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        if (twice := _said_twice(node)) is not None:
            raise refuse(where, f"the key {twice} stands there twice", "keep one of them")
        return loader.construct_document(node) if node else None
    except (yaml.YAMLError, ValueError, RecursionError) as broken:  # a date or number that is none is a ValueError
        raise refuse(where, f"not valid YAML: {broken}", "mend the file") from None


def _said_twice(node: yaml.Node | None) -> str | None:
    """Return a key that one mapping holds twice: YAML would silently keep the last."""
    open_nodes, seen = [node] if node is not None else [], set[int]()
    while open_nodes:
        current = open_nodes.pop()
        if id(current) in seen:  # an alias leads to a node again, and may lead back to itself
            continue
        seen.add(id(current))
        if isinstance(current, yaml.MappingNode):
            keys = [str(key.value) for key, _ in current.value]
            if doubled := next((key for key in keys if keys.count(key) > 1), None):
                return doubled
            open_nodes += [value for _, value in current.value]
        elif isinstance(current, yaml.SequenceNode):
            open_nodes += current.value
    return None


Reader = Callable[[str, Any], Any]


def fields(
    where: str, content: Any, *, required: Mapping[str, Reader], optional: Mapping[str, Reader]
) -> dict[str, Any]:
    """Read the keys of one mapping, each by its reader; refuse missing and unknown ones."""
    if not isinstance(content, dict):
        raise refuse(where, "expected keys with values here", f"write {', '.join(required)}")
    readers = {**required, **optional}
    if missing := [key for key in required if key not in content]:
        raise refuse(where, f"lacks {', '.join(missing)}", "add it")
    if unknown := [str(key) for key in content if key not in readers]:
        raise refuse(where, f"has the unknown key {', '.join(unknown)}", f"known keys: {', '.join(readers)}")
    return {key: readers[key](f"{where}: {key}", value) for key, value in content.items()}


def text(where: str, value: Any) -> str:
    """Return a text on one line, or refuse what is none."""
    if not isinstance(value, str) or not value.strip():
        raise refuse(where, "is not a text", "write a sentence or a name, in quotes where YAML reads it otherwise")
    return " ".join(value.split())


def flag(where: str, value: Any) -> bool:
    """Return true or false, or refuse what is neither."""
    if not isinstance(value, bool):
        raise refuse(where, f"{shown(value)} is neither true nor false", "write true or false")
    return value


def number(where: str, value: Any) -> float:
    """Return a number, or refuse what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= sys.float_info.max:
        raise refuse(where, f"{shown(value)} is not a number", "write a number")
    return float(value)


def count(where: str, value: Any) -> int:
    """Return a whole number from 0, or refuse what is none."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise refuse(where, f"{shown(value)} is not a count", "write a whole number from 0")
    return value


def items(where: str, value: Any) -> list[Any]:
    """Return a list, or refuse what is none."""
    if not isinstance(value, list):
        raise refuse(where, "is not a list", "write a list, [] where there is nothing")
    return value


def texts(where: str, value: Any) -> tuple[str, ...]:
    """Return a list of texts, or refuse what is none."""
    return tuple(text(where, item) for item in items(where, value))


def one_of(*known: str) -> Reader:
    """Return a reader that takes one of the known words and refuses any other."""

    def read(where: str, value: Any) -> str:
        if value not in known:
            raise refuse(where, f"{shown(value)} is not known", f"one of: {', '.join(known)}")
        return str(value)

    return read
