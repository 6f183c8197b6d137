"""One blocking asset check an expectation, each with its own history; a table's rules are run together."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    MetadataValue,
    ResourceParam,
    multi_asset_check,
)

from fw_pipeline import expectations
from fw_pipeline.contract import Reason, Source
from fw_pipeline.expectations import Expectation, Outcome
from fw_pipeline.models import Model
from fw_pipeline.orchestration.absence import why_empty
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.raw_assets import failed
from fw_pipeline.orchestration.seeds import Seed
from fw_pipeline.orchestration.transforms import as_markdown
from fw_pipeline.warehouse import Writer

NOT_BUILT = "not built yet"


def rules_for_source(source: Source) -> tuple[Expectation, ...]:
    """Return the rules on `raw.<source>`: those that each month kept before it came in, on all months at once."""
    return expectations.for_raw(source.table, provider=("provider",))


def rules_for_model(model: Model) -> tuple[Expectation, ...]:
    """Return the rules that a model's document implies, and those that it declares."""
    doc = model.doc
    implied = expectations.implied(
        doc.grain,
        tuple(doc.columns),
        nullable=[name for name, column in doc.columns.items() if column.nullable],
        types={name: column.type for name, column in doc.columns.items()},
        values={name: column.values for name, column in doc.columns.items() if column.values is not None},
        may_be_empty=doc.may_be_empty is not None,
    )
    found = (*implied, *expectations.declared(doc.expectations, columns=tuple(doc.columns), subject=model.name))
    return tuple(replace(rule, holds_on_none=doc.may_be_empty is not None) for rule in found)


def rules_for_seed(seed: Seed) -> tuple[Expectation, ...]:
    """Return the rules on a small table: its columns, and at least one row unless it may be empty."""
    if seed.may_be_empty:
        return ()
    return expectations.implied((), tuple(seed.columns), nullable=tuple(seed.columns))


def table_checks(relation: str, rules: Sequence[Expectation]) -> AssetChecksDefinition:
    """Return the checks of one table."""
    schema, _, table = relation.partition(".")
    key = AssetKey([schema, table])
    by_name = {rule.name: rule for rule in rules}

    @multi_asset_check(
        name=f"check_{schema}_{table}",
        specs=[
            AssetCheckSpec(
                rule.name,
                asset=key,
                description=rule.reason or None,
                blocking=rule.severity == "critical",
                metadata={"rule": rule.type, "arguments": MetadataValue.json(_jsonable(rule.kwargs))},
            )
            for rule in rules
        ],
        can_subset=True,
    )
    def check(context: AssetCheckExecutionContext, pipeline: ResourceParam[Pipeline]) -> Iterator[AssetCheckResult]:
        chosen = [by_name[selected.name] for selected in sorted(context.selected_asset_check_keys)]
        chosen.sort(key=list(by_name.values()).index)
        try:
            with pipeline.writing() as writer:
                outcomes = prove(writer, pipeline, relation, chosen)
        except Reason as reason:
            raise failed([reason]) from None
        pipeline.progress("check", f"{relation}: {sum(o.passed for o in outcomes)} of {len(outcomes)} rules hold")
        for outcome in outcomes:
            yield _shown(key, outcome)

    return check


def prove(writer: Writer, pipeline: Pipeline, relation: str, rules: Sequence[Expectation]) -> tuple[Outcome, ...]:
    """Run rules on a relation as it stands in the working file, and record the outcome there.

    A table that is empty because a source has no month yet keeps nobody from publishing: its rules do not hold, which
    is a warning, and its comment says why.
    """
    if not writer.has(relation):
        outcomes = tuple(Outcome(rule, passed=False, unexpected_count=0, observed=NOT_BUILT) for rule in rules)
    else:
        queries = {rule.name: writer.frame(str(rule.kwargs["sql"])) for rule in rules if "sql" in rule.kwargs}
        frame = writer.frame(f"from {relation}")
        outcomes = expectations.validate(frame, rules, failing=queries)
        if frame.is_empty() and (why := why_empty(writer, pipeline, relation)) is not None:
            outcomes = tuple(_excused(outcome, why) for outcome in outcomes)
            writer.say_why_empty(relation, why)
    writer.note_checks(
        relation,
        [(o.expectation.name, o.expectation.severity, o.passed, o.unexpected_count, o.observed) for o in outcomes],
    )
    return outcomes


def _excused(outcome: Outcome, why: str) -> Outcome:
    """Turn a rule that does not hold for want of rows into a warning that says why there are none."""
    if outcome.passed or outcome.observed != expectations.NO_ROWS:
        return outcome
    rule = replace(outcome.expectation, severity="warning")
    return replace(outcome, expectation=rule, observed=f"{expectations.NO_ROWS}: {why}")


def _remedy(outcome: Outcome) -> str:
    """Return what to do about a rule that does not hold: an empty table has no failing rows to look at."""
    if outcome.observed == NOT_BUILT:
        return "build it: fw-pipeline rebuild"
    if outcome.observed == expectations.NO_ROWS:
        return "its sources have months: mend its SQL or what it reads; if none is right, say may_be_empty in its yml"
    if outcome.observed.startswith(expectations.NO_ROWS):
        return "fetch months that a provider can answer: fw-pipeline status says which, and what would complete them"
    rows = "look at the failing rows" if outcome.failing_rows else "look at what was observed"
    return (
        f"{rows}; if the figures are wrong, fetch those months again; "
        "if the rule is wrong, change it where it is declared, with a reason"
    )


def _shown(key: AssetKey, outcome: Outcome) -> AssetCheckResult:
    rule = outcome.expectation
    metadata: dict[str, Any] = {"observed": outcome.observed, "rows against it": outcome.unexpected_count}
    if not outcome.passed:
        metadata["remedy"] = _remedy(outcome)
    if outcome.failing_rows:
        frame = pl.DataFrame(
            [{k: str(v) for k, v in row.items()} for row in outcome.failing_rows], infer_schema_length=None
        )
        metadata["failing rows"] = MetadataValue.md(as_markdown(frame))
    return AssetCheckResult(
        asset_key=key,
        check_name=rule.name,
        passed=outcome.passed,
        severity=AssetCheckSeverity.ERROR if rule.severity == "critical" else AssetCheckSeverity.WARN,
        description=None if outcome.passed else f"{outcome.observed}. {rule.reason}",
        metadata=metadata,
    )


def _jsonable(kwargs: Any) -> dict[str, Any]:
    return {
        name: value
        if isinstance(value, bool | int | float | str | None)
        else [str(v) for v in value]
        if isinstance(value, list | tuple)
        else str(value)
        for name, value in kwargs.items()
    }
