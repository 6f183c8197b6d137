"""The page: one self-contained HTML file; and for each chart a small page to embed.

Readers first see plain HTML and SVG. Vega and the figures of the charts are compressed at the end of the file, and are
unpacked when a reader touches a chart.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from importlib import resources
from itertools import groupby
from typing import Any

from fw_pipeline.report import claim_cards, formatting
from fw_pipeline.report.answer import Answer
from fw_pipeline.report.claim_cards import Card
from fw_pipeline.report.figure import DARK, LIGHT, Figure, declarations
from fw_pipeline.report.page_tables import STATUSES, Strip


@dataclass(frozen=True, slots=True)
class Beyond:
    """The section on what goes beyond the article."""

    figures: Sequence[Figure]
    weights: Sequence[Mapping[str, str]]
    """The weights of the composites."""
    predictions: Sequence[Mapping[str, str]]
    """What was forecast in January 2023, and the actual figures."""
    errors: Sequence[Mapping[str, str]]
    """How wrong the forecasts were."""


@dataclass(frozen=True, slots=True)
class Method:
    """The section on how everything was measured."""

    sources: Sequence[Mapping[str, str]]
    """What each source counts, and what it cannot see."""
    troubles: Mapping[str, Sequence[Mapping[str, str]]]
    """Known breaks of the series (`break`), and the `other` trouble."""
    glossary: Sequence[Mapping[str, str]]
    """Plain names of the series."""
    crossings: Sequence[Mapping[str, str]]
    reconciled: Sequence[Mapping[str, str]]
    strips: Sequence[Strip]
    origins: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that the page shows."""

    answer: Answer
    figures: Sequence[Figure]
    """The chart of the first screen, and then those of the findings."""
    cards: Sequence[Card]
    claim_figures: Mapping[str, Figure | None]
    """The chart of each claim, by claim; None if nothing was measured."""
    beyond: Beyond
    method: Method
    measures: Mapping[str, str]
    """The SQL that measures each claim, by claim."""
    pictures: Mapping[str, str]
    """Every chart as SVG, by name: shown until the script draws it, or without the script."""
    narrow: Mapping[str, str]
    """The charts of the findings as SVG for a phone."""
    months: Sequence[date]
    """Every as-of month for which the verdicts can be replayed."""

    @property
    def drawn(self) -> Sequence[Figure]:
        """Every chart of the page."""
        claims = (figure for figure in self.claim_figures.values() if figure is not None)
        return (*self.figures, *self.beyond.figures, *claims)


def page(content: Content, library: str) -> bytes:
    """Return the page.

    Args:
        content: what it shows.
        library: Vega, Vega-Lite and Vega-Embed as one script.
    """
    script, style = _file("page.js"), _style("page.css")
    untold = [card for card in content.cards if not card.is_told]
    text = _rendered(
        "page.html",
        policy=_policy(scripts=(script, library), style=style),
        style=style,
        script=script,
        library=_packed(library),
        payloads=_packed(json.dumps({figure.name: _payload(figure) for figure in content.drawn}, default=str)),
        words=formatting,
        statuses=STATUSES,
        told=[card for card in content.cards if card.is_told],
        untold={lacking: list(found) for lacking, found in groupby(sorted(untold, key=_by_lack), key=_by_lack)},
        old=[card for card in content.cards if card.is_old],
        tallies={when: claim_cards.tally(content.cards, when) for when in ("then", "now")},
        changes={
            title.format(then=formatting.in_month(claim_cards.THEN)): [
                card for card in content.cards if card.change == change
            ]
            for change, title in claim_cards.CHANGES.items()
        },
        agreeing=sum(row["agrees"] == "agrees" for row in content.method.reconciled),
        then=claim_cards.THEN,
        then_words=formatting.in_month(claim_cards.THEN),
        now_words=formatting.in_month(content.months[-1]),
        **{field.name: getattr(content, field.name) for field in fields(content)},
    )
    return text.encode()


def embedded(figure: Figure, wide: str, narrow: str | None) -> bytes:
    """Return the small page that embeds one chart in another site.

    Args:
        figure: the chart.
        wide: it, as SVG.
        narrow: it, as SVG for a phone, if it was drawn so.
    """
    style = _style("embed.css")
    policy = _policy(scripts=(), style=style)
    return _rendered("embed.html", policy=policy, style=style, figure=figure, wide=wide, narrow=narrow).encode()


def _by_lack(card: Card) -> str:
    return card.lacking


def _rendered(name: str, **given: Any) -> str:
    return str(_templates().get_template(name).render(**given))


@functools.cache
def _templates() -> Any:
    """Return the templates, each of which is compiled once."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 - only the page needs it

    return Environment(
        loader=FunctionLoader(_file), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _payload(figure: Figure) -> dict[str, object]:
    return {"spec": figure.spec, "csv": figure.csv, "parse": figure.parse, "sql": figure.sql}


def _packed(text: str) -> str:
    """Compress a text so that the page can contain it without the browser parsing it until it is needed."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _style(name: str) -> str:
    schemes = (
        f":root{{color-scheme:light dark;{declarations(LIGHT)}}}",
        f"@media screen and (prefers-color-scheme:dark){{:root{{{declarations(DARK)}}}}}",
    )
    return "".join((*schemes, _file(name)))


def _policy(*, scripts: Sequence[str], style: str) -> str:
    """Allow exactly these scripts and this style sheet, and nothing from elsewhere.

    Vega sets style attributes on what it draws, so attributes are allowed; they cannot load anything.
    """
    hashes = " ".join(_hash(script) for script in scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {hashes}; style-src-elem {_hash(style)}; style-src-attr 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _file(name: str) -> str:
    return resources.files("fw_pipeline.report").joinpath(name).read_text(encoding="utf-8")
