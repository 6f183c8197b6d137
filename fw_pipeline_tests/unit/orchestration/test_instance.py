"""The folder of Dagster's history, and what is reported when its settings, its files or its disk are damaged."""

from __future__ import annotations

import logging
import os
import queue
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from dagster import AssetKey, AssetMaterialization, DagsterInstance, Definitions, asset

from fw_pipeline.errors import PipelineError
from fw_pipeline.orchestration.instance import INSTANCE, prepare, told, write_quickly
from fw_pipeline_tests.support.cluster_servers import free_port
from fw_pipeline_tests.support.command import Done, fw_pipeline

MONTH = ("run", "--from", "2022-05", "--to", "2022-05", "--source", "pypi")


@asset
def figures() -> None:
    """A table."""


HISTORY_ON = """
mkdir -p "$FW_DATA_DIR/dagster"
mount -t tmpfs -o {options} history "$FW_DATA_DIR/dagster"
exec "$@"
"""


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAGSTER_HOME", "GX_ANALYTICS_ENABLED", "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.delenv(name, raising=False)


def test_settings_are_written_once_and_are_yours_to_change(tmp_path: Path) -> None:
    path = prepare(tmp_path) / "dagster.yaml"
    assert path.read_text(encoding="utf-8") == INSTANCE
    path.write_text("telemetry: {enabled: true}\n", encoding="utf-8")
    prepare(tmp_path)
    assert path.read_text(encoding="utf-8") == "telemetry: {enabled: true}\n"
    assert os.environ["DAGSTER_DISABLE_TELEMETRY"] == "yes"


def test_the_history_is_one_file_for_all_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "history"))
    home = prepare(tmp_path)
    assert home == tmp_path / "history"
    write_quickly()
    with DagsterInstance.get() as instance:
        instance.report_runless_asset_event(AssetMaterialization("figures"))
    assert (home / "event_log.db").exists()
    assert (home / "event_log.db-wal").stat().st_size, "one connection stays open, so that no closing flushes the log"
    assert not list(home.rglob("index.db"))


WRITER = """
import sys
from dagster import AssetKey, AssetMaterialization, DagsterInstance, Definitions, asset
from fw_pipeline.orchestration.instance import write_quickly
write_quickly()
with DagsterInstance.get() as instance:
    run = instance.get_run_by_id(sys.argv[1])
    for number in range(3):
        instance.report_engine_event(f"event {number}", run)
        sys.stdin.readline()
"""


@pytest.mark.parametrize("left", ["nothing", "no tables"])
def test_a_history_whose_making_was_cut_off_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "history"))
    path = prepare(tmp_path) / "event_log.db"
    if left == "nothing":
        path.write_bytes(b"")
    else:
        with closing(sqlite3.connect(path)) as connection, connection:
            for table in ("event_logs", "secondary_indexes"):
                connection.execute(f"drop table {table}")
    prepare(tmp_path)
    with DagsterInstance.get() as instance:
        instance.report_runless_asset_event(AssetMaterialization("figures"))
        assert instance.get_latest_materialization_event(AssetKey("figures")) is not None
    assert {it.name for it in path.parent.glob(".event_log-*")} == set()


def test_a_history_that_has_events_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "history"))
    prepare(tmp_path)
    with DagsterInstance.get() as instance:
        instance.report_runless_asset_event(AssetMaterialization("figures"))
    prepare(tmp_path)
    with DagsterInstance.get() as instance:
        assert instance.get_latest_materialization_event(AssetKey("figures")) is not None


def test_two_that_begin_at_once_make_one_whole_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "history"))
    program = "import sys; from pathlib import Path; from fw_pipeline.orchestration.instance import prepare; "
    program += "prepare(Path(sys.argv[1]))"
    begun = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ended = [(process.communicate(timeout=120)[1], process.returncode) for process in begun]
    assert [status for _, status in ended] == [0, 0], ended
    with DagsterInstance.get() as instance:
        instance.report_runless_asset_event(AssetMaterialization("figures"))
        assert instance.get_latest_materialization_event(AssetKey("figures")) is not None


def test_who_watches_a_run_sees_each_event_while_its_process_is_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "history"))
    prepare(tmp_path)
    seen: queue.Queue[str] = queue.Queue()
    with DagsterInstance.get() as instance:
        run = instance.create_run_for_job(Definitions([figures]).resolve_implicit_global_asset_job_def())
        instance.watch_event_logs(run.run_id, None, lambda entry, _: seen.put(entry.message))
        command = [sys.executable, "-c", WRITER, run.run_id]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            for number in range(3):
                while seen.get(timeout=120) != f"event {number}":
                    pass
                process.stdin.write("go\n")
                process.stdin.flush()


def test_settings_that_a_killed_process_left_half_written_do_not_stay(tmp_path: Path) -> None:
    cut = tmp_path / "dagster" / ".writing-cut"
    cut.parent.mkdir()
    cut.write_text("telemetry:\n", encoding="utf-8")
    prepare(tmp_path)
    assert not cut.exists()


