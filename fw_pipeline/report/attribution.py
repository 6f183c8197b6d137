"""Whose figures they are: every origin with its licence and what was taken from it.

An origin that its source does not list is shown with the licence of the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from fw_pipeline.contract import NO_LICENCE, Credit
from fw_pipeline.report.formatting import SOURCE_TITLES, in_month
from fw_pipeline.sources import SOURCES

CREDITS: Mapping[str, Credit] = MappingProxyType(
    {start: credit for source in SOURCES.values() for start, credit in source.credits.items()}
)
"""Origins, by what their name begins with."""


_EVERY_ORIGIN = " union all ".join(
    f"(from raw.{name}{part} select '{name}' as source, origin, month)"
    for name in SOURCES
    for part in ("", "_unpartitioned")
)

ORIGINS = f"""
    from ({_EVERY_ORIGIN})
    select source, origin, count(*) as figures, min(month) as first_month, max(month) as last_month
    group by source, origin order by source, origin
"""
"""The query for who published the figures that are in use: a row for each source and origin."""


def credited(rows: pl.DataFrame) -> list[dict[str, str]]:
    """Return a row of the table of origins for every origin in use.

    Args:
        rows: as the query `ORIGINS` returns them.
    """
    return [
        {
            "source": SOURCE_TITLES.get(row["source"], row["source"]),
            "origin": row["origin"] or "not named",
            "where": credit.where if credit else "",
            "what": credit.what if credit else "fetched by this pipeline",
            "licence": credit.licence if credit else SOURCES[row["source"]].licence,
            "figures": f"{row['figures']:,}",
            "months": f"{in_month(row['first_month'])} to {in_month(row['last_month'])}"
            if row["first_month"]
            else "without months",
        }
        for row in rows.iter_rows(named=True)
        for credit in [_credit(row["origin"])]
    ]


def credit_line(rows: pl.DataFrame, *sources: str) -> str:
    """Return who published the figures of these sources, as a line below a chart."""
    origins = rows.filter(pl.col("source").is_in(sources))["origin"].drop_nulls().unique(maintain_order=True)
    named = []
    for origin in origins:
        credit = _credit(origin)
        named.append(f"{origin}, {credit.licence}" if credit and credit.licence != NO_LICENCE else origin)
    return f"Figures: {'; '.join(named)}" if named else "Figures: none"


def _credit(origin: str | None) -> Credit | None:
    return next((credit for start, credit in CREDITS.items() if origin and origin.startswith(start)), None)
