"""A project of models in a folder: files of SQL with their documents, and what reading them says."""

from __future__ import annotations

from pathlib import Path

import pytest

from fw_pipeline.errors import PipelineError
from fw_pipeline.transform import MEASUREMENTS, Model, load

REGISTERED = frozenset({"raw.pypi", "raw.pypi_vintages", "detail.papers", "meta.months", MEASUREMENTS})

DOC = """
description: What it is.
grain: [month]
columns:
  month: {type: DATE, description: The month.}
expectations: []
examples:
  - {name: nothing in, given: {}, expect: []}
"""

CLAIM = """
claim:
  id: C2
  title: Twice
  quote: almost twice as many
  sources: [stackoverflow]
  kind: measured
  judged_by: its own chart
  definitions:
    - {formula: f, meaning: m, unit: ratio, rule: at least, threshold: 1.75, least_n: 30, headline: true,
       says: "{value} x", threshold_reason: r}
"""


def put(folder: Path, name: str, sql: str = "select month from raw.pypi", doc: str | None = DOC) -> None:
    """Write a model, and its document unless that is None."""
    path = folder / f"{name}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(sql, encoding="utf-8")
    if doc is not None:
        path.with_suffix(".yml").write_text(doc, encoding="utf-8")


def refused(folder: Path) -> str:
    with pytest.raises(PipelineError) as reason:
        load(folder, REGISTERED)
    line = str(reason.value)
    assert "\n" not in line
    return line


def one(folder: Path, sql: str, doc: str = DOC, name: str = "staging/x") -> Model:
    put(folder, name, sql, doc)
    return next(model for model in load(folder, REGISTERED) if model.name == name.replace("/", "."))
