"""The first chart: the ratio of PyTorch to TensorFlow, one line per source, each in its headline series.

It uses the months that `marts.pytorch_vs_tensorflow` quotes, and never a sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from fw_pipeline.report.answer import Lead, to_one, together
from fw_pipeline.report.charts.chart_style import finished, pointed
from fw_pipeline.report.charts.lead_chart_labels import HEIGHT, LEAST, NAMES, Scale, texts
from fw_pipeline.report.claim_cards import THEN
from fw_pipeline.report.figure import Figure, sql, token
from fw_pipeline.report.formatting import in_full


def first_chart(rows: pl.DataFrame, found: Mapping[str, Lead], credit: str) -> Figure:
    """Draw the ratio of PyTorch to TensorFlow in every source.

    Args:
        rows: as the query `lead` returns them.
        found: the lead in each source.
        credit: who published the figures.
    """
    import altair as alt  # noqa: PLC0415 - takes most of a second

    rows = _stretches(rows)
    scale = Scale(rows)
    shown = alt.Chart().transform_filter("isValid(datum.ratio)")
    # A year is drawn at its middle.
    shown = shown.transform_calculate(at="datum.period == 'year' ? utc(utcyear(datum.month), 6, 1) : datum.month")
    colour = alt.Color("source:N").scale(domain=list(NAMES), range=[token(source) for source in NAMES]).legend(None)
    base = shown.encode(x=scale.across(alt), y=scale.upright(alt), color=colour, detail=alt.Detail("stretch:N"))
    solid = base.transform_filter("!isValid(datum.doubt)")
    level = alt.Chart(alt.InlineData(values=[{"level": 1}])).encode(y=alt.Y("level:Q"))
    article = alt.Chart(alt.InlineData(values=[{"day": str(THEN)}])).encode(x=alt.X("day:T"))
    chart = alt.layer(
        article.mark_rule(strokeDash=[3, 3], color=token("faint"), strokeWidth=1.2),
        level.mark_rule(color=token("ink"), strokeWidth=1.2),
        base.transform_filter("isValid(datum.doubt)").mark_line(strokeWidth=1.2, clip=True, strokeDash=[2, 2]),
        solid.mark_line(strokeWidth=2.6, clip=True),
        solid.transform_filter("datum.period == 'year' || datum.alone").mark_point(filled=True, size=44, opacity=1),
        *texts(alt, rows, found, scale),
        *pointed(alt, _of_the_month(shown, scale.across(alt)), TOLD, ["at"]),
    )
    return Figure(
        name="pytorch_for_each_tensorflow",
        shows=("marts.pytorch_vs_tensorflow", "marts.framework_metrics", "marts.crossovers"),
        title=together(found),
        takeaway="Each source counts something else: compare which way the lines go and when they cross, not their "
        "heights.",
        lead="PyTorch for each TensorFlow, by source; each step up is twice as much. A line is interrupted where the "
        "counting changed or nothing was counted. Samples are left out.",
        summary=_in_words(rows, found),
        spec=finished(chart, (), title="PyTorch for each TensorFlow", height=HEIGHT),
        rows=rows,
        sql=sql("lead"),
        credit=credit,
        notes=_notes(rows),
        has_range=False,
    )


def _stretches(rows: pl.DataFrame) -> pl.DataFrame:
    """Number the stretches that a line may connect: one series without a break or gap; mark isolated points."""
    rows = rows.sort("source", "month")
    before = [pl.col(name).shift(1).over("source") for name in ("series", "segment", "ratio")]
    begins = (
        pl.col("series").ne_missing(before[0]) | pl.col("segment").ne_missing(before[1]) | before[2].is_null()
    ) & (pl.col("period") == "month")
    numbered = rows.with_columns(
        stretch=pl.concat_str("source", begins.cast(pl.Int32).cum_sum().over("source"), separator=" ")
    )
    return numbered.with_columns(alone=pl.col("ratio").count().over("stretch") == 1)


TOLD = {
    "Month": "utcFormat(row.at, '%b %Y')",
    **{name + ", year" * (source == "papers"): f"row.{source}" for source, (name, _) in NAMES.items()},
}


def _of_the_month(shown: Any, across: Any) -> Any:
    """Return one row per month, with the figures of every source."""
    return (
        shown.transform_calculate(
            said="(datum.ratio < 1 ? '1 to ' + format(1 / datum.ratio, '.2~f') : format(datum.ratio, '.2~f') + ' to 1')"
            " + (isValid(datum.doubt) ? ', in doubt' : '')"
        )
        .transform_pivot("source", value="said", groupby=["at"], op="max")
        .encode(x=across)
    )


def _notes(rows: pl.DataFrame) -> tuple[str, ...]:
    doubted = rows.filter(pl.col("doubt").is_not_null()).sort("month")
    notes = []
    for _, line in doubted.group_by("source", maintain_order=True):
        last = line.row(-1, named=True)
        until = f"Dotted, to {in_full(last['month'])}: {last['doubt']}."
        notes.append(f"{until} What the line does there, above all its peak, is not what people did.")
    cut = rows.filter(pl.col("ratio") < LEAST).sort("month")
    if not cut.is_empty():
        until = in_full(cut.row(-1, named=True)["month"])
        notes.append(f"Months with less than 1 to {1 / LEAST:.0f}, the last of them {until}, are cut off.")
    return tuple(notes)


def _in_words(rows: pl.DataFrame, found: Mapping[str, Lead]) -> str:
    said = []
    for source, lead in found.items():
        line = rows.filter(pl.col("source") == source, pl.col("doubt").is_null()).drop_nulls("ratio").sort("month")
        first = line.row(0, named=True) if line.height else None
        start = f"{to_one(first['ratio'])} in {lead.period(first['month'])}, " if first else ""
        said.append(f"{NAMES[source][0]}: {start}{to_one(lead.ratio)} in {lead.when}")
    return f"PyTorch to TensorFlow. {'; '.join(said)}." if said else "No figures."
