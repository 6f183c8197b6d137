"""What decided a claim, in one plain sentence: the figures, their source and month, and what the rule required."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from fw_pipeline.report.claim_standing import AGAINST, DECIDED, FOR
from fw_pipeline.report.formatting import SOURCE_TITLES, in_month

MOST = 2
"""Number of measurements that a sentence names; the details list the reasons of all of them."""


def sentence(verdicts: pl.DataFrame, verdict: str, until: date | None, votes: Sequence[tuple[str, str]]) -> str:
    """Return the sentence about a verdict, or nothing if no measurement decided it.

    Args:
        verdicts: the rows of `marts.verdicts` on the claim.
        verdict: the verdict of the sources together.
        until: the last month that counts.
        votes: each source with a vote, and that vote.
    """
    if until is None:
        return ""
    ahead = pl.col("due").is_not_null()
    decided = verdicts.filter(
        pl.col("headline"),
        pl.col("verdict").is_in(DECIDED),
        pl.col("sentence").is_not_null(),
        pl.col("as_of").is_null() | (pl.col("as_of") <= until),
    )
    decided = decided.filter(~ahead) if not decided.filter(~ahead).is_empty() else decided
    chosen = _chosen(decided, verdict, dict(votes))
    said = [_said(row) for row in chosen]
    if len(chosen) == 1 and chosen[0]["takes"] and chosen[0]["source"] != "releases":  # a date is no number to compare
        said[0] += f"; the claim needs {chosen[0]['takes']}"
    return f"{'. '.join(text[:1].upper() + text[1:] for text in said)}." if said else ""


def undecided(verdicts: pl.DataFrame, why: str) -> str:
    """Return what is known about a claim that no figures ever decided: a bound or an estimate, and what is needed.

    Args:
        verdicts: the rows of `marts.verdicts` on the claim.
        why: the reason in `marts.headline_verdicts`; it names the measurement that comes closest to a verdict.
    """
    measured = verdicts.filter("headline").drop_nulls("sentence").sort("as_of", maintain_order=True)
    named = [row for row in measured.iter_rows(named=True) if row["sentence"] in why]
    if not named:
        return why
    last = named[-1]
    said = _said(last)
    needed = f" The claim needs {last['takes']}; the figures leave that open." if last["takes"] else ""
    return f"{said[:1].upper()}{said[1:]}.{needed}"


def _chosen(decided: pl.DataFrame, verdict: str, votes: dict[str, str]) -> list[dict[str, Any]]:
    """Return the newest measurement of each source that agrees with the verdict; if mixed, one from either side."""
    newest: dict[str, dict[str, Any]] = {}
    for row in decided.sort("as_of", nulls_last=False, maintain_order=True).iter_rows(named=True):
        known = newest.get(row["source"] or "")
        if known is None or row["as_of"] != known["as_of"]:
            newest[row["source"] or ""] = row
    found = [row for name, row in newest.items() if not votes or name in votes or not row["source"]]
    found.sort(key=lambda row: row["as_of"] or date.min, reverse=True)
    if verdict == "mixed":
        sides = [[row for row in found if row["verdict"] in camp][:1] for camp in (FOR, AGAINST)]
        return [row for side in sides for row in side]
    camp = FOR if verdict in FOR else AGAINST
    return [row for row in found if row["verdict"] in camp][:MOST]


def _said(row: dict[str, Any]) -> str:
    where = SOURCE_TITLES.get(row["source"], row["source"])
    known = [part for part in (where, in_month(row["as_of"])) if part]
    return f"{row['sentence']} ({', '.join(known)})" if known else str(row["sentence"])
