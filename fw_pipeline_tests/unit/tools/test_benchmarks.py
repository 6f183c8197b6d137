"""The benchmarks' own frame: others get the same models and the same pages, and unequal figures are told."""

from __future__ import annotations

import json
import re
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from fw_pipeline.definitions import load_models
from fw_pipeline_tests.tools.benchmarks import dbt_project, hub_server
from fw_pipeline_tests.tools.benchmarks.peer_comparisons import agreement

MODELS = 2500


@pytest.fixture(scope="module")
def project() -> dict[str, str]:
    return dbt_project.project(load_models())


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    lines = [json.dumps({"id": number}).encode() for number in range(MODELS)]
    with hub_server.server(lines) as serving:
        threading.Thread(target=serving.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def side(folder: Path, name: str, figures: object) -> Path:
    data = folder / name
    data.mkdir()
    (data / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
    return data


def test_dbt_gets_every_model_to_the_letter(project: dict[str, str]) -> None:
    for model in load_models():
        assert project[f"models/{model.schema}__{model.table}.sql"].endswith(f"\n{model.sql}")


def test_what_a_model_reads_is_a_model_of_the_project_or_no_model(project: dict[str, str]) -> None:
    files = {name.removeprefix("models/").removesuffix(".sql") for name in project if name.startswith("models/")}
    for model in load_models():
        named = set(re.findall(r"ref\('(\w+)'\)", project[f"models/{model.schema}__{model.table}.sql"]))
        assert named <= files
        assert {it for it in model.upstream if it.replace(".", "__") in files} == {
            it.replace("__", ".", 1) for it in named
        }


def test_every_column_that_is_never_null_is_tested_by_dbt(project: dict[str, str]) -> None:
    tested = {
        it["name"]: [column["name"] for column in it["columns"]]
        for it in json.loads(project["models/tests.yml"])["models"]
    }
    for model in load_models():
        filled = [name for name, column in model.doc.columns.items() if not column.nullable]
        assert tested[f"{model.schema}__{model.table}"] == filled


@pytest.mark.parametrize("direction", ["", "&direction=1"])
def test_the_hub_serves_every_model_once_from_either_end(hub: str, direction: str) -> None:
    found, following = [], f"{hub}/api/models?sort=createdAt{direction}"
    while following:
        with urllib.request.urlopen(following) as answer:
            found += [row["id"] for row in json.load(answer)]
            following = (answer.headers["Link"] or "").partition("<")[2].partition(">")[0]
    assert found == list(range(MODELS) if direction else reversed(range(MODELS)))


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"2023-01": 5}, "equal: every side has the same 1 figures"),
        ({"2023-01": 6}, "NOT EQUAL, so the ratios are worth nothing: one and other differ in 1; '2023-01': 5 and 6"),
        ({}, "NOT EQUAL, so the ratios are worth nothing: one and other differ in 1; '2023-01': 5 and None"),
    ],
)
def test_sides_that_found_other_figures_are_told(tmp_path: Path, others: object, said: str) -> None:
    sides = {"one": side(tmp_path, "one", {"2023-01": 5}), "other": side(tmp_path, "other", others)}
    assert agreement(sides) == said


def test_nothing_found_is_no_agreement(tmp_path: Path) -> None:
    assert agreement({"one": side(tmp_path, "one", {}), "other": side(tmp_path, "other", {})}).startswith("NOT EQUAL")
