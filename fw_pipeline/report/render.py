"""Charts as pictures, and the page's own copy of Vega. Nothing here asks the network for anything."""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any
from xml.sax.saxutils import escape

from fw_pipeline.report.figures import Figure
from fw_pipeline.report.palette import token

WIDTH, MARGIN, HEAD, FOOT = 820, 28, 66, 34
"""Of an exported picture, in pixels: its width, the space at the sides, above and below the chart."""


def bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script."""
    import vl_convert  # noqa: PLC0415 - loads a JavaScript engine

    script: str = vl_convert.javascript_bundle()
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def drawn(figure: Figure) -> str:
    """Return the chart as SVG, its colours still tokens."""
    import vl_convert  # noqa: PLC0415 - loads a JavaScript engine

    spec = figure.full_spec()
    spec["width"] = WIDTH - 2 * MARGIN
    spec = _without_pointer(spec)
    svg: str = vl_convert.vegalite_to_svg(json.dumps(spec), allowed_base_urls=[])
    return svg


def framed(figure: Figure, svg: str) -> str:
    """Return the chart as a picture that stands alone: with its title, what the axis shows, and who counted."""
    width, height = _size(svg)
    scale = (WIDTH - 2 * MARGIN) / width
    foot = HEAD + height * scale
    events = [f"{event.number} {event.text}, {event.day[:7]}" for event in figure.events]
    lines = [*textwrap.wrap(" · ".join(events), 130), figure.credit]
    total = foot + FOOT + 15 * (len(lines) - 1)
    font = "font-family=\"system-ui, 'Liberation Sans', 'DejaVu Sans', sans-serif\""
    texts = "".join(
        f'<text x="{MARGIN}" y="{foot + 18 + 15 * place:.0f}" font-size="11" fill="{token("soft")}">{escape(line)}</text>'
        for place, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{WIDTH}" '
        f'height="{total:.0f}" viewBox="0 0 {WIDTH} {total:.0f}" role="img" aria-label="{_attribute(figure.title)}" {font}>'
        f"<title>{escape(figure.title)}</title><desc>{escape(figure.summary)}</desc>"
        f'<rect width="{WIDTH}" height="{total:.0f}" fill="{token("paper")}"/>'
        f'<text x="{MARGIN}" y="40" font-size="20" font-weight="600" fill="{token("ink")}">{escape(figure.title)}</text>'
        f'<g transform="translate({MARGIN},{HEAD - 8}) scale({scale:.4f})">{svg}</g>{texts}</svg>'
    )


def png(svg: str, *, scale: float = 1.5) -> bytes:
    """Return a picture without tokens as PNG."""
    import vl_convert  # noqa: PLC0415 - loads a JavaScript engine

    content: bytes = vl_convert.svg_to_png(svg, scale=scale)
    return content


def _size(svg: str) -> tuple[float, float]:
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert found is not None, "Vega writes a viewBox"
    return float(found[1]), float(found[2])


def _attribute(text: str) -> str:
    return escape(text, {'"': "&quot;"})


def _without_pointer(spec: dict[str, Any]) -> dict[str, Any]:
    """Leave out the layer that only answers a pointer: a picture has none, and the layer has a mark for every figure."""
    near = [param for param in spec["params"] if param["name"] == "near"]
    views = {view for param in near for view in param["views"]}
    return {
        **spec,
        "params": [param for param in spec["params"] if param not in near],
        "layer": [layer for layer in spec["layer"] if layer.get("name") not in views],
    }
