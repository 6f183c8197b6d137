"""What `deploy/cluster/kubernetes/` says fits this project and the launcher of `dagster-k8s`; no cluster is here."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._config import process_config, resolve_to_config_type

from fw_pipeline.orchestration.runs import LOCATION
from fw_pipeline.settings import OWN
from fw_pipeline.sources import SOURCES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "cluster" / "kubernetes"
LAUNCHER_OPTIONS = {
    "imagePullPolicy": "image_pull_policy",
    "loadInclusterConfig": "load_incluster_config",
    "envSecrets": "env_secrets",
    "envVars": "env_vars",
    "volumes": "volumes",
    "volumeMounts": "volume_mounts",
    "resources": "resources",
}
"""The launcher's option by its name in the chart."""


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "values.yaml").read_text(encoding="utf-8"))
    return found


def test_the_launcher_takes_the_values_and_each_run_has_a_work_folder_of_its_own(values: dict[str, Any]) -> None:
    given = values["runLauncher"]["config"]["k8sRunLauncher"]
    assert given.keys() == LAUNCHER_OPTIONS.keys()
    config = {LAUNCHER_OPTIONS[name]: value for name, value in given.items()}
    config["env_secrets"] = [secret["name"] for secret in given["envSecrets"]]  # as the chart's template writes them
    config |= {"service_account_name": "dagster", "instance_config_map": "dagster-instance", "dagster_home": "/opt"}
    from dagster_k8s import K8sRunLauncher  # noqa: PLC0415 - it changes how urllib3 logs, in every test of the process

    options = resolve_to_config_type(K8sRunLauncher.config_type())  # type: ignore[no-untyped-call]
    done = process_config(options, config)
    assert done.success, done.errors
    [mount] = given["volumeMounts"]
    assert given["envVars"] == [f"FW_WORK_DIR={mount['mountPath']}"]
    assert [volume["name"] for volume in given["volumes"]] == [mount["name"]]


def test_runs_and_schedules_are_known_by_the_name_of_the_code_location(values: dict[str, Any]) -> None:
    [deployment] = values["dagster-user-deployments"]["deployments"]
    [server] = values["dagsterWebserver"]["workspace"]["servers"]
    assert server == {"host": deployment["name"], "port": deployment["port"], "name": LOCATION}
    assert deployment["dagsterApiGrpcArgs"] == ["--module-name", "fw_pipeline.definitions"]


def test_the_chart_is_that_of_the_library_and_a_service_is_asked_by_one_run_at_a_time(values: dict[str, Any]) -> None:
    said = re.findall(r"--version (\S+)", (FOLDER / "values.yaml").read_text(encoding="utf-8"))
    assert said == [version("dagster")]
    assert values["concurrency"]["pools"] == {"granularity": "run", "defaultLimit": 1}
    assert values["concurrency"]["runs"]["maxConcurrentRuns"] == len(SOURCES)


def test_what_the_image_is_made_of_is_there_and_nothing_else_is_sent() -> None:
    allowed = [line[1:] for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"]
    assert [name for name in allowed if not (ROOT / name).exists()] == []
    copied = re.findall(r"^COPY (?!--from)(\S+)", (FOLDER / "Dockerfile").read_text(), re.MULTILINE)
    assert copied == [".", "requirements-cluster.lock"]
    assert "data/recorded" in allowed
    assert not {"data", ".env"} & {*allowed}


def test_the_secret_that_the_guide_makes_sets_what_there_is_to_set(values: dict[str, Any]) -> None:
    guide = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    named = set(re.findall(r"--from-literal=([\w-]+)=", guide))
    assert {name for name in named if name.startswith("FW_")} <= OWN
    assert {"FW_LOCKS", "FW_DATA_DIR", "postgresql-password"} <= named
    [secret] = {values["global"]["postgresqlSecretName"]} | {
        it["name"] for it in values["dagster-user-deployments"]["deployments"][0]["envSecrets"]
    }
    assert f"create secret generic {secret} " in guide
