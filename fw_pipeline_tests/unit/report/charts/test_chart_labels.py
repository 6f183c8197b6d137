"""Labels in a chart touch no line and no other label, at any width."""

from __future__ import annotations

from itertools import combinations, pairwise

from fw_pipeline.report.charts.chart_labels import NARROW, SMALL, Label, places


def test_a_label_touches_no_line_and_no_other_label_at_any_width_of_its_band() -> None:
    lines: list[list[tuple[float, float]]] = [
        [(0.1 * step, 330 - 25 * step + 30 * (step % 2)) for step in range(11)],
        [(0.0, 150.0), (1.0, 150.0)],
        [(0.6, 0.0), (0.6, 380.0)],
    ]
    labels = [
        Label(("Downloads", "4.3 to 1"), lines[0][-1], NARROW, line=14),
        Label(("Questions", "level"), (0.6, 150.0), NARROW, line=14),
        Label(("more",), (0.0, 150.0), SMALL, along="above"),
        Label(("the article",), (0.6, 374.0), SMALL, along="upright"),
        Label(("a" * 60,), (0.5, 150.0)),
    ]
    found = places(labels, lines, widths=(300, 320, 340), height=380)
    assert found[-1] is None, "what has no room is left out"
    for width in range(300, 341, 5):
        boxes = []
        for label, place in zip(labels, found[:-1], strict=False):
            assert place is not None
            left, top = label.at[0] * width + place.dx, label.at[1] + place.dy
            boxes.append((left, top, left + label.size[0], top + label.size[1]))
        for left, top, right, bottom in boxes:
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= 380
            for line in lines:
                for (x, y), (until_x, until_y) in pairwise(line):
                    for step in range(401):
                        at = (x + (until_x - x) * step / 400) * width, y + (until_y - y) * step / 400
                        assert not (left < at[0] < right and top < at[1] < bottom), (width, line)
        for one_box, other in combinations(boxes, 2):
            apart = one_box[2] <= other[0] or other[2] <= one_box[0]
            assert apart or one_box[3] <= other[1] or other[3] <= one_box[1]
