"""The catalogue: every name that the figures carry is in it, and no family counts one installation twice."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.catalog import frameworks
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform.seeds import seeds

ROOT = Path(__file__).parents[3]
NAMES = {it.name for it in frameworks.FRAMEWORKS}
CATALOGUE: Mapping[str, Sequence[Any]] = {
    "frameworks": frameworks.FRAMEWORKS,
    "packages": frameworks.PACKAGES,
    "tags": frameworks.TAGS,
    "hub_names": frameworks.HUB_NAMES,
    "paper_frameworks": frameworks.PAPER_NAMES,
    "populations": frameworks.POPULATIONS,
}


def recorded_rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "data" / "recorded" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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


def test_the_tables_of_the_catalogue_have_the_columns_and_rows_that_the_code_reads(tmp_path: Path) -> None:
    known = Pipeline({}, (), given=read({"FW_DATA_DIR": str(tmp_path)}, dotenv=tmp_path / "none"))
    tables = {
        seed.name: seed.frame(replace(known, sources=SOURCES)).rows() for seed in seeds() if seed.name in CATALOGUE
    }
    for name, items in CATALOGUE.items():
        read_by_code = [tuple(list(it) if isinstance(it, tuple) else it for it in astuple(item)) for item in items]
        assert tables[name] == read_by_code, name


def test_every_role_of_a_package_is_explained() -> None:
    (packages,) = [seed for seed in seeds() if seed.name == "packages"]
    described = packages.document.columns["role"].description
    assert all(f"{role} (" in described for role in {it.role for it in frameworks.PACKAGES})
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
    translated = {it.name: it.framework for it in frameworks.PAPER_NAMES}
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


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("packages", "torch,pytorch,core,", "torch,pytorch,kernel,", "role is 'kernel', not one of: core, dependency"),
        (
            "packages",
            "torch,pytorch,core,",
            "torch,pytorhc,core,",
            "framework is 'pytorhc', not one of: caffe2, ",
        ),
        ("packages", "torch,pytorch,core,,true", "torch,pytorch,core,,yes", "counts_in_family is 'yes', which is not"),
        ("packages", "torchvision,pytorch", "torch,pytorch", "(torch) is in line 43 already"),
        ("frameworks", "2015-11-09", "9 Nov 2015", "released is '9 Nov 2015', which is not a date"),
        ("hub_names", "jax,tag,", "jax,label,", "kind is 'label', not one of: library, tag"),
        ("tags", "keras,keras,core", ",keras,core", "tagged is empty"),
        ("populations", "hub,false", "hub", "has not as many cells as the header, 6"),
    ],
)
def test_a_bad_line_of_the_catalogue_is_told_with_its_file_and_number(
    tmp_path: Path, file: str, old: str, new: str, said: str
) -> None:
    shutil.copytree(ROOT / "fw_pipeline", tmp_path / "fw_pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "dbt_like_sql" / "seeds", tmp_path / "dbt_like_sql" / "seeds")
    path = tmp_path / "dbt_like_sql" / "seeds" / f"{file}.csv"
    text = path.read_text(encoding="utf-8")
    at = text.index(old)
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    done = loaded(tmp_path)
    last = done.stderr.splitlines()[-1]
    assert f"seeds/{file}.csv line {text[:at].count(chr(10)) + 1}: {said}" in last
    assert last.endswith("; correct the line, or restore the file from the repository")


def test_the_catalogue_loads_without_any_installed_package() -> None:
    done = loaded(ROOT)
    assert done.stderr == ""
    assert int(done.stdout) == len(frameworks.PACKAGES)


def loaded(folder: Path) -> subprocess.CompletedProcess[str]:
    load = "import fw_pipeline.catalog.frameworks as it; print(len(it.PACKAGES))"
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); {load}"
    return subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
