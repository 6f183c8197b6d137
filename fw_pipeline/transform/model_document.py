"""What the `.yml` beside an SQL model says of it: meaning, grain, columns, expectations, examples, and its claim.

Reads and refuses documents; knows no SQL and no database. `reading.py` puts both together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fw_pipeline.text import shown
from fw_pipeline.transform.claim_document import ClaimDoc, read_claim
from fw_pipeline.transform.yaml_fields import Reader, fields, flag, items, parse, refuse, text, texts


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
class Doc:
    """Everything that the document says of one model."""

    description: str
    grain: tuple[str, ...]
    columns: Mapping[str, Column]
    expectations: tuple[Mapping[str, Any], ...]
    examples: tuple[Example, ...]
    may_be_empty: str | None = None
    """Why the table may have no row at all, if it may; None where that must be a failure."""
    owner: str | None = None
    claim: ClaimDoc | None = None
    schema_columns: Mapping[str, Column] = field(default_factory=dict)
    """Every column that a model of its schema may have, where `dbt_like_sql/<schema>.yml` says so; else none."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the documents of one schema share, said once in `dbt_like_sql/<schema>.yml`.

    A model of the schema has those of the columns that its SQL yields. In the SQL of an expectation, `{model}` is the
    table.
    """

    grain: tuple[str, ...]
    required: tuple[str, ...]
    """The columns that no model may leave out."""
    columns: Mapping[str, Column]
    expectations: tuple[Mapping[str, Any], ...]
    may_be_empty: str | None = None


def read_shared(path: Path) -> Shared:
    """Read what the documents of a schema share.

    Raises:
        PipelineError: the file is no YAML, says a key twice, lacks one, or has one that is not known.
    """
    required: dict[str, Reader] = {"grain": texts, "required": texts}
    required |= {"columns": _columns, "expectations": _expectations}
    shared = Shared(**fields(path.name, parse(path.name, path), required=required, optional={"may_be_empty": text}))
    _grain_is_documented(path.name, shared.grain, shared.columns)
    return shared


def read_doc(path: Path, *, is_claim: bool, shared: Shared | None = None, yields: Sequence[str] = ()) -> Doc:
    """Read the document at `path`.

    Args:
        path: the `.yml` file.
        is_claim: whether the model is a claim: then, and only then, a `claim` section must be there.
        shared: what all documents of its schema share, where they share something.
        yields: the columns that the SQL yields, to choose from the shared ones.

    Raises:
        PipelineError: the file is no YAML, says a key twice, lacks one, or has one that is not known; or the SQL yields
            a column that the shared document does not have, or leaves out one that it requires.
    """
    where = f"{path.parent.name}/{path.name}"
    own: dict[str, Reader] = {"description": text, "expectations": _expectations, "examples": _examples}
    own |= {"claim": read_claim} if is_claim else {}
    own |= {} if shared else {"grain": texts, "columns": _columns}
    content = fields(where, parse(where, path), required=own, optional={"may_be_empty": text, "owner": text})
    if shared:
        content = _with_shared(where, content, shared, yields)
    _grain_is_documented(where, content["grain"], content["columns"])
    return Doc(**content)


def _with_shared(where: str, content: dict[str, Any], shared: Shared, yields: Sequence[str]) -> dict[str, Any]:
    if strange := [name for name in yields if name not in shared.columns]:
        raise refuse(where, f"its SQL yields {', '.join(strange)}", "yield the columns that the schema's document has")
    if lacking := [name for name in shared.required if name not in yields]:
        raise refuse(where, f"its SQL leaves out {', '.join(lacking)}", f"{where.partition('/')[0]}.yml requires it")
    model = f"{where.partition('/')[0]}.{where.partition('/')[2].removesuffix('.yml')}"
    rules = tuple(
        MappingProxyType({key: value.format(model=model) if key == "sql" else value for key, value in rule.items()})
        for rule in shared.expectations
    )
    return {
        "may_be_empty": shared.may_be_empty,
        **content,
        "grain": tuple(name for name in shared.grain if name in yields),
        "columns": MappingProxyType({name: shared.columns[name] for name in yields}),
        "schema_columns": shared.columns,
        "expectations": (*content["expectations"], *rules),
    }


def _grain_is_documented(where: str, grain: Sequence[str], columns: Mapping[str, Column]) -> None:
    if strange := [name for name in grain if name not in columns]:
        raise refuse(where, f"the grain names {', '.join(strange)}, which is no column", "name documented columns")


def _columns(where: str, value: Any) -> Mapping[str, Column]:
    if not isinstance(value, dict) or not value:
        raise refuse(where, "names no column", "document every column that the SQL yields, in order")
    required: dict[str, Reader] = {"type": text, "description": text}
    optional: dict[str, Reader] = {"nullable": flag, "unit": text, "values": lambda at, seen: tuple(items(at, seen))}
    return MappingProxyType(
        {
            str(name): Column(**fields(f"{where}.{name}", item, required=required, optional=optional))
            for name, item in value.items()
        }
    )


def _expectations(where: str, value: Any) -> tuple[Mapping[str, Any], ...]:
    for item in items(where, value):
        if not isinstance(item, dict) or not all(isinstance(item.get(key), str) for key in ("type", "reason")):
            raise refuse(where, f"{shown(item)} lacks its type or reason", "every rule says its type and why it holds")
    return tuple(MappingProxyType(item) for item in value)


def _rows(where: str, value: Any) -> tuple[Mapping[str, Any], ...]:
    if not all(isinstance(row, dict) for row in items(where, value)):
        raise refuse(where, "is not a list of rows", "write rows as {column: value}")
    return tuple(MappingProxyType(row) for row in value)


def _examples(where: str, value: Any) -> tuple[Example, ...]:
    def given(at: str, relations: Any) -> Mapping[str, Any]:
        if not isinstance(relations, dict):
            raise refuse(at, "names no relation", "write relation: rows")
        return MappingProxyType({str(name): _rows(f"{at}.{name}", rows) for name, rows in relations.items()})

    readers: dict[str, Reader] = {"name": text, "given": given, "expect": _rows}
    if not items(where, value):
        raise refuse(where, "holds no example", "add given rows and the rows to expect")
    return tuple(Example(**fields(where, item, required=readers, optional={})) for item in value)
