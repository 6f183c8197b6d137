"""The page: one HTML file that needs nothing else, from no other place."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources

from fw_pipeline.report import verdicts, words
from fw_pipeline.report.figures import Figure, for_script
from fw_pipeline.report.palette import DARK, LIGHT, declarations
from fw_pipeline.report.verdicts import Card


def page(cards: Sequence[Card], figures: Sequence[Figure], pictures: Mapping[str, str], library: str) -> bytes:
    """Return the page.

    Args:
        cards: the claims.
        figures: the charts, in order.
        pictures: each chart as SVG, by name: what is seen before, or without, the script.
        library: Vega, Vega-Lite and Vega-Embed as one script.
    """
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only the page needs it

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    script = _file("page.js")
    style = f":root{{color-scheme:light dark;{declarations(LIGHT)}}}@media(prefers-color-scheme:dark){{:root{{{declarations(DARK)}}}}}{_file('page.css')}"
    payloads = [
        {
            "name": figure.name,
            "json": for_script({"spec": figure.spec, "csv": figure.csv, "parse": figure.parse, "sql": figure.sql}),
        }
        for figure in figures
    ]
    text = environment.from_string(_file("page.html")).render(
        policy=_policy(scripts=(library, script), style=style),
        style=style,
        script=script,
        library=library,
        words=words,
        claim_cards=cards,
        figures=figures,
        pictures=pictures,
        payloads=payloads,
        tallies={when: verdicts.tally(cards, when) for when in ("then", "now")},
        then_words=words.in_month(verdicts.THEN),
    )
    return text.encode()


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
