"""The models of the Hugging Face Hub: by tag, which is a finding, and by what they can be used with."""

from __future__ import annotations

from typing import Any

import polars as pl

from fw_pipeline.report.answer import leader, to_one
from fw_pipeline.report.charts.chart_style import finished, tip
from fw_pipeline.report.figure import TITLES, Control, Figure, sql, token
from fw_pipeline.report.formatting import figure, in_full

PARTS = {
    "pytorch_only_share": ("PyTorch only", "pytorch"),
    "in_both_share": ("both", "faint"),
    "tensorflow_only_share": ("TensorFlow only", "tensorflow"),
    "in_neither_share": ("neither, or with JAX", "hair"),
}


def models(rows: pl.DataFrame, credit: str) -> Figure:
    """Draw how many models have the tag of each framework, in the newest figures of every way of counting.

    Args:
        rows: as the query `models` returns them.
        credit: who published the figures.
    """
    import altair as alt  # noqa: PLC0415 - takes most of a second

    order = [in_full(month) for month in rows["month"]]
    bars = (
        alt.Chart()
        .transform_fold(["pytorch", "tensorflow"], as_=["framework", "models"])
        .transform_calculate(
            title=f"datum.framework == 'pytorch' ? '{TITLES['pytorch']}' : '{TITLES['tensorflow']}'",
            amount="format(datum.models, ',')",
            when="utcFormat(datum.month, '%B %Y')",
            label="(datum.framework == 'pytorch' ? 'PyTorch ' : 'TensorFlow ') + format(datum.models, ',')",
        )
        .encode(
            x=alt.X("models:Q").scale(nice=False).axis(None),
            y=alt.Y("when:N").sort(order).axis(None).scale(paddingInner=0.55, paddingOuter=0.45),
            yOffset=alt.YOffset("framework:N").sort(["pytorch", "tensorflow"]).scale(paddingInner=0.25),
        )
    )
    told = {"When": "row.when", "Framework": "row.title", "Models": "row.amount", "Counted": "row.series"}
    # The longest bar leaves room for its label; below it, a label beside its bar never touches another.
    bars = bars.encode(x=alt.X("models:Q").scale(nice=False, range=[0, {"expr": "width - 130"}]).axis(None))
    chart = alt.layer(
        *(
            bars.transform_filter(f"datum.framework == '{name}'").mark_bar(color=token(name), tooltip=tip(told))
            for name in ("pytorch", "tensorflow")
        ),
        bars.mark_text(align="left", baseline="middle", dx=6, color=token("ink")).encode(text=alt.Text("label:N")),
        bars.transform_filter("datum.framework == 'pytorch'")
        .mark_text(align="left", baseline="bottom", dy=-17, fontWeight="bold", color=token("ink"))
        .encode(x=alt.XValue(0), text=alt.Text("when:N")),
    )
    last = rows.row(-1, named=True) if rows.height else None
    return Figure(
        name="huggingface_models",
        shows=("marts.models_by_framework", "marts.pytorch_vs_tensorflow"),
        title=_models_title(last),
        takeaway="A tag says what a model can be loaded with, so that a model with two tags counts twice; it does not "
        "say how much the model is used.",
        lead="Models with the tag of each framework, of all public models. Where two times stand here, they were "
        "counted in different ways and are not compared.",
        summary=_models_in_words(rows),
        spec=finished(chart, (), title="Models with the tag", height=max(40 + 88 * rows.height, 60)),
        rows=rows,
        sql=sql("models"),
        credit=credit,
        has_range=False,
    )


def _models_title(last: dict[str, Any] | None) -> str:
    if last is None:
        return "No count of the whole Hugging Face Hub"
    when = in_full(last["month"])
    ahead = leader(last["ratio"])
    if ahead is None:
        return f"On the Hugging Face Hub as many models carry the tag of PyTorch as that of TensorFlow ({when})"
    other = "TensorFlow" if ahead == "PyTorch" else "PyTorch"
    times = to_one(max(last["ratio"], 1 / last["ratio"])).removesuffix(" to 1")
    return f"On the Hugging Face Hub {times} models carry the tag of {ahead} for each one with {other}'s ({when})"


def _models_in_words(rows: pl.DataFrame) -> str:
    said = [
        f"{in_full(row['month'])}: {row['pytorch']:,.0f} with PyTorch's tag, {row['tensorflow']:,.0f} with TensorFlow's"
        for row in rows.iter_rows(named=True)
    ]
    return f"Models on the Hugging Face Hub. {'; '.join(said)}." if said else "No figures."


def exclusivity(rows: pl.DataFrame, credit: str) -> Figure:
    """Draw which models can be used with which framework, next to the shares that the article quoted."""
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
            order=alt.Order("part_order:Q"),
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
        .encode(x=alt.XValue(0), text=alt.Text("label:N")),
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
