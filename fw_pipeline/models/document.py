"""What the `.yml` beside an SQL model says of it: meaning, grain, columns, expectations, examples, and its claim.

Reads and refuses documents; knows no SQL and no database. `reading.py` puts both together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from fw_pipeline.contract import Reason

RULES = ("at least", "at most", "above", "below", "between")
"""How a claim's value is compared with its threshold. `between` needs `upper`; both ends count."""

KINDS = ("measured", "not_measurable")
"""Whether the sources can say anything about a claim at all."""


@dataclass(frozen=True, slots=True)
class Column:
    """One documented column: DuckDB type, meaning, and what may stand in it."""

    type: str
    description: str
    nullable: bool = False
    unit: str | None = None
    values: tuple[Any, ...] | None = None
    """The only values that may occur; None where any may."""

    @property
    def comment(self) -> str:
        """The words that the column carries in the DuckDB file: its meaning, its unit, its values."""
        unit = f" Unit: {self.unit}." if self.unit else ""
        values = f" One of: {', '.join(str(value) for value in self.values)}." if self.values else ""
        return f"{self.description}{unit}{values}"


@dataclass(frozen=True, slots=True)
class Example:
    """Given rows and the rows that the SQL must then yield: a unit test that documents."""

    name: str
    given: Mapping[str, Sequence[Mapping[str, Any]]]
    """Rows of each relation read. A column left out is NULL; a relation left out is empty."""
    expect: Sequence[Mapping[str, Any]]
    """All expected rows, each with the columns that matter here."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One way to compute a claim's value, and the number that decides."""

    formula: str
    meaning: str
    unit: str
    rule: str
    threshold: float
    least_n: int
    headline: bool
    threshold_reason: str
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class ClaimDoc:
    """What the article said, and how it is put to the test."""

    id: str
    title: str
    quote: str
    sources: tuple[str, ...]
    kind: str
    definitions: tuple[Definition, ...]
    reason: str | None = None
    """Why the claim cannot be measured, or only by proxy."""
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class Doc:
    """Everything that the document says of one model."""

    description: str
    grain: tuple[str, ...]
    columns: Mapping[str, Column]
    expectations: tuple[Mapping[str, Any], ...]
    examples: tuple[Example, ...]
    owner: str | None = None
    claim: ClaimDoc | None = None


def read_doc(path: Path, *, is_claim: bool) -> Doc:
    """Read the document at `path`.

    Args:
        path: the `.yml` file.
        is_claim: whether the model is a claim: then, and only then, a `claim` section must be there.

    Raises:
        Reason: the file is no YAML, says a key twice, lacks one, or has one that is not known.
    """
    where = f"{path.parent.name}/{path.name}"
    content = _fields(
        where,
        _parse(where, path),
        required={
            "description": _text,
            "grain": _texts,
            "columns": _columns,
            "expectations": _expectations,
            "examples": _examples,
            **({"claim": _claim} if is_claim else {}),
        },
        optional={"owner": _text},
    )
    if strange := [name for name in content["grain"] if name not in content["columns"]]:
        raise _refuse(where, f"the grain names {', '.join(strange)}, which is no column", "name documented columns")
    return Doc(**content)


def _refuse(where: str, cause: str, remedy: str) -> Reason:
    return Reason(where, cause, remedy)


def _parse(where: str, path: Path) -> Any:
    try:
        loader = yaml.CSafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        if (twice := _said_twice(node)) is not None:
            raise _refuse(where, f"the key {twice} stands there twice", "keep one of them")
        return loader.construct_document(node) if node else None
    except (yaml.YAMLError, UnicodeDecodeError) as broken:
        raise _refuse(where, f"not valid YAML: {broken}", "mend the file") from None


def _said_twice(node: yaml.Node | None) -> str | None:
    """Return a key that one mapping holds twice: YAML would silently keep the last."""
    open_nodes = [node] if node is not None else []
    while open_nodes:
        current = open_nodes.pop()
        if isinstance(current, yaml.MappingNode):
            keys = [str(key.value) for key, _ in current.value]
            if doubled := next((key for key in keys if keys.count(key) > 1), None):
                return doubled
            open_nodes += [value for _, value in current.value]
        elif isinstance(current, yaml.SequenceNode):
            open_nodes += current.value
    return None


Reader = Callable[[str, Any], Any]


