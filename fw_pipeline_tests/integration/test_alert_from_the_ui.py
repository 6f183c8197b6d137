"""A run that somebody launches in the UI fails, and the webhook is told: the whole way, with nothing stood in for."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from fw_pipeline_tests.support.dagster_ui import Ui
from fw_pipeline_tests.support.loopback_alerts import hook

STATUS = "query status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


@pytest.mark.long
def test_a_job_that_is_launched_in_the_ui_and_fails_is_told_of_by_webhook(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:  # a port where nobody answers once it is closed
        port = nobody.getsockname()[1]
    settings = {"FW_PROVIDERS": "pypi=pypistats", "FW_PYPISTATS_URL": f"http://127.0.0.1:{port}"}
    with hook() as told, Ui(tmp_path / "data", {**settings, "FW_ALERT_WEBHOOK": told.url}) as ui:
        month = recent(ui)
        run_id = ui.launch("fetch_pypi", month, month)
        ui.wait_for("the run's end", lambda: status(ui, run_id) == "FAILURE")
        ui.wait_for("the webhook", lambda: told.requests)
        [said] = told.told
        title, *lines, link = said["text"].splitlines()
        assert title == f"fetch_pypi failed for {month[:7]}"
        [line] = lines
        assert line == (
            f"* pypi (pypistats) {month[:7]}: the server refuses the connection (6 tries); "
            "run again later; what is done is kept and is not asked for again"
        )
        assert link == f"{ui.url}/runs/{run_id}"
        assert said["run_id"] == run_id


def recent(ui: Ui) -> str:
    """Return the last closed month, as the key of its partition."""
    asked = 'query keys { assetNodes(assetKeys: [{path: ["raw", "pypi"]}]) { partitionKeys } }'
    return str(ui.ask(asked)["assetNodes"][0]["partitionKeys"][-1])


def status(ui: Ui, run_id: str) -> str:
    return str(ui.ask(STATUS, id=run_id)["runOrError"]["status"])
