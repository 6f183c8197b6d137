"""A run that waits says for what and until when: for another writer, and on whatever the user looks at."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from fw_pipeline.cli.output import Progress
from fw_pipeline.locks import WORTH_A_WORD, line
from fw_pipeline.warehouse import Warehouse


def test_who_waits_for_another_writer_says_so_once_and_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    heard = threading.Event()

    def waits(text: str) -> None:
        said.append(text)
        heard.set()

    (tmp_path / ".work").mkdir()
    other, begun = FileLock(tmp_path / ".work" / "writer.lock", thread_local=False), threading.Event()
    other.acquire()

    def let_go() -> None:
        begun.set()
        heard.wait(120)
        other.release()

    helper = threading.Thread(target=let_go)
    helper.start()
    begun.wait()
    with Warehouse(tmp_path, waits=waits).writing() as writer:
        assert writer.has("raw.pypi") is False
    helper.join()
    [text] = said
    assert re.fullmatch(r"warehouse: waits at most until \d\d:\d\d:\d\d UTC \(89\d s\): another run is writing", text)
    assert WORTH_A_WORD < 900


def test_a_wait_is_a_line_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    text = line("papers arxiv", 600, now=1_800_000_000, why="HTTP 200: Rate exceeded")
    assert text == "papers arxiv: waits until 08:10:00 UTC (600 s): HTTP 200: Rate exceeded"
    with Progress() as progress:
        progress("wait", text)
    assert capsys.readouterr().err == f"{text}\n"
