"""C15 on a live archive: fetched over loopback, measured by the SQL, and counted again from the papers themselves."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from fw_pipeline.definitions import load_models
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform.seeds import seeds
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.papers_live import NOW, Desk

BASE = 2022
LAST = date(2023, 6, 1)
CODE = {"pytorch": "pytorch", "tf": "tensorflow"}


def cohort(services: FakeServices, base: str) -> dict[str, set[str]]:
    """The frameworks that each author of one framework alone in the base year used later, from the papers."""
    then: dict[str, set[str]] = {}
    later: dict[str, set[str]] = {}
    for paper in services.world.papers():
        used = {CODE[it["framework"]] for it in paper["repositories"] if it["framework"] in CODE}
        if used and paper["date"]:
            year = then if date.fromisoformat(paper["date"]).year == BASE else later
            for author in paper["authors"]:
                year.setdefault(author.lower(), set()).update(used)
    return {author: later[author] for author, used in then.items() if used == {base} and author in later}


def test_the_cohort_of_any_base_year_is_that_of_the_papers(tmp_path: Path, services: FakeServices) -> None:
    services.world.paper_count = 260
    desk = Desk(tmp_path, services, "archive")
    assert not desk.run("2022-01", "2023-07").failures
    settings = read({"FW_DATA_DIR": str(tmp_path / "data")}, dotenv=Path("none"))
    models = {model.name: model for model in load_models()}
    pipeline = Pipeline(SOURCES, tuple(models.values()), given=settings, clock=lambda: NOW)
    with pipeline.writing() as writer:
        for seed in seeds():
            writer.seed(f"meta.{seed.name}", seed.frame(pipeline), description=seed.description, columns=seed.words)
        writer.load_raw("papers")
        for name in ("staging.author_cohorts", "claims.c15_researchers_migrated"):
            writer.build(name, models[name].sql, description="", columns={})
        found = {
            row[0]: row[1:]
            for row in writer.frame(
                "select formula, value, n, cannot_decide from claims.c15_researchers_migrated "
                f"where as_of = date '{LAST}' and series = '{BASE} in papers with code'"
            ).rows()
        }
    tensorflow, pytorch = cohort(services, "tensorflow"), cohort(services, "pytorch")
    assert len(tensorflow) > 5
    alone = sum(used == {"pytorch"} for used in tensorflow.values())
    both = sum(used == {"pytorch", "tensorflow"} for used in tensorflow.values())
    stayed = sum(used == {"pytorch"} for used in pytorch.values())
    assert 0 < alone < alone + both
    assert found == {
        "moved to pytorch alone after another year": (pytest.approx(alone / len(tensorflow)), len(tensorflow), None),
        "moved to pytorch alone or beside tensorflow after another year": (
            pytest.approx((alone + both) / len(tensorflow)),
            len(tensorflow),
            None,
        ),
        "pytorch authors who stayed after another year": (pytest.approx(stayed / len(pytorch)), len(pytorch), None),
    }
