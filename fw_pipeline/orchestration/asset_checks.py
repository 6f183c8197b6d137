"""The checks of a table: one blocks, with all its critical rules, one warns, where it has such rules; and freshness."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    MetadataValue,
    ResourceParam,
    TableRecord,
    asset_check,
    multi_asset_check,
)

from fw_pipeline import quality
from fw_pipeline.contract import Source
from fw_pipeline.errors import PipelineError
from fw_pipeline.ingestion.providers import Freshness, freshness
from fw_pipeline.orchestration.asset_metadata import as_markdown, places, relation_key
from fw_pipeline.orchestration.failures import plain_failures
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.quality import Expectation, Outcome
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform import relations_read
from fw_pipeline.warehouse import Writer

Rules = Mapping[str, Sequence[Expectation]]
"""The rules of each relation."""

RULES_HOLD, NO_WARNINGS = "rules_hold", "no_warnings"
"""The names of the two checks: unless the first holds, nothing that reads the table is built; the second only tells."""

NOT_BUILT = "not built yet"

FRESH = "last_closed_month_is_there"
"""The name of the check of freshness."""


def check_of(rule: Expectation) -> str:
    """Return the name of the check that a rule belongs to."""
    return RULES_HOLD if rule.severity == "critical" else NO_WARNINGS


def check_specs(relation: str, rules: Sequence[Expectation]) -> list[AssetCheckSpec]:
    """Return the checks of a table, each with its rules and their reasons as its description."""
    return [
        AssetCheckSpec(
            name,
            asset=AssetKey(relation_key(relation)),
            description="\n".join(f"* `{rule.name}`: {rule.reason}" for rule in found),
            blocking=name == RULES_HOLD,
            metadata={rule.name: f"{rule.type} {json.dumps(dict(rule.kwargs), default=str)}" for rule in found},
        )
        for name in (RULES_HOLD, NO_WARNINGS)
        if (found := [rule for rule in rules if check_of(rule) == name])
    ]


def raw_checks(rules: Rules) -> AssetChecksDefinition:
    """Return the step that checks the raw tables as a whole; the tables that are built have theirs in the build."""

    @multi_asset_check(
        name="check_raw",
        specs=[spec for relation, found in rules.items() for spec in check_specs(relation, found)],
        can_subset=True,
    )
    @plain_failures
    def check(context: AssetCheckExecutionContext, pipeline: ResourceParam[Pipeline]) -> Iterator[AssetCheckResult]:
        chosen = {name: selected(name, found, context.selected_asset_check_keys) for name, found in rules.items()}
        with pipeline.writing() as writer:
            proved = {name: prove(writer, pipeline, name, found) for name, found in chosen.items()}
        for name, outcomes in proved.items():
            yield from results(name, chosen[name], outcomes)
        if against := [reason for name, outcomes in proved.items() for reason in broken(name, outcomes)]:
            raise ExceptionGroup("rules that do not hold", against)

    return check


def selected(relation: str, rules: Sequence[Expectation], keys: Collection[AssetCheckKey]) -> list[Expectation]:
    """Return the rules of a table whose checks are among those that a run shall make."""
    names = {key.name for key in keys if key.asset_key == AssetKey(relation_key(relation))}
    return [rule for rule in rules if check_of(rule) in names]


def prove(writer: Writer, pipeline: Pipeline, relation: str, rules: Sequence[Expectation]) -> tuple[Outcome, ...]:
    """Run rules on a relation as it stands in the working file, and record the outcome of each there.

    A rule that held, and that reads the rows that it read then, is not run again: it would hold again. One that did
    not hold is, so that its failing rows can be shown.

    A table that is empty because a source has no month yet keeps nobody from publishing: its rules do not hold, which
    is a warning, and its comment says why.
    """
    if not rules:
        return ()
    if not writer.has(relation):
        return tuple(Outcome(rule, passed=False, unexpected_count=0, observed=NOT_BUILT) for rule in rules)
    why = why_empty(writer, pipeline, relation) if (is_empty := writer.is_empty(relation)) else None
    if is_empty:
        writer.say_why_empty(relation, why)
    marks = {rule.name: _mark(writer, relation, rule) for rule in rules}
    proofs = writer.proofs(relation)
    known = {
        rule.name: Outcome(rule, passed=True, unexpected_count=proof.unexpected, observed=proof.observed)
        for rule in rules
        if (proof := proofs.get(rule.name)) and proof.passed and proof.mark == marks[rule.name]
        if rule.type not in quality.ON_THE_ORDER
    }
    if due := [rule for rule in rules if rule.name not in known]:
        found = _run(writer, relation, due)
        if why is not None:
            found = tuple(_excused(outcome, why) for outcome in found)
        writer.note_checks(
            relation,
            [
                (rule.name, o.expectation.severity, o.passed, o.unexpected_count, o.observed, marks[rule.name])
                for rule, o in zip(due, found, strict=True)
            ],
        )
        known |= {rule.name: outcome for rule, outcome in zip(due, found, strict=True)}
        held = sum(outcome.passed for outcome in known.values())
        pipeline.progress("check", f"{relation}: {held} of {len(known)} rules hold")
    return tuple(known[rule.name] for rule in rules)


def _run(writer: Writer, relation: str, rules: Sequence[Expectation]) -> tuple[Outcome, ...]:
    queries = {rule.name: writer.frame(str(rule.kwargs["sql"])) for rule in rules if "sql" in rule.kwargs}
    return quality.validate(writer.frame(f"from {relation}"), rules, failing=queries)


def _mark(writer: Writer, relation: str, rule: Expectation) -> str:
    """Return a mark of a rule and of all rows that it reads."""
    where = f"{relation}: rule {rule.name}"
    also = relations_read(where, str(rule.kwargs["sql"])) if "sql" in rule.kwargs else ()
    said = (rule.name, rule.type, dict(rule.kwargs), rule.severity, rule.reason, rule.holds_on_none)
    return writer.mark(json.dumps(said, default=str), [relation, *also])


def results(relation: str, rules: Sequence[Expectation], outcomes: Sequence[Outcome]) -> Iterator[AssetCheckResult]:
    """Yield the result of each check of a table, made of the outcomes of its rules."""
    for name in (RULES_HOLD, NO_WARNINGS):
        mine = [o for rule, o in zip(rules, outcomes, strict=True) if check_of(rule) == name]
        if not mine:
            continue
        against = [outcome for outcome in mine if not outcome.passed]
        is_error = any(outcome.expectation.severity == "critical" for outcome in against)
        said = [f"{o.expectation.name}: {o.observed}. {o.expectation.reason}" for o in against]
        metadata: dict[str, Any] = {"rules that hold": f"{len(mine) - len(against)} of {len(mine)}"}
        if against:
            metadata["rules that do not hold"] = MetadataValue.table([_record(outcome) for outcome in against])
        for outcome in filter(lambda it: it.failing_rows, against):
            rows = [{name: str(value) for name, value in row.items()} for row in outcome.failing_rows]
            frame = pl.DataFrame(rows, infer_schema_length=None)
            metadata[f"rows against {outcome.expectation.name}"] = MetadataValue.md(as_markdown(frame))
        yield AssetCheckResult(
            asset_key=relation_key(relation),
            check_name=name,
            passed=not against,
            severity=AssetCheckSeverity.ERROR if is_error else AssetCheckSeverity.WARN,
            description="\n".join(said) or None,
            metadata=metadata,
        )


def broken(relation: str, outcomes: Sequence[Outcome]) -> list[PipelineError]:
    """Return a line for each critical rule that does not hold; one for all rules of a table without rows."""
    against = [o for o in outcomes if not o.passed and o.expectation.severity == "critical"]
    empty = [o for o in against if o.observed in (quality.NO_ROWS, NOT_BUILT)]
    return [
        PipelineError(
            relation,
            f"rule {o.expectation.name} does not hold: {o.observed}. {o.expectation.reason}".rstrip(". "),
            f"nothing was published; {_remedy(o)}",
        )
        for o in against
        if o not in empty[1:]
    ]


def freshness_check(source: Source) -> AssetChecksDefinition:
    """Return the check that warns when a source lacks the last month that is due; it blocks nothing."""

    @asset_check(
        asset=["raw", source.name],
        name=FRESH,
        description=(
            f"Green: the last month that is due, {source.due_days} days after its end, is here. "
            "Yellow: it is not, or the provider has nothing newer, as where recorded figures end. It blocks nothing."
        ),
    )
    def check(pipeline: ResourceParam[Pipeline]) -> AssetCheckResult:
        found = freshness(source, pipeline.settings, now=pipeline.clock())
        return AssetCheckResult(
            passed=found.months_behind == 0,
            severity=AssetCheckSeverity.WARN,
            description=found.line,
            metadata=freshness_metadata(found),
        )

    return check


def freshness_metadata(found: Freshness) -> dict[str, str | int]:
    """Return what a check of freshness says of a source."""
    return {
        "provider": found.provider,
        "last month here": f"{found.last_month:%Y-%m}" if found.last_month else "none",
        "later months that are due": found.months_behind if found.months_behind is not None else "all",
        "what would supply them" if found.is_stale else "next": found.what,
    }


def why_empty(writer: Writer, pipeline: Pipeline, relation: str) -> str | None:
    """Return why a table without rows has none, where a source is the cause whose figures it would hold; else None.

    A table whose sources all have months must have rows: there the emptiness is a defect.
    """
    schema, name = relation_key(relation)
    place = places(pipeline.models).get(relation)
    held = {name} if schema == "raw" else place.sources if place else ()
    if not (lacking := [source for source in SOURCES if source in held and writer.is_empty(f"raw.{source}")]):
        return None
    return f"no month of {', '.join(lacking)} has come in"


def _excused(outcome: Outcome, why: str) -> Outcome:
    """Turn a rule that does not hold for want of rows into a warning that says why there are none."""
    if outcome.passed or outcome.observed != quality.NO_ROWS:
        return outcome
    rule = replace(outcome.expectation, severity="warning")
    return replace(outcome, expectation=rule, observed=f"{quality.NO_ROWS}: {why}")


def _remedy(outcome: Outcome) -> str:
    """Return what to do about a rule that does not hold: an empty table has no failing rows to look at."""
    if outcome.observed == NOT_BUILT:
        return "build it: fw-pipeline rebuild"
    if outcome.observed == quality.NO_ROWS:
        return "its sources have months: mend its SQL or what it reads; if none is right, say may_be_empty in its yml"
    if outcome.observed.startswith(quality.NO_ROWS):
        return "fetch months that a provider has: fw-pipeline status --months lists them, and what would supply them"
    rows = "look at the failing rows" if outcome.failing_rows else "look at what was observed"
    return (
        f"{rows}; if the figures are wrong, fetch those months again; "
        "if the rule is wrong, change it where it is declared, with a reason"
    )


def _record(outcome: Outcome) -> TableRecord:
    said = {"rule": outcome.expectation.name, "observed": outcome.observed}
    return TableRecord({**said, "rows against it": outcome.unexpected_count, "remedy": _remedy(outcome)})
