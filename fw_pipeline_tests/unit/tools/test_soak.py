"""The soaks' own frame: what did not hold is said and ends with status 1, and every soak is explained."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from fw_pipeline_tests.tools.soak.__main__ import SOAKS, main
from fw_pipeline_tests.tools.soak.tally import Tally

RELIABILITY = (Path(__file__).parents[3] / "docs" / "reliability.md").read_text(encoding="utf-8")


def soak(monkeypatch: pytest.MonkeyPatch, tally: Tally) -> dict[str, str]:
    monkeypatch.setitem(sys.modules, "a_soak", SimpleNamespace(SECONDS=7.0, run=lambda _: tally))
    return {"one": "a_soak"}


def test_what_held_ends_with_0(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally("one")
    tally.count("kills survived", 2, 2)
    assert main([], soaks=soak(monkeypatch, tally)) == 0
    assert "kills survived: 2 of 2" in capsys.readouterr().out


@pytest.mark.parametrize("tally", [Tally("one", failures=["a month is lost"]), Tally("one")])
def test_a_failure_or_nothing_tried_ends_with_1(monkeypatch: pytest.MonkeyPatch, tally: Tally) -> None:
    assert main(["one"], soaks=soak(monkeypatch, tally)) == 1


def test_an_unknown_name_is_a_wrong_call() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["kils"])


@pytest.mark.parametrize("name", SOAKS)
def test_every_soak_is_bounded_and_explained(name: str) -> None:
    assert import_module(SOAKS[name]).SECONDS <= 3600
    assert f"`make soak SOAK={name}`" in RELIABILITY
