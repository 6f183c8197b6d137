"""The question of the page and its answer, in plain sentences made from the figures."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fw_pipeline.report.glance import glance


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reader came for."""

    question: str
    sentences: tuple[str, ...]


def answer(ratios: pl.DataFrame) -> Answer:
    """Return the answer, from how much PyTorch there is for each TensorFlow."""
    return Answer("Is TensorFlow for Python dying a slow death?", (glance(ratios).said,))
