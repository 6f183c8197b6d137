"""One claim explained: what was said, what decides, and every figure down to the file that holds the answer.

Read from the published file and the data folder; nothing is measured or judged here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from fw_pipeline.cli.verdicts import Judged, facts, judged, title
from fw_pipeline.object_path import on_this_machine
from fw_pipeline.raw import storage_of
from fw_pipeline.report.formatting import VERDICTS
from fw_pipeline.settings import Settings
from fw_pipeline.warehouse import query

HEADLINE_RULE = (
    "the headline definitions decide by their newest figures of at most 24 months, and each source has one vote: "
    "mixed where they disagree, not enough data where none decides; a prediction is not yet true until it came true or "
    "was due; what other definitions say stands beside it (docs/verdicts.md)"
)
"""How the verdict on a claim follows from its definitions; `marts.headline_verdicts` does it."""

SHOWN = 8
"""Rows of evidence that are shown for a definition; JSON and CSV hold all of them."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One definition: its verdict, the rows that its value was made from, and the files that hold them."""

    verdict: Mapping[str, Any]
    """The row of `marts.verdicts`, with the meaning of the formula, the reason of its threshold, and whether it
    `counts` in the as-of month."""
    rows: pl.DataFrame
    files: Mapping[str, bool]
    """Where each file of evidence lies, and whether it is there."""
    sql: str
    """The query that gives the rows."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A claim and how it stands, and the proof of each definition."""

    judged: Judged
    proofs: tuple[Proof, ...]


def explain(settings: Settings, name: str, *, as_of: date | None = None, published: Path | None = None) -> Explanation:
    """Return all that is known of a claim as of a month; the latest when None.

    Args:
        settings: where the data folder is.
        name: the claim, for example `C14`.
        as_of: the month.
        published: the file to read; the published one when None.

    Raises:
        PipelineError: nothing is published yet, or there is no such claim.
    """
    published = published or settings.published
    found = judged(published, name, as_of=as_of)
    claim = found.claim["claim"]
    conditions = dict(
        query(published, f"select source, condition from meta.claim_evidence where claim = '{claim}'").rows()  # noqa: S608
    )
    return Explanation(
        found, tuple(_proof(settings, published, verdict, conditions) for verdict in found.verdicts.to_dicts())
    )


def _proof(settings: Settings, published: Path, verdict: Mapping[str, Any], conditions: Mapping[str, str]) -> Proof:
    sql = evidence_sql(verdict, conditions)
    rows = query(published, sql)
    refs = sorted({ref for joined in rows["evidence"].drop_nulls() for ref in joined.split(";")})
    places = [_place(settings, ref) for ref in refs]
    storage = storage_of(settings.data_dir)
    there = {path for path in places if on_this_machine(path) and path.exists()}
    there |= storage.existing(path for path in places if not on_this_machine(path))
    return Proof(verdict, rows, {str(path): path in there for path in places}, sql)


def evidence_sql(verdict: Mapping[str, Any], conditions: Mapping[str, str]) -> str:
    """Return the query for the rows of a series and the months that a value was made from."""
    of_claim = " or ".join(
        f"source = '{source}'" if condition == "true" else f"(source = '{source}' and {condition})"
        for source, condition in conditions.items()
    )
    series = verdict["series"]
    # a cohort of another year than the published one names the year first: `2017 in papers with code`
    names = [series, series.split(" in ", 1)[-1]] if series else []
    listed = ", ".join("'{}'".format(name.replace("'", "''")) for name in dict.fromkeys(names))
    parts = [
        f"({of_claim or 'false'})",
        f"series in ({listed})" if listed else "series is null",
        f"known_from <= date '{verdict['as_of']}'" if verdict["as_of"] and verdict["value"] is not None else "false",
        *([f"month >= date '{verdict['since']}'"] if verdict["since"] else []),
        f"(source <> 'authors' or month = date '{verdict['as_of'] or date.min}')",
    ]
    return f"from marts.evidence where {' and '.join(parts)} order by source, month, key"


def _place(settings: Settings, ref: str) -> Path:
    inside = ref.removeprefix("recorded/")
    return settings.recorded_dir / inside if inside != ref else settings.data_dir / ref


def as_json(found: Explanation) -> str:
    """Return an explanation as one nested JSON record."""
    record = {
        **found.judged.claim,
        "headline_rule": HEADLINE_RULE,
        "when_the_article_appeared": found.judged.then,
        "headline": found.judged.headline,
        "definitions": [
            {
                **proof.verdict,
                "evidence": proof.rows.to_dicts(),
                "files": [{"path": path, "present": present} for path, present in proof.files.items()],
                "sql": proof.sql,
            }
            for proof in found.proofs
        ],
    }
    return json.dumps(record, default=str, ensure_ascii=False, indent=1)


