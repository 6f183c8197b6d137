"""Colours: the same names in both schemes, with enough contrast."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from fw_pipeline.report import figure

SIGHT: Mapping[str, npt.ArrayLike] = {
    "full": np.eye(3),
    "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "no blue cones": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
"""What is seen of linear RGB, after Machado, Oliveira and Fernandes (2009), at full severity."""

TO_XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("scheme", [figure.LIGHT, figure.DARK], ids=["light", "dark"])
def test_lines_are_told_apart_with_any_sight(scheme: Mapping[str, str], sight: str) -> None:
    for names in (tuple(figure.TITLES), ("pypi", "stackoverflow", "papers")):
        seen = {name: _lab(scheme[name], SIGHT[sight]) for name in names}
        for one, other in combinations(names, 2):
            assert np.linalg.norm(seen[one] - seen[other]) > 10, (one, other)
    both = [_lab(scheme[name], SIGHT[sight]) for name in ("tensorflow", "pytorch")]
    assert np.linalg.norm(both[0] - both[1]) > 40


def test_both_schemes_have_the_same_colours_and_enough_contrast() -> None:
    assert figure.LIGHT.keys() == figure.DARK.keys()
    for scheme in (figure.LIGHT, figure.DARK):
        for name in (*figure.TITLES, "pypi", "stackoverflow", "papers", "ink", "soft", "link"):
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


def _lab(colour: str, sight: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return a colour as CIE L*a*b* (white of D65), as it is seen."""
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    xyz = np.array(TO_XYZ) @ np.clip(np.asarray(sight) @ linear, 0, 1) / [0.95047, 1, 1.08883]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
