"""What the `.yml` beside an SQL model says of it: meaning, grain, columns, expectations, examples, and its claim.

Knows no SQL and no database; `project` puts both together. `document_schema` tells editors what a document may hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, model_validator

from fw_pipeline.errors import PipelineError
from fw_pipeline.text import shown
from fw_pipeline.transform.yaml_document import Count, List, Number, Refusal, Strict, Text, read

_T = TypeVar("_T")


def _named(value: Any) -> Any:
    if not isinstance(value, dict) or not value:
        raise Refusal("names nothing", "write at least one name with its value")
    return {str(name): item for name, item in value.items()}


def _row(value: Any) -> Any:
    if not isinstance(value, dict):
        raise Refusal(f"{shown(value)} is not a row", "write rows as {column: value}")
    return value


def _rule(value: Any) -> Any:
    if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in ("type", "reason")):
        raise Refusal(f"{shown(value)} lacks its type or reason", "every rule says its type and why it holds")
    return value


Named = Annotated[Mapping[str, _T], BeforeValidator(_named)]
Rows = List[Annotated[Mapping[str, Any], BeforeValidator(_row)]]
Expectation = Annotated[Mapping[str, Any], BeforeValidator(_rule)]


class Column(Strict):
    """One documented column: DuckDB type, meaning, and what may stand in it."""

    type: Text
    description: Text
    nullable: bool = False
    unit: Text | None = None
    values: List[Any] | None = None
    """The only values that may occur; None where any may."""

    @property
    def comment(self) -> str:
        """The words that the column carries in the DuckDB file: its meaning, its unit, its values."""
        unit = f" Unit: {self.unit}." if self.unit else ""
        values = f" One of: {', '.join(str(value) for value in self.values)}." if self.values else ""
        return f"{self.description}{unit}{values}"


class Example(Strict):
    """Given rows and the rows that the SQL must then yield: a unit test that documents."""

    name: Text
    given: Mapping[str, Rows]
    """Rows of each relation read. A column left out is NULL; a relation left out is empty."""
    expect: Rows
    """All expected rows, each with the columns that matter here."""


class Definition(Strict):
    """One way to compute a claim's value, and the number that decides."""

    formula: Text
    meaning: Text
    unit: Text
    rule: Literal["at least", "at most", "above", "below", "between"]
    """How the value is compared with the threshold. `between` needs `upper`; both ends count."""
    threshold: Number
    least_n: Count
    headline: bool
    threshold_reason: Text
    upper: Number | None = None
    form: Literal["ratio", "change", "fall", "difference", "difference of changes", "other"] = "ratio"
    """How the value follows from numerator and denominator: `ratio` n / d, `change` n / d - 1, `fall` 1 - n / d,
    `difference` n - d; `difference of changes` likewise, of two changes; `other`: neither, so that nothing can be said
    of a drift."""
    says: Text | None = None
    """What the value says, as a clause with `{value}` in it; every headline definition has one."""
    over_time: bool = False
    """Whether the value compares later figures with earlier ones, so that a break of known bias makes it a bound."""
    due: date | None = None
    """By when a prediction must have come true; None where the definition does not look ahead."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.rule == "between") != (self.upper is not None):
            raise Refusal(f"{self.formula}: `upper` goes with the rule `between`", "give both or neither")
        if self.headline and "{value}" not in (self.says or ""):
            raise Refusal(f"{self.formula}: is of the headline and says nothing", "write `says`, with {value} in it")
        return self


class ClaimDoc(Strict):
    """What the article said, and how it is put to the test."""

    id: Text
    title: Text
    quote: Text
    sources: List[Text]
    kind: Literal["measured", "not_measurable"]
    """Whether the sources can say anything about the claim at all."""
    definitions: List[Definition]
    reason: Text | None = None
    """Why the claim cannot be measured, or only by proxy."""
    metric: Text | None = None
    judged_by: Text | None = None
    """The measure that the article itself used or plainly meant: that of the headline definitions."""
    all_must_hold: bool = False
    """Whether the claim says several things that must all hold, so that one that does not refutes it."""
    evidence: Named[Text] = Field(default_factory=dict)
    """Which rows of `marts.evidence` a value may be made from, as a condition, by source."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.kind == "not_measurable" and not self.reason:
            raise Refusal("says not_measurable without a reason", "say in `reason` what stands in the way")
        if self.kind == "measured" and not self.definitions:
            raise Refusal("is measured by no definition", "add one, with its threshold and least n")
        if self.kind == "measured" and not self.judged_by:
            raise Refusal("does not say what it is judged by", "name in `judged_by` the measure that the article used")
        if len({definition.formula for definition in self.definitions}) != len(self.definitions):
            raise Refusal("defines one formula twice", "give each its own name")
        return self


class Table(Strict):
    """The grain and the columns of a table."""

    grain: List[Text]
    columns: Named[Column]

    @model_validator(mode="after")
    def _grain_is_documented(self) -> Self:
        if strange := [name for name in self.grain if name not in self.columns]:
            raise Refusal(f"the grain names {', '.join(strange)}, which is no column", "name documented columns")
        return self


class Shared(Table):
    """What the documents of one schema share, said once in `dbt_like_sql/<schema>.yml`.

    A model of the schema has those of the columns that its SQL yields. In the SQL of an expectation, `{model}` is the
    table.
    """

    required: List[Text]
    """The columns that no model may leave out."""
    expectations: List[Expectation]
    may_be_empty: Text | None = None


class ModelDocument(Strict):
    """What the document of a model says whose schema shares grain and columns."""

    description: Text
    expectations: List[Expectation]
    examples: Annotated[List[Example], Field(min_length=1, json_schema_extra={"minItems": 1})]
    may_be_empty: Text | None = None
    """Why the table may have no row at all, if it may."""
    owner: Text | None = None


class ClaimDocument(ModelDocument):
    """What the document of a claim says."""

    claim: ClaimDoc


class TableDocument(ModelDocument, Table):
    """What the document of a model says whose schema shares nothing."""


class ClaimTableDocument(ClaimDocument, Table):
    """What the document of a claim says where claims share nothing."""


@dataclass(frozen=True, slots=True)
class Doc:
    """Everything that is said of one model, what its schema shares included."""

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


def read_shared(path: Path) -> Shared:
    """Read what the documents of a schema share.

    Raises:
        PipelineError: the file is no YAML, says a key twice, lacks one, or has one that is not known.
    """
    return read(path.name, path, Shared)


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
    schema, where = path.parent.name, f"{path.parent.name}/{path.name}"
    if shared is None:
        return Doc(**dict(read(where, path, ClaimTableDocument if is_claim else TableDocument)))
    own = read(where, path, ClaimDocument if is_claim else ModelDocument)
    if strange := [name for name in yields if name not in shared.columns]:
        raise PipelineError(where, f"its SQL yields {', '.join(strange)}", f"yield the columns of {schema}.yml")
    if lacking := [name for name in shared.required if name not in yields]:
        raise PipelineError(where, f"its SQL leaves out {', '.join(lacking)}", f"{schema}.yml requires it")
    rules = [
        {key: value.format(model=f"{schema}.{path.stem}") if key == "sql" else value for key, value in rule.items()}
        for rule in shared.expectations
    ]
    shares = {
        "may_be_empty": own.may_be_empty or shared.may_be_empty,
        "grain": tuple(name for name in shared.grain if name in yields),
        "columns": {name: shared.columns[name] for name in yields},
        "schema_columns": shared.columns,
        "expectations": (*own.expectations, *rules),
    }
    return Doc(**{**dict(own), **shares})
