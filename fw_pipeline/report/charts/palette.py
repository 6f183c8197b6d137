"""Colours and names of the frameworks, for charts and page alike.

A chart names a colour by its token, `var(--pytorch)`. On the page the token follows the reader's light or dark scheme;
in an exported chart `solid` replaces it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#fffdf9",
        "panel": "#f6f3ec",
        "ink": "#1d1b18",
        "soft": "#5e5850",
        "faint": "#767067",
        "hair": "#ddd7cb",
        "grid": "#e9e4da",
        "link": "#0b5394",
        "tensorflow": "#c2510b",
        "pytorch": "#0072b2",
        "keras": "#a84a84",
        "jax": "#007f5f",
        "pypi": "#26231f",
        "stackoverflow": "#8a6d00",
        "papers": "#7a3fa8",
        "present": "#8fa3ad",
        "partial": "#c9a227",
        "gap": "#b5452c",
    }
)
"""The light scheme. Every framework has a contrast of at least 4.5 to 1 with `paper`, in hues for the colour-blind."""

DARK: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#171614",
        "panel": "#211f1c",
        "ink": "#f1ede4",
        "soft": "#b9b2a5",
        "faint": "#98917f",
        "hair": "#3b3731",
        "grid": "#2e2b27",
        "link": "#8cc4ff",
        "tensorflow": "#ff9a52",
        "pytorch": "#5cb6f2",
        "keras": "#e79ac8",
        "jax": "#44cfa3",
        "pypi": "#f1ede4",
        "stackoverflow": "#e3c04b",
        "papers": "#c9a4f2",
        "present": "#6f8591",
        "partial": "#d9b44a",
        "gap": "#e2735a",
    }
)
"""The dark scheme, with the same tokens."""

TITLES: Mapping[str, str] = MappingProxyType(
    {"tensorflow": "TensorFlow", "pytorch": "PyTorch", "keras": "Keras", "jax": "JAX"}
)
"""The frameworks that are drawn, in the order of every legend."""


def token(name: str) -> str:
    """Return the colour `name` in the form that charts and the style sheet use."""
    return f"var(--{name})"


def solid(text: str, scheme: Mapping[str, str] = LIGHT) -> str:
    """Replace every token in `text` with its colour, for a file without a style sheet."""
    return re.sub(r"var\(--([a-z]+)\)", lambda found: scheme[found[1]], text)


def declarations(scheme: Mapping[str, str]) -> str:
    """Return the scheme as CSS custom properties."""
    return "".join(f"--{name}:{colour};" for name, colour in scheme.items())
