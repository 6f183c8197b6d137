"""The files in which somebody wrote down a preference: what is wrong in them is refused, with its line."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from fw_pipeline.catalog.frameworks import POPULATIONS
from fw_pipeline.errors import PipelineError
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform.preferences import composite_weights, headline_series
from fw_pipeline_tests.support.relations import FOLDER


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (',1,3,2,"Every', ',heavy,3,2,"Every', "line 2: a weight or a number of months is none"),
        (',1,3,2,"Every', ',-1,3,2,"Every', "line 2: the weight -1 is below zero"),
        (',1,3,2,"Every', ',nan,3,2,"Every', "line 2: the weight nan is below zero or endless"),
        (',1,3,2,"Every', ',1,3,4,"Every', "line 2: 4 months of a window of 3 cannot be asked for"),
        ("three sources,stackoverflow", "three sources,reddit", "'reddit' is no source"),
        ("three sources,stackoverflow", "three sources,pypi", "pypi stands twice"),
        ("composite,source", "composite,origin", "its columns are not"),
        ("three sources,stackoverflow,", "three sources,", "it has no value for one of"),
    ],
)
def test_wrong_weights_are_refused_with_their_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    (tmp_path / "meta").mkdir()
    text = (FOLDER / "meta" / "composite_weights.csv").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "meta" / "composite_weights.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PipelineError, match=said):
        composite_weights(tmp_path)


def test_a_composite_without_any_weight_is_refused(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    with (tmp_path / "meta" / "composite_weights.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ("composite", "source", "metric", "definition", "weight", "window_months", "least_months", "reason")
        )
        writer.writerow(("c", "pypi", "m", "d", "0", "3", "2", "why not"))
    with pytest.raises(PipelineError, match="no weight at all"):
        composite_weights(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("source,rank", "source,place", "its columns are not"),
        ("pypi,2,", "pypi,second,", "the rank 'second' is no whole number from 1 on"),
        ("pypi,2,", "pypi,0,", "the rank '0' is no whole number from 1 on"),
        ("pypi,2,", "pypi,1,", "rank 1 stands twice for pypi"),
        ("StarScout, all", "clickpy, all", "definition 'downloads per day of the package, clickpy, all' stands twice"),
        ("pypi,2,", "conda,2,", "'conda' is no source"),
        ("pypi,2,", "pypi,,", "it has no value for one of"),
    ],
)
def test_a_wrong_choice_of_the_headline_is_refused_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    (tmp_path / "meta").mkdir()
    text = (FOLDER / "meta" / "headline_series.csv").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "meta" / "headline_series.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PipelineError, match=said):
        headline_series(tmp_path)


def test_every_provider_and_population_that_counts_all_there_is_has_a_rank_and_no_sample_has_one() -> None:
    ranked = {row["definition"] for row in headline_series(FOLDER)}
    providers = SOURCES["stackoverflow"].providers
    assert {f"questions in the month, {name}" for name in providers} <= ranked
    assert {f"models by tag, created in the month, hub{of}" for of in ("", ", parquet")} <= ranked
    papers = [it for it in POPULATIONS if it.source == "papers"]
    assert {f"papers in the month, {it.name}" for it in papers if not it.is_sample} <= ranked
    assert not any(definition.endswith(it.name) for it in POPULATIONS if it.is_sample for definition in ranked)
