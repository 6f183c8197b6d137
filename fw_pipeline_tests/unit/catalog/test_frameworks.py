"""The catalogue: every name that the figures carry is in it, and no family counts one installation twice."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.catalog import frameworks
from fw_pipeline.catalog.packages import ROLES
from fw_pipeline.sources import SOURCES

ROOT = Path(__file__).parents[3]
Rows = Callable[[], list[dict[str, Any]]]
NAMES = {it.name for it in frameworks.FRAMEWORKS}


def recorded_rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "data" / "recorded" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (frameworks.framework_rows, ["framework", "title", "released", "release_reference"]),
        (frameworks.package_rows, ["package", "framework", "role", "ecosystem", "counts_in_family", "reason"]),
        (frameworks.tag_rows, ["tagged", "framework", "role"]),
        (frameworks.hub_name_rows, ["name", "kind", "framework", "is_format"]),
        (frameworks.paper_framework_rows, ["name", "framework"]),
        (frameworks.population_rows, ["source", "population", "is_sample", "what"]),
    ],
)
def test_seed_rows_have_exactly_the_promised_columns(rows: Rows, columns: list[str]) -> None:
    assert rows()
    assert {tuple(row) for row in rows()} == {tuple(columns)}


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        (frameworks.framework_rows, ("framework",)),
        (frameworks.package_rows, ("package",)),
        (frameworks.tag_rows, ("tagged",)),
        (frameworks.hub_name_rows, ("kind", "name")),
        (frameworks.paper_framework_rows, ("name",)),
        (frameworks.population_rows, ("source", "population")),
    ],
)
def test_a_name_stands_for_one_thing_so_that_a_join_never_multiplies(rows: Rows, key: tuple[str, ...]) -> None:
    keys = [tuple(row[column] for column in key) for row in rows()]
    assert len(keys) == len(set(keys))


def test_every_name_points_to_a_framework_of_the_catalogue() -> None:
    rows = chain(
        frameworks.package_rows(),
        frameworks.tag_rows(),
        frameworks.hub_name_rows(),
        frameworks.paper_framework_rows(),
    )
    assert {row["framework"] for row in rows} - {None} <= NAMES


def test_every_recorded_name_is_in_the_catalogue() -> None:
    packages = {row["package"] for row in recorded_rows("pypi")}
    assert len(packages) == 68
    assert packages <= {it.name for it in frameworks.PACKAGES}
    assert {row["tagged"] for row in recorded_rows("stackoverflow")} <= {it.tagged for it in frameworks.TAGS} | {"*"}
    formats = {name for row in recorded_rows("huggingface") for name in row["formats"].split(";")} - {"", "[]"}
    assert formats == formats & {it.name for it in frameworks.HUB_NAMES if it.kind == "tag"}
    named = {name for row in recorded_rows("papers") for name in row["frameworks"].split(";")} - {"[]", "*"}
    assert named <= NAMES
    for source in ("huggingface", "papers"):
        known = {it.name for it in frameworks.POPULATIONS if it.source == source}
        assert {row["population"] for row in recorded_rows(source)} <= known


def test_every_role_of_a_package_is_explained() -> None:
    assert {it.role for it in frameworks.PACKAGES} == set(ROLES)
    assert all(it.reason.endswith(".") for it in frameworks.PACKAGES)


def test_only_the_framework_itself_counts_in_a_family() -> None:
    counted = {it.name: it for it in frameworks.PACKAGES if it.counts_in_family}
    assert {it.role for it in counted.values()} == {"core", "variant"}
    for pulled in ("jaxlib", "tensorflow-intel", "tensorflow-macos", "tensorflow-cpu-aws", "tf-keras", "pytorch"):
        assert pulled not in counted, f"{pulled} is the same installation as another package, or none"
    assert counted["keras"].framework == "keras"
    assert {it.name for it in counted.values() if it.framework == "jax"} == {"jax"}
    assert {it.name for it in counted.values() if it.framework == "pytorch"} == {"torch"}


def test_each_family_has_one_core_package() -> None:
    cores = [it.framework for it in frameworks.PACKAGES if it.role == "core"]
    assert len(cores) == len(set(cores))
    assert {it.framework for it in frameworks.PACKAGES} - {None} == set(cores)


def test_the_ecosystems_are_listed_by_one_rule() -> None:
    packages = {it.name: it for it in frameworks.PACKAGES}
    listed = [it for it in packages.values() if it.ecosystem]
    assert {it.role for it in listed} == {"ecosystem"}
    for kind in ("companion", "community"):
        assert {it.framework for it in listed if it.ecosystem == kind} == {"pytorch", "tensorflow"}
    for left_out in ("transformers", "lightning", "tensorboard", "tensorflow-estimator", "torch-model-archiver"):
        assert packages[left_out].ecosystem is None, left_out
    assert packages["pytorch-lightning"].ecosystem == "community"


def test_packages_named_by_the_claims_on_deployment_are_asked_for() -> None:
    roles = {it.name: it.role for it in frameworks.PACKAGES}
    for name in ("tensorflow-serving-api", "torchserve", "torch-model-archiver"):
        assert roles[name] == "serving"
    for name in ("tflite-runtime", "ai-edge-litert", "executorch"):
        assert roles[name] == "edge"
    for name in ("onnx", "onnxruntime"):
        assert roles[name] == "interchange"


def test_language_pairs_are_the_same_for_both_sides_and_fit_into_one_request() -> None:
    pairs = [it for it in frameworks.TAGS if ";" in it.tagged]
    assert {it.role for it in pairs} == {"language"}
    asked = {
        side: {it.tagged.split(";")[1] for it in pairs if it.framework == side} for side in ("tensorflow", "pytorch")
    }
    assert asked["tensorflow"] == asked["pytorch"] == set(frameworks.LANGUAGES)
    assert all(it.tagged.split(";")[0] == it.framework for it in pairs)


def test_core_tags_are_single_so_that_no_question_is_compared_with_itself() -> None:
    cores = [it for it in frameworks.TAGS if it.role == "core"]
    assert [{"torch": "lua-torch"}.get(it.tagged, it.tagged) for it in cores] == [it.framework for it in cores]
    assert {"tensorflow", "pytorch", "keras", "jax"} <= {it.tagged for it in cores}


def test_all_names_of_the_links_file_are_translated() -> None:
    translated = {row["name"]: row["framework"] for row in frameworks.paper_framework_rows()}
    assert set(translated) == {"tf", "pytorch", "mxnet", "torch", "caffe2", "jax", "paddle", "mindspore"}
    assert translated["tf"] == "tensorflow"
    assert translated["torch"] == "lua-torch", "a name that nobody takes for PyTorch, whose package is torch"


def test_a_file_format_is_never_taken_for_a_framework() -> None:
    shared = [it for it in frameworks.HUB_NAMES if it.name.lower() in {"safetensors", "onnx", "gguf"}]
    assert shared
    assert all(it.is_format and it.framework is None for it in shared)


def test_populations_belong_to_sources_that_have_them_and_samples_say_so() -> None:
    for it in frameworks.POPULATIONS:
        assert "population" in SOURCES[it.source].table.key
        assert it.what.startswith("A sample: ") == it.is_sample


def test_release_dates_agree_with_the_recorded_events() -> None:
    events = {(row["frameworks"], date.fromisoformat(row["day"])) for row in recorded_rows("events")}
    dated = [(it.name, it.released) for it in frameworks.FRAMEWORKS if it.released]
    assert dict(dated)["tensorflow"] == date(2015, 11, 9)
    assert set(dated) <= events
    assert all(bool(it.released) == bool(it.release_reference) for it in frameworks.FRAMEWORKS)


def test_the_catalogue_loads_without_any_installed_package() -> None:
    load = "import fw_pipeline.catalog.frameworks as it; print(len(it.PACKAGES))"
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {load}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert int(done.stdout) == len(frameworks.PACKAGES)
