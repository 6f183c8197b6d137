"""Renders charts as pictures, and bundles the page's own copy of Vega. Nothing here uses the network."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape  # to write  # nosec B406

from fw_pipeline.report.charts.chart_style import FONT
from fw_pipeline.report.figure import Figure, token

WIDTH, MARGIN, HEAD, FOOT, LINE = 916, 28, 66, 34, 15
"""Sizes of an exported picture, in pixels: its width, the space around the chart on each side, a line of text."""

TITLE, TITLE_LINE, SMALL_PRINT = 80, 26, 140
"""Characters in a line of the title, pixels from one to the next, and characters in a line below the chart."""

COLUMN, NARROW = WIDTH - 2 * MARGIN, 358
"""Width of a chart on the page, at a desk and on a phone, in pixels."""

RENDERER = f"vl-convert-python {version('vl-convert-python')} {sha256(Path(__file__).read_bytes()).hexdigest()}"
"""What a picture depends on beside its specification: the library, and this module."""

LONG_DECIMALS = re.compile(r"(\.\d\d)\d+")
GEOMETRY = re.compile(r' (d|transform|x2|y2)="([^"]*)"')
NEEDLESS = (f' font-family="{FONT}"', ' pointer-events="none"', ' opacity="1"', ' aria-hidden="true"')
"""Attributes that Vega repeats on every mark although the picture's frame or the browser already defines them."""


Keep = Callable[[str, Callable[[], bytes]], bytes]
"""Returns what was made before from the text given, else makes it, and may keep it."""


def anew(_made_from: str, make: Callable[[], bytes]) -> bytes:
    """Make it, and keep nothing."""
    return make()


def bundle(keep: Keep = anew) -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script; making it takes a second and a half."""
    start = "window.vegaEmbed = vegaEmbed;"

    def make() -> bytes:
        import vl_convert  # noqa: PLC0415 - loads a JavaScript engine

        return str(vl_convert.javascript_bundle(start)).encode()

    return keep(f"{RENDERER} script {start}", make).decode()


def drawn(figure: Figure, width: int = COLUMN, keep: Keep = anew) -> str:
    """Return the chart as SVG of this width in pixels, with colours as tokens."""
    spec = figure.full_spec()
    spec["width"] = width
    text = json.dumps(_without_pointer(spec))

    def draw() -> bytes:
        import vl_convert  # noqa: PLC0415 - loads a JavaScript engine

        return _lean(vl_convert.vegalite_to_svg(text, allowed_base_urls=[])).encode()

    return keep(f"{RENDERER} svg {text}", draw).decode()


def framed(figure: Figure, svg: str) -> str:
    """Return the chart as a standalone picture, with its title, the axis title and the credit."""
    width, height = _size(svg)
    scale = COLUMN / width
    titles = textwrap.wrap(figure.title, TITLE)
    head = HEAD + TITLE_LINE * (len(titles) - 1)
    foot = head + height * scale
    events = [f"{event.number} {event.text}, {event.day[:7]}" for event in figure.events]
    lines = [*textwrap.wrap(" · ".join(events), SMALL_PRINT), *textwrap.wrap(figure.credit, SMALL_PRINT)]
    total = foot + FOOT + LINE * (len(lines) - 1)
    texts = [
        _text(MARGIN, 40 + TITLE_LINE * place, line, size=20, colour="ink", weight=600)
        for place, line in enumerate(titles)
    ]
    texts += [_text(MARGIN, foot + 18 + LINE * place, line, size=11, colour="soft") for place, line in enumerate(lines)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img"'
        f' width="{WIDTH}" height="{total:.0f}" viewBox="0 0 {WIDTH} {total:.0f}" font-family="{escape(FONT)}">'
        f"<title>{escape(figure.title)}</title><desc>{escape(figure.summary)}</desc>"
        f'<rect width="{WIDTH}" height="{total:.0f}" fill="{token("paper")}"/>'
        f'<g transform="translate({MARGIN},{head - 8}) scale({scale:.4f})">{svg}</g>{"".join(texts)}</svg>'
    )


def png(svg: str, *, scale: float, keep: Keep = anew) -> bytes:
    """Return a picture, whose tokens were replaced, as PNG."""

    def draw() -> bytes:
        import vl_convert  # noqa: PLC0415 - loads a JavaScript engine

        content: bytes = vl_convert.svg_to_png(svg, scale=scale)
        return content

    return keep(f"{RENDERER} png {scale} {svg}", draw)


def _lean(svg: str) -> str:
    """Remove invisible parts, a third of the bytes: pictures are stored in the page and in Dagster's history."""
    for needless in NEEDLESS:
        svg = svg.replace(needless, "")
    return GEOMETRY.sub(lambda found: f' {found[1]}="{LONG_DECIMALS.sub(lambda number: number[1], found[2])}"', svg)


def _size(svg: str) -> tuple[float, float]:
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert found is not None, "Vega writes a viewBox"
    return float(found[1]), float(found[2])


def _text(x: float, y: float, text: str, *, size: int, colour: str, weight: int = 400) -> str:
    style = f'font-size="{size}" font-weight="{weight}" fill="{token(colour)}"'
    return f'<text x="{x}" y="{y:.0f}" {style}>{escape(text)}</text>'


def _without_pointer(spec: dict[str, Any]) -> dict[str, Any]:
    """Remove the layer that responds to the pointer: a picture needs none, and it has a mark for every figure."""
    near = [param for param in spec["params"] if param["name"] == "near"]
    views = {view for param in near for view in param["views"]}
    return {
        **spec,
        "params": [param for param in spec["params"] if param not in near],
        "layer": [layer for layer in spec["layer"] if layer.get("name") not in views],
    }
