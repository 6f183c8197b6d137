"""The report of a full recorded run: what lies in its folder, and what the Dagster UI is given of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, AssetRecordsFilter, DagsterInstance
from lxml import etree

from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.relations import models

PICTURE = re.compile(r"^!\[Chart\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)\n\n(.+)$")

OF_MARTS = (
    "stackoverflow_comparison",
    "huggingface_exclusivity",
    "research_adoption",
    "pypi_adoption",
    "framework_metrics",
    "crossovers",
)


@pytest.fixture(scope="module")
def history(recorded_once: Path) -> Iterator[DagsterInstance]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(recorded_once / "dagster"))  # its dagster.yaml names the variable
        with DagsterInstance.get() as instance:
            yield instance


def chart_of(history: DagsterInstance, *key: str) -> str:
    """Return the latest chart that the UI shows with an asset."""
    found = history.fetch_observations(AssetRecordsFilter(AssetKey(list(key))), limit=1).records
    assert found, f"no chart of {'/'.join(key)}"
    observation: Any = found[0].asset_observation
    text: str = observation.metadata["chart"].value
    return text


@pytest.mark.parametrize("mart", OF_MARTS)
def test_a_comparison_shows_its_chart_in_the_dagster_ui(history: DagsterInstance, mart: str) -> None:
    assert_is_picture(chart_of(history, "marts", mart))


def test_every_measured_claim_shows_its_chart_in_the_dagster_ui(history: DagsterInstance, recorded_once: Path) -> None:
    valued = query(
        recorded_once / "warehouse.duckdb", "select distinct claim from marts.verdicts where value is not null"
    )
    measured = set(valued["claim"])
    assert len(measured) >= 18
    for model in models():
        if model.doc.claim and model.doc.claim.id in measured:
            assert_is_picture(chart_of(history, model.schema, model.table))


def assert_is_picture(markdown: str) -> None:
    found = PICTURE.match(markdown)
    assert found, markdown[:200]
    svg = etree.fromstring(base64.b64decode(found[1]))
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert svg.findtext("{http://www.w3.org/2000/svg}title")
    assert not re.search("[<>*_`|\\[]", found[2]), "words of the data are no markup"


def test_every_chart_lies_in_the_folder_as_picture_data_and_sql(recorded_once: Path) -> None:
    found = {path.name for path in (recorded_once / "report" / "charts").iterdir()}
    charts = {name.partition(".")[0] for name in found}
    assert len(charts) >= 23
    assert found == {f"{chart}.{kind}" for chart in charts for kind in ("svg", "png", "csv", "sql", "vl.json")}
