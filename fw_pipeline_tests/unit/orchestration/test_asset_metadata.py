"""Tables as Dagster shows them: groups, tags, lineage, and rows that no name in the data can turn into markup."""

from __future__ import annotations

from graphlib import TopologicalSorter

import polars as pl
import pytest
from dagster import (
    Definitions,
)

from fw_pipeline.orchestration.asset_metadata import as_markdown, column_lineage, relation_key
from fw_pipeline.sources import SOURCES


def test_groups_flow_one_way_from_raw_to_published(location: Definitions) -> None:
    graph = location.resolve_asset_graph()
    groups: dict[str, set[str]] = {}
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        above = {graph.get(parent).group_name for parent in node.parent_keys} - {node.group_name}
        groups.setdefault(node.group_name, set()).update(above)
    order = list(TopologicalSorter(groups).static_order())  # raises where it is a circle
    assert order.index("raw") < order.index("staging") < order.index("marts") < order.index("claims")
    assert order.index("claims") < order.index("verdicts") < order.index("published")


def test_the_tag_source_finds_what_belongs_to_one_source(location: Definitions) -> None:
    graph = location.resolve_asset_graph()
    tagged: dict[str | None, set[str]] = {}
    for key in graph.get_all_asset_keys():
        tagged.setdefault(graph.get(key).tags.get("source"), set()).add(key.to_user_string())
    for source in SOURCES:
        assert {f"raw/{source}", f"staging/{source}"} <= tagged[source]
    assert {"marts/research_adoption", "staging/author_cohorts", "claims/c14_three_of_four_papers"} <= tagged["papers"]
    assert {"marts/pypi_adoption", "claims/c17_developed_ecosystem"} <= tagged["pypi"]
    assert {"marts/framework_metrics", "claims/c01_most_widespread", "marts/verdicts"} <= tagged["several"]
    assert "meta/events" in tagged[None]


@pytest.mark.parametrize(
    ("relation", "key"),
    [
        ("raw.pypi", ["raw", "pypi"]),
        ("raw.pypi_vintages", ["raw", "pypi"]),
        ("raw.papers_unpartitioned", ["raw", "papers"]),
        ("detail.papers", ["raw", "papers"]),
        ("detail.pypi_daily", ["raw", "pypi"]),
        ("marts.pypi_adoption", ["marts", "pypi_adoption"]),
    ],
)
def test_what_a_source_fills_is_made_by_its_one_asset(relation: str, key: list[str]) -> None:
    assert relation_key(relation) == key


def test_a_column_that_reads_a_relation_in_two_forms_depends_on_it_once() -> None:
    found = column_lineage({"n": (("raw.pypi", "downloads"), ("raw.pypi_vintages", "downloads"), ("meta.x", "m"))})
    told = [(dep.asset_key.to_user_string(), dep.column_name) for dep in found.deps_by_column["n"]]
    assert sorted(told) == [("meta/x", "m"), ("raw/pypi", "downloads")]


def test_no_cell_of_a_preview_can_be_taken_for_markup() -> None:
    shown = as_markdown(pl.DataFrame({"a": ["<b>|[x](y)", None], "b": [["p", "q"], []]}))
    lines = shown.splitlines()
    assert lines[:2] == ["| a | b |", "| --- | --- |"]
    assert [line.count("|") for line in lines] == [3] * 4
    assert not {"<", "[", "("} & set("".join(lines[2:]))
