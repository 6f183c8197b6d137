"""Who may only read, reads: on a mount that is read-only, as another user, at a path with spaces and umlauts."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fw_pipeline.warehouse import Warehouse
from fw_pipeline_tests.support.command import Done, environment, fw_pipeline
from fw_pipeline_tests.tools.soak.publishes import NOBODY

NAME = "a folder, with spaces ü 数据 'and quotes'"
MOUNTED = """
mount --bind "$1" "$2"
mount -o remount,ro,bind "$2"
shift 2
exec "$@"
"""
AS_NOBODY = f"""
import contextlib, io, os, sys
from fw_pipeline.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    main(sys.argv[1:], standalone_mode=False)  # what is imported late may lie where nobody may look
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
main(sys.argv[1:])
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount, or become another user")


@contextlib.contextmanager
def shut(mode: int) -> Iterator[Path]:
    """Yield a data folder with a published file that everybody may read and, by the folder's mode, nobody may write."""
    with tempfile.TemporaryDirectory() as room:
        data = Path(room) / NAME
        with Warehouse(data).writing() as writer:
            writer.build("marts.x", "select range as a from range(3)", description="", columns={})
        Warehouse(data).publish()
        Path(room).chmod(0o755)
        Warehouse(data).published.chmod(0o444)
        data.chmod(mode)
        before = sorted(path.name for path in data.rglob("*"))
        yield data
        assert sorted(path.name for path in data.rglob("*")) == before, "a reader leaves nothing behind"
        data.chmod(0o755)


def test_another_user_reads_a_file_and_a_folder_that_nobody_may_write() -> None:
    with shut(0o555) as data:
        asked = [sys.executable, "-c", AS_NOBODY, "sql", "select sum(a) as s from marts.x", "--format", "csv"]
        done = subprocess.run(asked, env=environment(data), capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "s\n3\n"), done.stderr


def on_a_read_only_mount(folder: Path, at: Path, *arguments: str) -> Done:
    shell = ("unshare", "--mount", "sh", "-ec", MOUNTED, "sh", str(folder), str(at))
    return fw_pipeline(at, *arguments, within=shell)


@pytest.mark.long
@pytest.mark.parametrize(
    "arguments",
    [
        ("verdicts", "--format", "csv"),
        ("verdicts", "--as-of", "2022-06", "--format", "csv"),
        ("verdicts", "--claim", "C2", "--explain"),
        ("status",),
        ("status", "--months"),
        ("sql", "from marts.crossovers"),
    ],
    ids=" ".join,
)
def test_every_question_is_answered_on_a_read_only_mount(
    recorded_once: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    at = tmp_path / NAME
    at.mkdir()
    done = on_a_read_only_mount(recorded_once, at, *arguments)
    assert (done.status, done.err) == (0, ""), done.err
    assert done.out.replace(str(at), str(recorded_once)) == fw_pipeline(recorded_once, *arguments).out


@pytest.mark.long
def test_an_export_from_a_read_only_mount_goes_where_it_is_sent(recorded_once: Path, tmp_path: Path) -> None:
    at, to = tmp_path / NAME, tmp_path / "export ü"
    at.mkdir()
    done = on_a_read_only_mount(recorded_once, at, "export", "--to", str(to), "--table", "marts.crossovers")
    assert done.status == 0, done.err
    assert list(to.rglob("*crossovers.parquet"))


@pytest.mark.long
@pytest.mark.parametrize("command", ["run", "rebuild", "revisit", "export"])
def test_what_must_write_says_so_in_one_line_each(recorded_once: Path, tmp_path: Path, command: str) -> None:
    at = tmp_path / NAME
    at.mkdir()
    done = on_a_read_only_mount(recorded_once, at, command)
    assert done.status == 1
    assert done.complaints, done.err
    assert all("or allow writing there, then run again; no" in line for line in done.complaints), done.err
    assert "Traceback" not in done.err
    assert "defect" not in done.err
