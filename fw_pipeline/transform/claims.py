"""The claims of the article as rows: what was said, and under which definitions it is put to the test.

Read from the documents beside `dbt_like_sql/claims/*.sql`; nothing is measured or judged here. The SQL of a claim
measures, `marts.verdicts` compares with the thresholds given here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fw_pipeline.errors import PipelineError
from fw_pipeline.transform import MEASUREMENTS, ClaimDoc, Column, Model


def claim_rows(models: Iterable[Model]) -> list[dict[str, Any]]:
    """Return one row per claim, in the order of the article, for the seed `meta.claims`.

    Raises:
        PipelineError: a claim's file and its number disagree, or two files hold one claim.
    """
    return [
        {
            "claim": claim.id,
            "title": claim.title,
            "quote": claim.quote,
            "kind": claim.kind,
            "source_list": list(claim.sources),
            "reason": claim.reason,
            "metric": claim.metric,
            "judged_by": claim.judged_by,
            "all_must_hold": claim.all_must_hold,
            "model": model.name,
            "reads": list(model.upstream),
        }
        for model, claim in _in_order(models)
    ]


def definition_rows(models: Iterable[Model]) -> list[dict[str, Any]]:
    """Return one row per definition of each claim, for the seed `meta.definitions`.

    Raises:
        PipelineError: a claim's file and its number disagree, or two files hold one claim.
    """
    return [
        {
            "claim": claim.id,
            "formula": definition.formula,
            "meaning": definition.meaning,
            "unit": definition.unit,
            "rule": definition.rule,
            "threshold": definition.threshold,
            "upper": definition.upper,
            "least_n": definition.least_n,
            "threshold_reason": definition.threshold_reason,
            "headline": definition.headline,
            "form": definition.form,
            "says": definition.says,
            "over_time": definition.over_time,
            "due": definition.due,
        }
        for _, claim in _in_order(models)
        for definition in claim.definitions
    ]


def evidence_rows(models: Iterable[Model]) -> list[dict[str, Any]]:
    """Return one row per claim and source, for the seed `meta.claim_evidence`.

    Raises:
        PipelineError: a claim's file and its number disagree, or two files hold one claim.
    """
    return [
        {"claim": claim.id, "source": source, "condition": condition}
        for _, claim in _in_order(models)
        for source, condition in claim.evidence.items()
    ]


def measurement_columns(models: Iterable[Model]) -> Mapping[str, Column]:
    """Return the columns of `meta.measurements`: the claim, and every column that a claim may yield."""
    named = Column(type="VARCHAR", description="Number of the claim.")
    return {"claim": named, **next((model.doc.schema_columns for model in models if model.doc.claim), {})}


def measurements_sql(models: Sequence[Model]) -> str:
    """Return the query that puts the rows of all claims into one table, `meta.measurements`.

    Here values are rounded to nine digits. A claim without the column `exact_value` uses no interpolated figures: its
    exact value is its value.
    """
    columns = measurement_columns(models)
    nothing = ", ".join(f"null::{column.type} as {name}" for name, column in columns.items())
    parts = [
        f"select '{model.doc.claim.id}' as claim, *{exact} from {model.name}"  # noqa: S608 - our own files' names
        for model in models
        if model.doc.claim
        for exact in ["" if "exact_value" in model.doc.columns else ", value as exact_value"]
    ]
    rounded = ", ".join(
        f"cast({f'round({name}, 9)' if column.type == 'DOUBLE' else name} as {column.type}) as {name}"
        for name, column in columns.items()
    )
    union = "\nunion all by name\n".join([f"select {nothing} where false", *parts])
    return f"select {rounded} from (\n{union}\n)"  # noqa: S608 - likewise


def build_steps(models: Sequence[Model]) -> list[tuple[str, str]]:
    """Return every table that is built by SQL, and the SQL, each after what it reads; the measurements among them."""
    first = next((n for n, model in enumerate(models) if MEASUREMENTS in model.upstream), len(models))
    built = [(model.name, model.sql) for model in models]
    return [*built[:first], (MEASUREMENTS, measurements_sql(models)), *built[first:]]


def _in_order(models: Iterable[Model]) -> list[tuple[Model, ClaimDoc]]:
    found: dict[int, tuple[Model, ClaimDoc]] = {}
    for model in models:
        if (claim := model.doc.claim) is None:
            continue
        number = re.fullmatch(r"C([1-9]\d*)", claim.id, re.ASCII)
        named = re.match(r"c(\d{2,})_", model.table, re.ASCII)
        if number is None or named is None or int(number[1]) != int(named[1]):
            cause = f"the document says claim {claim.id}, the file says {model.table}"
            raise PipelineError(model.name, cause, "name the file c02_... for claim C2")
        if int(number[1]) in found:
            raise PipelineError(model.name, f"claim {claim.id} has two files", "keep one of them")
        found[int(number[1])] = model, claim
    return [found[number] for number in sorted(found)]
