"""What all commands share: a wrong call and a wrong setting end with 2, and a line that says what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from fw_pipeline_tests.support.command import called


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--from", "2023-13"], "write it YYYY-MM"),
        (["run", "--from", "2022-05", "--to", "2022-01"], "no range of closed months"),
        (["run", "--to", "2031-01"], "no range of closed months"),
        (["run", "--from", "2015-10"], "between 2015-11"),
        (["run", "--source", "npm"], "choose from stackoverflow"),
        (["verdicts", "--as-of", "june"], "write it YYYY-MM"),
        (["sql"], "Missing argument"),
        (["ui", "--port", "0"], "0 is not in the range"),
        (["status", "--months", "--settings"], "ask one of them"),
        (["no-such-command"], "No such command"),
    ],
)
def test_a_wrong_call_exits_2_and_says_what_is_right(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = called(tmp_path / "data", *arguments)
    assert done.status == 2
    assert says in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "data").exists()


def test_an_unknown_setting_exits_2_with_its_name(tmp_path: Path) -> None:
    done = called(tmp_path / "data", "run", FW_MODUS="live")
    assert done.status == 2
    assert "FW_MODUS is unknown; did you mean FW_MODE?" in done.err
