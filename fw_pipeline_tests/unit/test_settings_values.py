"""Which settings are in effect, wherever a command is called: one rule for `.env` files and for relative paths."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from time import monotonic, sleep

import pytest

from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline.settings_values import gather
from fw_pipeline_tests.support.command import COMMAND, environment


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout of its own, with a `.env` to write."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    shutil.copytree(PROJECT_DIR / "fw_pipeline", folder / "fw_pipeline")
    for name in ("dbt_like_sql", "workspace.yaml"):
        (folder / name).symlink_to(PROJECT_DIR / name)
    (folder / "data").mkdir()
    (folder / "data" / "recorded").symlink_to(PROJECT_DIR / "data" / "recorded")
    return folder


def called(project: Path, folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Call the command of a checkout from a folder."""
    folder.mkdir(exist_ok=True)
    given = {**environment(folder), "PYTHONPATH": str(project), **settings}
    if "FW_DATA_DIR" not in settings:
        del given["FW_DATA_DIR"]
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=120
    )


def in_effect(project: Path, folder: Path, **settings: str) -> dict[str, tuple[str, str]]:
    done = called(project, folder, "status", "--settings", "--format", "json", **settings)
    assert done.returncode == 0, done.stderr
    return {row["setting"]: (row["value"], row["set_in"]) for row in json.loads(done.stdout)}


def test_the_projects_dotenv_counts_wherever_the_command_is_called(project: Path, tmp_path: Path) -> None:
    ours = project / ".env"
    ours.write_text("FW_MODE=live\nFW_DATA_DIR=figures\nHF_TOKEN=hf_secret\n", encoding="utf-8")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    theirs = folder / ".env"
    theirs.write_text("FW_MODE=recorded\nFW_KEEP_RUNS=7\n", encoding="utf-8")
    expected = {
        "FW_MODE": ("live", str(ours)),
        "FW_DATA_DIR": (str(project / "figures"), str(ours)),
        "FW_KEEP_RUNS": ("7", str(theirs)),
        "HF_TOKEN": ("set", str(ours)),
    }
    assert in_effect(project, folder) == expected
    assert in_effect(project, project) == {name: it for name, it in expected.items() if name != "FW_KEEP_RUNS"}
    table = called(project, folder, "status", "--settings").stdout
    assert "hf_secret" not in table
    assert str(project / "figures") in "".join(table.split())


def test_a_relative_path_is_taken_from_the_file_that_names_it_or_the_working_folder(
    project: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    (project / ".env").write_text("FW_PROVIDERS=stackoverflow=dump:Posts.xml\nDAGSTER_HOME=history\n", encoding="utf-8")
    found = in_effect(project, folder, FW_DATA_DIR="mine")
    assert found["FW_DATA_DIR"] == (str(folder / "mine"), "environment")
    assert found["FW_PROVIDERS"][0] == f"stackoverflow=dump:{project / 'Posts.xml'}"
    assert found["DAGSTER_HOME"][0] == str(project / "history")
    assert in_effect(project, folder)["FW_DATA_DIR"] == (str(project / "data"), "default")


@pytest.mark.parametrize(
    ("given", "is_"),
    [
        ("pypi=pypistats", "pypi=pypistats"),
        ("stackoverflow=dump:-", "stackoverflow=dump:-"),
        ("stackoverflow=dump:/a/b.7z, pypi=clickpy", "stackoverflow=dump:/a/b.7z, pypi=clickpy"),
        ("stackoverflow=clickhouse:posts/*.parquet+api", "stackoverflow=clickhouse:/base/posts/*.parquet+api"),
        ("stackoverflow=dump:c++.xml", "stackoverflow=dump:/base/c++.xml"),
        ("papers=archive:links=l.json;papers=https://x/p", "papers=archive:links=/base/l.json;papers=https://x/p"),
        ("huggingface=parquet:hf://datasets/a/b", "huggingface=parquet:hf://datasets/a/b"),
    ],
)
def test_files_of_providers_are_named_whole(given: str, is_: str) -> None:
    assert gather({}, {"FW_PROVIDERS": given}, [], folder=Path("/base"))["FW_PROVIDERS"].text == is_


def test_what_is_set_to_nothing_nearer_by_is_not_looked_for_farther_away(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FW_CONTACT=a@example.org\n", encoding="utf-8")
    found = gather({}, {"FW_CONTACT": ""}, [tmp_path / ".env"], folder=tmp_path)
    assert found["FW_CONTACT"].text == ""


def test_a_relative_dagster_home_is_one_folder_below_the_working_folder(project: Path, tmp_path: Path) -> None:
    script = (
        "import os; from pathlib import Path; from fw_pipeline.orchestration.instance import prepare; "
        "prepare(Path('data'))"
    )
    show = "; print(os.environ['DAGSTER_HOME']); import dagster; dagster.DagsterInstance.get().dispose()"
    given = {**environment(tmp_path), "PYTHONPATH": str(project), "DAGSTER_HOME": "history"}
    done = subprocess.run(
        [sys.executable, "-c", script + show], cwd=tmp_path, env=given, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'history'}\n"), done.stderr
    assert (tmp_path / "history" / "dagster.yaml").exists()


@pytest.mark.long
def test_the_ui_has_the_settings_of_the_command_in_every_process(project: Path, tmp_path: Path) -> None:
    """Called from elsewhere, it reads the working folder's `.env`, and neither splits the data nor loses a setting."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / ".env").write_text("FW_DATA_DIR=mine\nFW_KEEP_RUNS=7\n", encoding="utf-8")
    given = {**environment(folder), "PYTHONPATH": str(project), "MARK": str(folder)}
    del given["FW_DATA_DIR"]
    process = subprocess.Popen(
        [*COMMAND, "ui", "--port", str(port)], cwd=folder, env=given, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        wanted = {"FW_DATA_DIR": str(folder / "mine"), "FW_KEEP_RUNS": "7"}
        until = monotonic() + 240
        while monotonic() < until and not answers(port):
            sleep(0.5)
        assert answers(port)
        found = [it for place in Path("/proc").glob("[0-9]*") if (it := variables(place)).get("MARK") == str(folder)]
        assert len(found) >= 4, "the command, the UI, its daemon and its code location"
        ours = [its for its in found if "FW_UI_URL" in its]
        assert len(ours) == len(found) - 1, "all but the command itself"
        assert {tuple(its.get(name) for name in wanted) for its in ours} == {tuple(wanted.values())}
        assert sorted(path.name for path in (project / "data").iterdir()) == ["recorded"]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5):
            return True
    except OSError:
        return False


def variables(place: Path) -> dict[str, str]:
    """Return the environment of a process; it may be gone by then."""
    try:
        pairs = (place / "environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)
