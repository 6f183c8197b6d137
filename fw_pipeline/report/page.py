"""The page: one HTML file that needs nothing else, from no other place."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from importlib import resources

from fw_pipeline.report import verdicts, words
from fw_pipeline.report.answer import Answer
from fw_pipeline.report.figures import Figure, for_script
from fw_pipeline.report.glance import Glance
from fw_pipeline.report.palette import DARK, LIGHT, declarations
from fw_pipeline.report.tables import STATUSES, Strip
from fw_pipeline.report.verdicts import Card


@dataclass(frozen=True, slots=True)
class Beyond:
    """The section on what goes beyond the article."""

    figures: Sequence[Figure]
    weights: Sequence[Mapping[str, str]]
    """What weighs how much in the composites."""
    predictions: Sequence[Mapping[str, str]]
    """What was forecast in January 2023, and what came."""
    errors: Sequence[Mapping[str, str]]
    """How wrong the forecasts were."""


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that the page shows."""

    answer: Answer
    cards: Sequence[Card]
    figures: Sequence[Figure]
    pictures: Mapping[str, str]
    """Each of `figures` and those in `beyond` as SVG, by name: what is seen before the script draws, or without it."""
    claim_figures: Mapping[str, Figure | None]
    """The chart of each claim, by claim; None where nothing was measured."""
    beyond: Beyond
    measures: Mapping[str, str]
    """The SQL that measures each claim, by claim."""
    glance: Glance
    crossings: Sequence[Mapping[str, str]]
    reconciled: Sequence[Mapping[str, str]]
    rests_on: str
    """Which sources the page rests on, and which have no figures."""
    strips: Sequence[Strip]
    origins: Sequence[Mapping[str, str]]
    months: Sequence[date]
    """Every month that the verdicts can be replayed as of."""


def page(content: Content, library: str) -> bytes:
    """Return the page.

    Args:
        content: what it shows.
        library: Vega, Vega-Lite and Vega-Embed as one script.
    """
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only the page needs it

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    script = _file("page.js")
    style = "".join(
        (
            f":root{{color-scheme:light dark;{declarations(LIGHT)}}}",
            f"@media screen and (prefers-color-scheme:dark){{:root{{{declarations(DARK)}}}}}",
            _file("page.css"),
        )
    )
    drawn = [
        *content.figures,
        *content.beyond.figures,
        *(figure for figure in content.claim_figures.values() if figure is not None),
    ]
    text = environment.from_string(_file("page.html")).render(
        policy=_policy(scripts=(library, script), style=style),
        style=style,
        script=script,
        library=library,
        words=words,
        statuses=STATUSES,
        payloads=[{"name": figure.name, "json": for_script(_payload(figure))} for figure in drawn],
        tallies={when: verdicts.tally(content.cards, when) for when in ("then", "now")},
        changes={
            title.format(then=words.in_month(verdicts.THEN)): [card for card in content.cards if card.change == change]
            for change, title in verdicts.CHANGES.items()
        },
        agreeing=sum(row["agrees"] == "agrees" for row in content.reconciled),
        then=verdicts.THEN,
        then_words=words.in_month(verdicts.THEN),
        now_words=words.in_month(content.months[-1]),
        **{field.name: getattr(content, field.name) for field in fields(content)},
    )
    return text.encode()


def _payload(figure: Figure) -> dict[str, object]:
    return {"spec": figure.spec, "csv": figure.csv, "parse": figure.parse, "sql": figure.sql}


def _policy(*, scripts: Sequence[str], style: str) -> str:
    """Allow these very scripts and this very style sheet, and nothing from anywhere.

    Vega sets the style attributes of what it draws, so attributes are allowed; they can load nothing.
    """
    hashes = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src-elem {_hash(style)}; style-src-attr 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _file(name: str) -> str:
    return resources.files("fw_pipeline.report").joinpath(name).read_text(encoding="utf-8")