def _fields(
    where: str, content: Any, *, required: Mapping[str, Reader], optional: Mapping[str, Reader]
) -> dict[str, Any]:
    """Read the keys of one mapping, each by its reader; refuse missing and unknown ones."""
    if not isinstance(content, dict):
        raise _refuse(where, "expected keys with values here", f"write {', '.join(required)}")
    readers = {**required, **optional}
    if missing := [key for key in required if key not in content]:
        raise _refuse(where, f"lacks {', '.join(missing)}", "add it")
    if unknown := [str(key) for key in content if key not in readers]:
        raise _refuse(where, f"has the unknown key {', '.join(unknown)}", f"known keys: {', '.join(readers)}")
    return {key: readers[key](f"{where}: {key}", value) for key, value in content.items()}


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _refuse(where, "is not a text", "write a sentence or a name, in quotes where YAML reads it otherwise")
    return " ".join(value.split())


def _flag(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refuse(where, f"{value!r} is neither true nor false", "write true or false")
    return value


def _number(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _refuse(where, f"{value!r} is not a number", "write a number")
    return float(value)


def _count(where: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _refuse(where, f"{value!r} is not a count", "write a whole number from 0")
    return value


def _list(where: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _refuse(where, "is not a list", "write a list, [] where there is nothing")
    return value


def _texts(where: str, value: Any) -> tuple[str, ...]:
    return tuple(_text(where, item) for item in _list(where, value))


def _one_of(*known: str) -> Reader:
    def read(where: str, value: Any) -> str:
        if value not in known:
            raise _refuse(where, f"{value!r} is not known", f"one of: {', '.join(known)}")
        return str(value)

    return read


def _columns(where: str, value: Any) -> Mapping[str, Column]:
    if not isinstance(value, dict) or not value:
        raise _refuse(where, "names no column", "document every column that the SQL yields, in order")
    required: dict[str, Reader] = {"type": _text, "description": _text}
    optional: dict[str, Reader] = {"nullable": _flag, "unit": _text, "values": lambda at, seen: tuple(_list(at, seen))}
    return MappingProxyType(
        {
            str(name): Column(**_fields(f"{where}.{name}", item, required=required, optional=optional))
            for name, item in value.items()
        }
    )


def _expectations(where: str, value: Any) -> tuple[Mapping[str, Any], ...]:
    for item in _list(where, value):
        if not isinstance(item, dict) or not all(isinstance(item.get(key), str) for key in ("type", "reason")):
            raise _refuse(where, f"{item!r} lacks its type or reason", "every rule says its type and why it holds")
    return tuple(MappingProxyType(item) for item in value)


def _rows(where: str, value: Any) -> tuple[Mapping[str, Any], ...]:
    if not all(isinstance(row, dict) for row in _list(where, value)):
        raise _refuse(where, "is not a list of rows", "write rows as {column: value}")
    return tuple(MappingProxyType(row) for row in value)


def _examples(where: str, value: Any) -> tuple[Example, ...]:
    def given(at: str, relations: Any) -> Mapping[str, Any]:
        if not isinstance(relations, dict):
            raise _refuse(at, "names no relation", "write relation: rows")
        return MappingProxyType({str(name): _rows(f"{at}.{name}", rows) for name, rows in relations.items()})

    readers: dict[str, Reader] = {"name": _text, "given": given, "expect": _rows}
    if not _list(where, value):
        raise _refuse(where, "holds no example", "add given rows and the rows to expect")
    return tuple(Example(**_fields(where, item, required=readers, optional={})) for item in value)


def _claim(where: str, value: Any) -> ClaimDoc:
    required: dict[str, Reader] = {"id": _text, "title": _text, "quote": _text, "sources": _texts}
    required |= {"kind": _one_of(*KINDS), "definitions": _definitions}
    claim = ClaimDoc(**_fields(where, value, required=required, optional={"reason": _text, "metric": _text}))
    if claim.kind == "not_measurable" and not claim.reason:
        raise _refuse(where, "says not_measurable without a reason", "say in `reason` what stands in the way")
    if claim.kind == "measured" and not claim.definitions:
        raise _refuse(where, "is measured by no definition", "add one, with its threshold and least n")
    return claim


def _definitions(where: str, value: Any) -> tuple[Definition, ...]:
    texts = dict.fromkeys(("formula", "meaning", "unit", "threshold_reason"), _text)
    required: dict[str, Reader] = {**texts, "rule": _one_of(*RULES), "threshold": _number}
    required |= {"least_n": _count, "headline": _flag}
    optional: dict[str, Reader] = {"upper": lambda at, seen: None if seen is None else _number(at, seen)}
    read = tuple(
        Definition(**_fields(where, item, required=required, optional=optional)) for item in _list(where, value)
    )
    for item in read:
        if (item.rule == "between") != (item.upper is not None):
            raise _refuse(where, f"{item.formula}: `upper` goes with the rule `between`", "give both or neither")
    if len({item.formula for item in read}) != len(read):
        raise _refuse(where, "defines one formula twice", "give each its own name")
    return read
