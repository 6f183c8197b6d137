"""Colours: the same names in both schemes, with enough contrast."""

from __future__ import annotations

from fw_pipeline.report.charts import palette


def test_both_schemes_have_the_same_colours_and_enough_contrast() -> None:
    assert palette.LIGHT.keys() == palette.DARK.keys()
    for scheme in (palette.LIGHT, palette.DARK):
        for name in (*palette.TITLES, "pypi", "stackoverflow", "papers", "ink", "soft", "link"):
            assert _contrast(scheme[name], scheme["paper"]) >= 4.5, name
        assert min(_contrast(scheme[name], scheme["panel"]) for name in ("ink", "soft")) >= 4.5
        assert _contrast(scheme["faint"], scheme["paper"]) >= 3


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
