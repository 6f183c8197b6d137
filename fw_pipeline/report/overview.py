"""The two pictures that compare sources: PyTorch for each TensorFlow everywhere, and the models of the Hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from fw_pipeline.report.drawing import (
    break_layers,
    event_layers,
    finished,
    in_range,
    pointed,
    time_axis,
    tip,
    with_breaks,
)
from fw_pipeline.report.figures import Control, Event, Figure, sql
from fw_pipeline.report.palette import token
from fw_pipeline.report.words import SOURCES, figure, in_month

DASHES: dict[str, list[list[int]]] = {
    "stackoverflow": [[1, 0]],
    "pypi": [[7, 3], [2, 3], [10, 3, 2, 3], [4, 2]],
    "papers": [[1, 0], [3, 4]],
}
PARTS = {
    "pytorch_only_share": ("PyTorch only", "pytorch"),
    "in_both_share": ("both", "faint"),
    "tensorflow_only_share": ("TensorFlow only", "tensorflow"),
    "in_neither_share": ("neither, or with JAX", "hair"),
}


def ratios(rows: pl.DataFrame, events: Sequence[Event], credit: str) -> Figure:
    """Draw how much PyTorch there is for each TensorFlow, in every series of every source."""
    import altair as alt  # noqa: PLC0415 - takes most of a second

    rows = rows.with_columns(line=_line_names(rows)).filter(pl.col("ratio").is_null() | (pl.col("ratio") > 0))
    rows = with_breaks(rows, ["line"])
    place = {source: place for place, source in enumerate(DASHES)}
    lines = rows.select("source", "line").unique(maintain_order=True)
    lines = lines.sort(pl.col("source").replace_strict(place, default=len(place)), maintain_order=True)
    seen: dict[str, int] = {}
    dashes = []
    for source in lines["source"]:
        options = DASHES.get(source, [[1, 0]])
        dashes.append(options[seen.get(source, 0) % len(options)])
        seen[source] = seen.get(source, 0) + 1
    names = lines["line"].to_list()
    shades = ["ink" if source == "stackoverflow" else "soft" for source in lines["source"]]
    legend = alt.Legend(
        title=None,
        symbolType="stroke",
        symbolSize=420,
        columns={"expr": "width < 560 ? 1 : 2"},
        labelExpr="width < 330 ? replace(datum.label, '-packages', '') : datum.label",
    )
    shown = alt.Chart().transform_filter(in_range())
    base = shown.transform_calculate(stretch="datum.line + datum.segment").encode(
        x=time_axis(alt),
        y=alt.Y("ratio:Q")
        .scale(type="log", nice=False, padding=10)
        .axis(
            title=None,
            values=[1 / 64, 1 / 16, 1 / 4, 1, 4, 16],
            labelExpr="datum.value < 1 ? '1 to ' + format(1 / datum.value, 'd') : datum.value + ' to 1'",
        ),
        detail="stretch:N",
    )
    told = {
        "Series": "row.line",
        "Month": "row.period == 'year' ? utcFormat(row.month, '%Y') : utcFormat(row.month, '%b %Y')",
        "PyTorch for each TensorFlow": "isValid(row.ratio) ? format(row.ratio, '.3~r') : 'no figure'",
        "PyTorch": "isValid(row.pytorch) ? format(row.pytorch, ',.0f') : 'no figure'",
        "TensorFlow": "isValid(row.tensorflow) ? format(row.tensorflow, ',.0f') : 'no figure'",
    }
    level = alt.Chart(alt.InlineData(values=[{"level": 1}])).encode(y="level:Q")
    line = base.mark_line(strokeWidth=2).encode(
        strokeDash=alt.StrokeDash("line:N").scale(domain=names, range=dashes).legend(legend),
        stroke=alt.Stroke("line:N").scale(domain=names, range=[token(shade) for shade in shades]).legend(legend),
    )
    years = base.transform_filter("datum.period == 'year' && isValid(datum.ratio)").mark_point(
        filled=True, size=46, fill=token("soft"), opacity=1
    )
    chart = alt.layer(
        *event_layers(alt, events),
        *(break_layers(alt, shown) if rows["breaks"].any() else ()),
        level.mark_rule(color=token("ink"), strokeWidth=1.2),
        level.mark_text(
            align="left", baseline="bottom", dx=4, dy=-26, fontWeight="bold", color=token("pytorch")
        ).encode(x=alt.value(0), text=alt.value("more PyTorch")),
        level.mark_text(align="left", baseline="top", dx=4, dy=8, fontWeight="bold", color=token("tensorflow")).encode(
            x=alt.value(0), text=alt.value("more TensorFlow")
        ),
        line,
        years,
        *pointed(alt, base.encode(color=alt.value(token("ink"))), told, ["month", "line"]),
    )
    return Figure(
        name="pytorch_for_each_tensorflow",
        shows=("marts.framework_metrics", "marts.crossovers"),
        title="PyTorch for each TensorFlow, in every source",
        lead="Four sources, one question: how much PyTorch is there for each TensorFlow? Above the line PyTorch leads. "
        "The scale is logarithmic: each step up is four times as much. Where a line breaks, its months were counted in "
        "another way from there on. Months before both were released are left out.",
        summary=_ratios_in_words(rows),
        spec=finished(chart, (), title="PyTorch to TensorFlow", height=380, events=events),
        rows=rows,
        sql=sql("ratios"),
        credit=credit,
        events=tuple(events),
    )


def exclusivity(rows: pl.DataFrame, credit: str) -> Figure:
    """Draw which models can be used with what, beside the shares that the article quoted."""
    import altair as alt  # noqa: PLC0415 - takes most of a second

    rules = list(rows["denominator"].unique().sort(descending=True)) or ["all models"]
    controls = (
        Control("denominator", "Share of", {rule: _whole(rule) for rule in rules}),
        Control("safetensors", "Safetensors weights", {"no": "are a format", "yes": "count as PyTorch"}),
        Control("jax", "JAX", {"no": "left out", "yes": "counts as a framework"}),
    )
    chosen = (
        "datum.denominator == denominator && datum.safetensors_is_pytorch == (safetensors == 'yes')"
        " && datum.jax_counts == (jax == 'yes')"
    )
    titles = {name: title for name, (title, _) in PARTS.items()}
    order = {name: place for place, name in enumerate(PARTS)}
    bars = (
        alt.Chart()
        .transform_filter(chosen)
        .transform_fold(list(PARTS), as_=["part", "share"])
        .transform_calculate(
            part_title=f"{titles}[datum.part]",
            part_order=f"{order}[datum.part]",
            share_text="format(datum.share, '.1%')",
            label="datum.series + (datum.is_sample ? ' (a sample)' : '')",
        )
        .encode(
            x=alt.X("share:Q")
            .scale(domain=[0, 1], nice=False)
            .stack("zero")
            .axis(title=None, format=".0%", grid=True, tickCount=5),
            y=alt.Y("label:N")
            .sort(field="seen", op="min")
            .scale(paddingInner=0.62, paddingOuter=0.5)
            .axis(title=None, labels=False, ticks=False, domain=False),
            order="part_order:Q",
        )
    )
    told = {
        "Models": "row.series",
        "Usable with": "row.part_title",
        "Share": "row.share_text",
        "Models counted": "isValid(row.models) ? format(row.models, ',') : 'not said'",
        "Seen in": "utcFormat(row.seen, '%b %Y')",
    }
    chart = alt.layer(
        bars.mark_bar(tooltip=tip(told)).encode(
            color=alt.Color("part_title:N")
            .scale(domain=[title for title, _ in PARTS.values()], range=[token(colour) for _, colour in PARTS.values()])
            .legend(
                alt.Legend(title=None, symbolType="square", symbolSize=130, columns={"expr": "width < 420 ? 2 : 4"})
            ),
        ),
        bars.transform_filter("datum.part == 'pytorch_only_share'")
        .mark_text(align="left", baseline="bottom", dy=-14, color=token("ink"), limit={"expr": "width"})
        .encode(x=alt.value(0), text="label:N"),
    )
    height = 30 + 62 * rows["series"].n_unique()
    return Figure(
        name="huggingface_exclusivity",
        shows=("marts.huggingface_exclusivity",),
        title="Models on the Hugging Face Hub: usable with what?",
        lead="The article's 85, 8 and 7 percent, beside what can be counted. Change what counts, and the same models "
        "tell another story. Samples are not the Hub, and decide no verdict.",
        summary=_exclusivity_in_words(rows),
        spec=finished(chart, controls, title=f"='Share of ' + {controls[0].options}[denominator]", height=height),
        rows=rows,
        sql=sql("exclusivity"),
        credit=f"{credit}; the article's own by AssemblyAI",
        controls=controls,
        has_range=False,
    )


def _line_names(rows: pl.DataFrame) -> pl.Expr:
    """Name each series as a legend does: by its source alone where the source has one series."""
    names = {}
    for source, series, period in rows.select("source", "series", "period").unique().iter_rows():
        title, by_year = SOURCES.get(source, source), ", by year" if period == "year" else ""
        alone = rows.filter(pl.col("source") == source)["series"].n_unique() == 1
        names[source, series] = title if alone else f"{title}: {series}{by_year}"
        if not alone and series.lower().startswith(title.lower()):
            names[source, series] = f"{series[:1].upper()}{series[1:]}{by_year}"
    keys = {f"{source}\t{series}": name for (source, series), name in names.items()}
    return (pl.col("source") + "\t" + pl.col("series")).replace_strict(keys)


def _ratios_in_words(rows: pl.DataFrame) -> str:
    said = []
    for name, line in rows.drop_nulls("ratio").group_by(["line"], maintain_order=True):
        ordered = line.sort("month")
        ordered = ordered.filter(pl.col("segment") == ordered["segment"][-1])
        first, last = ordered.row(0, named=True), ordered.row(-1, named=True)
        said.append(
            f"{name[0]}: {figure(first['ratio'])} in {in_month(first['month'])}, "
            f"{figure(last['ratio'])} in {in_month(last['month'])}"
        )
    return f"PyTorch for each TensorFlow. {'; '.join(said)}." if said else "No figures."


def _exclusivity_in_words(rows: pl.DataFrame) -> str:
    plain = rows.filter(
        (pl.col("denominator") == pl.col("denominator").max())
        & ~pl.col("safetensors_is_pytorch")
        & ~pl.col("jax_counts")
    )
    said = [_shares_in_words(row) for row in plain.iter_rows(named=True)]
    return f"Share of {_whole(plain['denominator'][0])}. {'; '.join(said)}." if said else "No figures."


def _shares_in_words(row: dict[str, Any]) -> str:
    parts = ", ".join(f"{figure(row[name], 'share')} {title}" for name, (title, _) in PARTS.items() if row[name])
    return f"{row['series']}: {parts}"


def _whole(rule: str) -> str:
    return {
        "all models": "all models",
        "known framework": "models with a known framework",
        "pytorch or tensorflow": "models with PyTorch or TensorFlow",
    }.get(rule, rule)