@pytest.mark.parametrize("left", [b"", b"\n", b"# Written by fw-pipeline on first use; yours to change.\n"])
def test_an_empty_file_of_settings_as_a_crash_leaves_it_is_written_anew(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "dagster" / "dagster.yaml"
    path.parent.mkdir()
    path.write_bytes(left)
    prepare(tmp_path)
    assert yaml.safe_load(path.read_bytes())["telemetry"] == {"enabled": False}


STORAGE = "dagster._core.storage.event_log"


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        (
            f"{{module: {STORAGE}, class: ConsolidatedSqliteEventLogStorage, config: {{base_dir: {{env: NOT_SET}}}}}}",
            "dagster.yaml cannot be used: NOT_SET, which it names, is not set in the environment; mend it there",
        ),
        (
            "{module: not_installed_at_all, class: Storage}",
            "dagster.yaml cannot be used: No module named 'not_installed_at_all'; install it",
        ),
    ],
    ids=["variable", "module"],
)
def test_settings_that_lack_something_of_this_machine_are_one_line_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, cause: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text(f"event_log_storage: {settings}\n", encoding="utf-8")
    with pytest.raises(PipelineError, match=re.escape(cause)) as caught, told(), DagsterInstance.get() as instance:
        instance.get_runs()
    assert "\n" not in str(caught.value)


POSTGRES = "storage: {postgres: {postgres_url: {env: DAGSTER_POSTGRES_URL}}}\n"
FORM = "; write DAGSTER_POSTGRES_URL like postgresql+psycopg2://user:password@host:5432/database"


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("postgresql://me:secret@127.0.0.1:1/x", "asks for the driver psycopg, which is not installed"),
        ("postgres://me:secret@127.0.0.1:1/x", "is unknown: Can't load plugin: sqlalchemy.dialects:postgres"),
        ("postgresql+psycopg2://me:a@b:secret@127.0.0.1:1/x", "cannot be read, as where a password is not percent-"),
        ("me:secret@127.0.0.1", "cannot be read, as where a password is not percent-encoded"),
    ],
    ids=["no driver", "no such scheme", "unencoded password", "no scheme"],
)
def test_a_wrong_address_of_postgresql_is_one_line_that_shows_the_right_form_and_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, cause: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", address)
    (tmp_path / "dagster.yaml").write_text(POSTGRES, encoding="utf-8")
    with pytest.raises(PipelineError, match=re.escape(cause)) as caught, told(), DagsterInstance.get() as instance:
        instance.get_runs()
    assert str(caught.value).startswith("Dagster's settings: ")
    assert str(caught.value).endswith(FORM)
    assert "secret" not in str(caught.value)


def test_the_ui_does_not_start_with_a_wrong_address_of_postgresql(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(POSTGRES, encoding="utf-8")
    given = {"DAGSTER_HOME": str(tmp_path), "DAGSTER_POSTGRES_URL": "postgres://me:secret@127.0.0.1:1/x"}
    done = fw_pipeline(tmp_path / "data", "ui", "--port", f"{free_port()}", **given)
    assert done.status == 1
    assert [line.endswith(FORM) for line in done.err.splitlines()] == [False, True], done.err
    assert len(done.complaints) == 1
    assert "secret" not in done.err


def test_that_a_connection_is_tried_again_is_said_nowhere_within_however_many_end_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = "Retrying failed database connection: away"
    with told():
        with told():
            logging.getLogger().warning(said)
        logging.getLogger().warning(said)
        logging.getLogger().warning("something else")
    assert caplog.messages == ["something else"]
    logging.getLogger().warning(said)
    assert caplog.messages == ["something else", said]


@pytest.mark.parametrize(
    ("left", "cause"),
    [
        (INSTANCE[:120].encode() + b"{", "line 7 is no YAML"),
        (b"\xff\xfe\x00", "truncated data"),
        (b"telemetry", "holds no settings"),
        (b"- telemetry", "holds no settings"),
    ],
)
def test_settings_that_are_half_written_are_named_and_left_alone(tmp_path: Path, left: bytes, cause: str) -> None:
    path = tmp_path / "dagster" / "dagster.yaml"
    path.parent.mkdir()
    path.write_bytes(left)
    with pytest.raises(PipelineError) as caught:
        prepare(tmp_path)
    assert f"Dagster's settings: {path} " in str(caught.value)
    assert cause in str(caught.value)
    assert str(caught.value).endswith("; mend it, or delete it, and it is written anew; no figure was lost")
    assert path.read_bytes() == left


def on_a_disk_of_its_own(data: Path, options: str) -> Done:
    """Run a month with the history on a file system that has these options, gone when the command has ended."""
    shell = ("unshare", "--mount", "sh", "-ec", HISTORY_ON.format(options=options), "sh")
    return fw_pipeline(data, *MONTH, within=shell)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
@pytest.mark.parametrize("options", ["ro", pytest.param("size=60k", marks=pytest.mark.long)])
def test_a_history_that_cannot_be_written_is_one_line_that_says_so(tmp_path: Path, options: str) -> None:
    done = on_a_disk_of_its_own(tmp_path, options)
    assert done.status == 1, done.err
    assert done.complaints, done.err
    assert all("free space or allow writing there, then run again; no" in line for line in done.complaints), done.err
    assert "defect" not in done.err
    assert "Traceback" not in done.err