def as_rows(found: Explanation) -> pl.DataFrame:
    """Return one row per definition and row of evidence, for CSV; a definition without evidence has one row."""
    told = ("claim", "definition", "as_of", "verdict", "counts", "headline", "threshold", "rule", "n", "least_n", "why")
    parts = []
    for proof in found.proofs:
        verdict = pl.DataFrame([{"measured": proof.verdict["value"], **{name: proof.verdict[name] for name in told}}])
        rows = proof.rows if proof.rows.height else proof.rows.clear(n=1)
        parts.append(rows.join(verdict, how="cross").select(*told, "measured", *rows.columns))
    return pl.concat(parts, how="vertical_relaxed")


def as_text(found: Explanation) -> Iterator[str]:
    """Yield an explanation as lines for a reader: at most a few rows of evidence a definition, and all the rest."""
    claim, headline = found.judged.claim, found.judged.headline
    yield title(found.judged)
    for words, said in facts(found.judged):
        yield from _told(words, said)
    yield from _told("sources", ", ".join(claim["source_list"]))
    yield from _told("metric", claim["metric"])
    yield from _told("reason", claim["reason"])
    yield from _told("computed", f"{claim['model']}, which reads {', '.join(claim['reads'])}")
    yield from _told("rule", HEADLINE_RULE)
    if headline:
        yield from _told("flipped by", "; ".join(headline["flipped_by"]))
        yield from _told("depends on", "; ".join(headline["hangs_on"]))
        if headline["drift_flips"]:
            yield from _told("drift", f"alone could flip {'; '.join(headline['drift_flips'])}")
    for proof in found.proofs:
        yield ""
        yield from _proof_lines(proof)


def _proof_lines(proof: Proof) -> Iterator[str]:
    verdict = proof.verdict
    when = f" as of {verdict['as_of']:%Y-%m}" if verdict["as_of"] else ""
    yield f"{verdict['definition']}{' [headline]' if verdict['headline'] else ''}{when}"
    yield from _told("means", verdict["meaning"])
    yield from _told("value", None if verdict["value"] is None else f"{verdict['value']:,.6g} {verdict['unit']}")
    if verdict["low"] != verdict["high"]:
        ends = {"at least": verdict["low"], "at most": verdict["high"]}
        yield from _told("lies", " and ".join(f"{at} {end:,.6g}" for at, end in ends.items() if end is not None))
    if verdict["rule"]:
        upper = "" if verdict["upper"] is None else f" and {verdict['upper']:g}"
        threshold = f"{verdict['rule']} {verdict['threshold']:g}{upper} {verdict['unit']}"
        yield from _told("threshold", f"{threshold}. {verdict['threshold_reason'] or ''}".strip())
        yield from _told("n", f"{verdict['n']:,}; it takes {verdict['least_n']:,} to decide")
    too_old = verdict["verdict"] not in ("insufficient_data", "not_measurable") and not verdict["counts"]
    yield from _told("verdict", f"{VERDICTS[verdict['verdict']]}{', too old now' if too_old else ''}: {verdict['why']}")
    yield from _told("due", verdict["due"] and f"{verdict['due']:%Y-%m}")
    yield from _told("gaps", verdict["gaps"])
    if not proof.rows.height:
        return
    since = f"from {verdict['since']:%Y-%m}" if verdict["since"] else "all that was there"
    yield from _told("evidence", f"{proof.rows.height} rows, {since} to {verdict['as_of']:%Y-%m}; the newest:")
    for row in proof.rows.sort("month", "key", nulls_last=False).tail(SHOWN).iter_rows(named=True):
        yield f"    {_figure(row)}"
    yield from _told("all rows", f'fw-pipeline sql "{proof.sql}"')
    for path, present in proof.files.items():
        yield from _told("file", f"{path} ({'there' if present else 'MISSING'})")


def _figure(row: Mapping[str, Any]) -> str:
    month = f"{row['month']:%Y-%m}" if row["month"] else "undated"
    if row["value"] is None:
        return f"{month}  {row['key']}: no figure, {row['gap_reason']}"
    days = f" in {row['days']} days" if row["days"] else ""
    notes = [
        "interpolated" if row["is_estimated"] else row["method"],
        row["gap_reason"],
        row["origin"],
        f"taken {row['observed_on']}" if row["observed_on"] else None,
        f"read {row['observed_at']:%Y-%m-%d} by {row['provider']}" if row["observed_at"] else None,
    ]
    said = "; ".join(note for note in notes if note)
    return f"{month}  {row['key']}: {row['value']:,.0f} {row['counted']}{days} ({said})"


def _told(words: str, value: str | None) -> Iterator[str]:
    if value:
        yield f"  {words:<11}{value}"
