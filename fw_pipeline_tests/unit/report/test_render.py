"""A chart as a picture: framed with its title, events and credit, without what no eye sees, and safe as text."""

from __future__ import annotations

import polars as pl
from lxml import etree

from fw_pipeline.report.figure import Event, Figure, solid
from fw_pipeline.report.render import COLUMN, NARROW, WIDTH, drawn, framed

SVG = "{http://www.w3.org/2000/svg}"
FIGURE = Figure(
    name="x",
    title="A <title> & its end " + "that is long " * 8,
    lead="",
    summary="What <is> seen.",
    spec={
        "params": [{"name": "near", "select": "point", "views": ["pointed"]}],
        "layer": [
            {"mark": "line", "encoding": {"x": {"field": "n", "type": "quantitative"}}},
            {"name": "pointed", "mark": "point", "encoding": {"x": {"field": "n", "type": "quantitative"}}},
        ],
        "height": 100,
        "autosize": {"type": "fit-x", "contains": "padding"},
    },
    rows=pl.DataFrame({"n": [1, 2]}),
    sql="",
    credit="Figures: <somebody>",
    events=(Event(1, "2020-01-05", "An & event", "x"),),
)


def test_a_picture_has_its_whole_title_its_events_and_its_credit_as_text() -> None:
    root = etree.fromstring(solid(framed(FIGURE, f'<svg viewBox="0 0 {COLUMN} 100"/>')).encode())
    assert root.findtext(f"{SVG}title") == FIGURE.title
    assert root.findtext(f"{SVG}desc") == FIGURE.summary
    told = [text.text for text in root.findall(f"{SVG}text")]
    assert " ".join(told[:2]) == FIGURE.title.strip()
    assert told[2:] == ["1 An & event, 2020-01", "Figures: <somebody>"]
    assert root.get("width") == str(WIDTH)
    assert "var(--" not in etree.tostring(root).decode(), "a file has no style sheet to look colours up in"


def test_a_chart_is_drawn_at_the_width_asked_for_without_what_responds_to_the_pointer() -> None:
    for width in (COLUMN, NARROW):
        svg = drawn(FIGURE, width)
        assert etree.fromstring(svg.encode()).get("viewBox").split()[2] == str(width)
        assert "mark-line" in svg
        assert "mark-symbol" not in svg
