"""The operating guide: a backup restores, units say what the guide says, and every wording in it is one of the code."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.contract import PROVENANCE
from fw_pipeline.raw import EvidenceStore, VintageStore
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.unit.cli.test_run_commands import assert_same, content

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
REASONS = {"PipelineError", "WarehouseError", "StorageError", "SourceError", "MonthRejected"}
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def back_up(data: Path, to: Path) -> None:
    """Copy as the guide says: the vintages first, then the answers, without what is half-written."""
    for room in ("raw", "evidence"):
        shutil.copytree(data / room, to / room, ignore=shutil.ignore_patterns(".writing-*"))


@pytest.mark.long
def test_a_backup_restored_elsewhere_gives_the_same_content_after_a_rebuild(
    recorded_once: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "another machine" / "data"
    back_up(recorded_once, tmp_path / "backup")
    shutil.copytree(tmp_path / "backup", elsewhere)
    done = fw_pipeline(elsewhere, "rebuild")
    assert done.status == 0, done.err
    assert_same(content(recorded_once), content(elsewhere))


def test_no_vintage_or_evidence_names_a_folder_of_this_machine(recorded_once: Path) -> None:
    for source in SOURCES:
        store = VintageStore(recorded_once)
        refs = {ref for it in store.vintages(source) for ref in store.read(source, it)["evidence"]}
        assert refs
        for ref in ";".join(refs).split(";"):
            assert not Path(ref).is_absolute()
            assert (recorded_once / ref).is_file()
    for journal in (recorded_once / "evidence").rglob("*.ndjson"):
        assert str(recorded_once) not in journal.read_text(encoding="utf-8")


def test_a_backup_of_a_folder_that_is_being_written_has_the_answer_of_each_vintage(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    table, begun, stop = SOURCES["stackoverflow"].table, threading.Event(), threading.Event()
    month = NOW.date().replace(day=1)

    def write() -> None:
        for number in range(5_000):
            if stop.is_set():
                return
            evidence_store = EvidenceStore(data, "stackoverflow", "api", run_id=f"r{number}", now=NOW)
            ref = evidence_store.keep(f"q{number}", f"{number}".encode(), name="answer").ref
            said = {"month": month, "tagged": "jax", "questions": number, "method": "counted", "origin": "x"}
            rows = pl.DataFrame([said], schema=table.schema)
            at = NOW + timedelta(seconds=number)
            VintageStore(data).add(
                "stackoverflow", month, rows, provider="api", observed_at=at, evidence=(ref,), run_id=f"r{number}"
            )  # fmt: skip
            begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(30)
        for number in range(5):
            back_up(data, backup / f"{number}")
    finally:
        stop.set()
        writer.join()
    for copy in backup.iterdir():
        store = VintageStore(copy)
        found = store.vintages("stackoverflow")
        assert found
        for vintage in found:
            frame = store.read("stackoverflow", vintage)
            assert frame.schema == pl.Schema({**table.schema, **PROVENANCE})
            assert (copy / frame["evidence"][0]).is_file()


def test_every_wording_of_the_guide_is_one_of_the_code() -> None:
    table = GUIDE.partition("## What a line means")[2].partition("\n## ")[0]
    wordings = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert len(wordings) > 15
    files = [*(ROOT / "fw_pipeline").rglob("*.py"), ROOT / ".ci" / "audit.py"]
    code = " ".join(path.read_text(encoding="utf-8") for path in files)
    assert [words for words in wordings if words not in code] == []


def beginnings() -> set[str]:
    """Return how the failures in the code begin, where that is fixed."""
    found = set()
    rooms = [path for path in (ROOT / "fw_pipeline").rglob("*.py") if path.parent.name not in {"models", "wire"}]
    for node in (node for path in rooms for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REASONS:
            subject = node.args[0]
            first = subject.values[0] if isinstance(subject, ast.JoinedStr) else subject
            if isinstance(first, ast.Constant):
                found.add(str(first.value))
    return found


def test_the_guide_names_everything_that_a_line_can_be_about() -> None:
    table = GUIDE.partition("| begins with |")[2].partition("\n\n")[0]
    named = re.findall(r"`([^`]+)`", table)
    found = beginnings()
    assert len(found) > 10
    assert sorted(each for each in found if not each.startswith(tuple(named))) == []


WORKER = ROOT / "deploy/cluster/fw-pipeline-worker@.service"


def units() -> list[Path]:
    return sorted((ROOT / "deploy").glob("*.service"))


def service_of(unit: Path) -> Mapping[str, str]:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    return parser["Service"]


@pytest.mark.parametrize("unit", units(), ids=lambda unit: unit.name)
def test_a_unit_runs_our_command_as_a_user_of_its_own_who_may_write_the_data_folder_alone(unit: Path) -> None:
    service = service_of(unit)
    assert service["User"] == "fw-pipeline"
    assert service["Environment"] == "FW_DATA_DIR=/var/lib/fw-pipeline"
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes"
    assert service["StateDirectory"] == "fw-pipeline"
    assert "ReadWritePaths" not in service
    program, *arguments = service["ExecStart"].split()
    assert program == "/opt/fw-pipeline/.venv/bin/fw-pipeline"
    assert "--host" not in arguments
    assert unit.stem in GUIDE


def test_a_worker_of_a_cluster_is_confined_as_the_ui_is() -> None:
    ui, worker = service_of(ROOT / "deploy/fw-pipeline-ui.service"), service_of(WORKER)
    differs = {"Environment", "EnvironmentFile", "ExecStart", "StateDirectory"}
    differs |= {"KillSignal", "TimeoutStopSec", "Restart", "RestartSec"}
    assert {name: value for name, value in worker.items() if name not in differs} == {
        name: value for name, value in ui.items() if name not in differs
    }
    assert worker["StateDirectory"] == "fw-pipeline fw-pipeline-dagster"
    assert worker["ExecStart"].startswith("/opt/fw-pipeline/.venv/bin/celery -A dagster_celery.app worker -Q dagster ")
    assert "PYTHONPATH=/opt/fw-pipeline/deploy/cluster" in WORKER.read_text(encoding="utf-8")


def test_every_file_of_the_checkout_that_the_guide_names_is_there() -> None:
    commands = "".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL))
    checked = subprocess.run(["sh", "-n"], input=commands, capture_output=True, text=True, check=False)
    assert checked.stderr == ""
    named = set(re.findall(r"/opt/fw-pipeline/((?:deploy/|\.env)[\w.*-]*)", commands))
    assert "deploy/fw-pipeline" in named
    assert [pattern for pattern in named if not any(ROOT.glob(pattern))] == []


def test_the_command_by_hand_is_as_the_units_and_passes_its_words_on(tmp_path: Path) -> None:
    script = ROOT / "deploy" / "fw-pipeline"
    stand_in = tmp_path / "systemd-run"
    stand_in.write_text('#!/bin/sh\nfor each in "$@"; do printf "%s\\n" "$each"; done\n', encoding="utf-8")
    stand_in.chmod(0o755)
    query = "select $$it's$$, '%h'  as \"a  b\""
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", script, "sql", query], env={"PATH": path}, capture_output=True, text=True, check=True
    )  # fmt: skip
    *options, program, sql, asked = done.stdout.splitlines()
    unit = units()[0].read_text(encoding="utf-8")
    assert f"ExecStart={program} " in unit
    assert (sql, asked.replace("$$", "$")) == ("sql", query)
    said = dict(each.removeprefix("--").split("=", 1) for each in options if each.count("=") == 1)
    assert f"User={said['uid']}\n" in unit
    assert f"WorkingDirectory={said['working-directory']}\n" in unit
    for option in options:
        name, _, value = option.partition("=")
        if name in {"--property", "--setenv"}:
            assert (f"{value}\n" if name == "--property" else f"Environment={value}\n") in unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for path in (ROOT / "deploy").glob("fw-pipeline-*"):
        text = path.read_text(encoding="utf-8").replace("/opt/fw-pipeline/.venv/bin/fw-pipeline", "/bin/true")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    names = [str(path) for path in tmp_path.iterdir()]
    done = subprocess.run(["systemd-analyze", "verify", *names], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
