"""The data dump: every month, tag and pair in one pass; no figure for what the dump cannot know."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import py7zr
import pytest

from fw_pipeline.sources import SOURCES
from fw_pipeline.sources.stackoverflow.posts_dump import PROVIDER, _with_signs_of_life, dump
from fw_pipeline_tests.support.dumps import (
    HEAD,
    TAIL,
    WHO,
    expected,
    packed,
    posts_xml,
    row,
)
from fw_pipeline_tests.support.questions_live import FEW, NOW, Desk, lines, statuses
from fw_pipeline_tests.support.real_answers import REAL, real_answers


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "Posts.xml").write_text(posts_xml(), encoding="utf-8")
    return Desk(tmp_path / "data", PROVIDER)


@pytest.mark.parametrize("kind", ["plain", "7z", "7z in a folder", "7z by bzip2"])
def test_a_range_of_months_comes_from_one_file(desk: Desk, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "Posts.xml"
    if kind == "7z in a folder":
        path = packed(tmp_path, "stackoverflow.com/Posts.xml")
    elif kind == "7z by bzip2":
        path = packed(tmp_path, filters=[{"id": py7zr.FILTER_BZIP2}])
    elif kind == "7z":
        path = packed(tmp_path)
    got = desk.run("2022-11", "2023-06", path=str(path))
    assert not got.failures
    months = ["2022-11", "2022-12", *(f"2023-{month:02d}" for month in range(1, 7))]
    assert desk.figures() == expected((tmp_path / "Posts.xml").read_bytes(), *months)
    rows = desk.rows()
    assert rows.columns[: len(SOURCES["stackoverflow"].table.schema)] == SOURCES["stackoverflow"].table.schema.names()
    said = rows.select("method", "origin", "observed_on", "provider").unique().row(0)
    assert said == ("counted", "Stack Exchange data dump", date(2023, 6, 30), "dump")
    evidence = json.loads(_evidence(desk))
    assert (evidence["file"], evidence["bytes"]) == (path.name, path.stat().st_size)
    assert any("no request: reads " + path.name in line for line in desk.log)


def _evidence(desk: Desk) -> bytes:
    written = desk.written()
    return written[written.index(b'{"bytes"') :].split(b"\n")[0]


def test_a_dump_on_standard_input_is_read_once_as_it_comes(desk: Desk, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from fw_pipeline.sources.stackoverflow.posts_dump import PROVIDER\n"
        "from fw_pipeline_tests.support.questions_live import Desk\n"
        "desk = Desk(Path(sys.argv[1]), PROVIDER)\n"
        "got = desk.run('2023-05', '2023-06', path='-')\n"
        "print('\\n'.join([*desk.log, *map(str, got.failures)]))\n"
    )
    command = [sys.executable, "-c", program, str(desk.data)]

    def run(body: bytes) -> str:
        root = Path(__file__).parents[4]
        done = subprocess.run(command, input=body, capture_output=True, check=True, cwd=root, env={**os.environ})
        return done.stdout.decode()

    xml = (tmp_path / "Posts.xml").read_bytes()
    assert "reads standard input once" in run(xml)
    assert desk.figures() == expected(xml, "2023-05", "2023-06")
    evidence = json.loads(_evidence(desk))
    assert (evidence["bytes"], evidence["sha256"]) == (len(xml), hashlib.sha256(xml).hexdigest())
    assert "standard input is a 7z archive" in run(packed(tmp_path).read_bytes())
    assert "standard input is not a whole Posts.xml: it is empty" in run(b"")


def test_the_month_in_which_the_dump_ends_has_no_figure(tmp_path: Path) -> None:
    file = tmp_path / "Posts.xml"
    file.write_text(posts_xml(until="2023-06-30T22:59:00.000"), encoding="utf-8")
    desk = Desk(tmp_path / "data", PROVIDER)
    now = datetime(2023, 9, 3, tzinfo=UTC)
    got = desk.run("2023-05", "2023-08", now=now, path=str(file))
    assert statuses(got) == {"2023-05": "present", **dict.fromkeys(("2023-06", "2023-07", "2023-08"), "failed")}
    assert len(lines(got)) == 1
    said, _, remedy = lines(got)[0].partition("; ")
    assert said == f"{WHO} 2023-06 to 2023-08: the last question in the dump is of 2023-06-30 22:59 UTC"
    assert remedy == "take a newer dump, or the provider api for these months"
    file.write_text(posts_xml(until="2023-08-31T23:30:00.000"), encoding="utf-8")
    got = desk.run("2023-05", "2023-08", now=now, path=str(file))
    assert statuses(got)["2023-07"] == "refused"
    assert "2023-07: the dump holds no question of this month" in lines(got)[0]


def test_a_tag_that_occurs_nowhere_has_no_figure_and_a_pair_that_never_met_has_zero(tmp_path: Path) -> None:
    file = tmp_path / "Posts.xml"
    both = row(1, 1, "2023-06-05T00:00:00", ["tensorflow"]) + row(2, 1, "2023-06-30T23:59:59.9", ["c++"])
    file.write_text(HEAD + both + row(3, 1, "2023-06-07T00:00:00.000") + TAIL, encoding="utf-8")
    desk = Desk(tmp_path / "data", dump(FEW))
    assert not desk.run("2023-06", "2023-06", path=str(file)).failures
    assert desk.figures() == {("2023-06", "*"): 3, ("2023-06", "tensorflow"): 1, ("2023-06", "tensorflow;c++"): 0}
    assert any("tags that occur nowhere in the dump: pytorch" in line for line in desk.log)
    assert any("1 questions without a tag" in line for line in desk.log)


def test_the_dump_of_another_site_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "Posts.xml"
    file.write_text(HEAD + row(1, 1, "2023-07-01T00:00:00", ["history"]) + TAIL, encoding="utf-8")
    said = lines(Desk(tmp_path / "data", PROVIDER).run("2023-06", "2023-06", path=str(file)))
    assert "it is one of another site; set FW_PROVIDERS=stackoverflow=dump:PATH" in said[0]


@real_answers
def test_the_real_planted_rows_are_left_out(tmp_path: Path) -> None:
    planted = (REAL / "stackexchange" / "dump_planted_rows_2025-06-30.xml").read_text(encoding="utf-8")
    rows = "".join(re.findall(r"  <row.*?/>\n", planted))
    desk = Desk(tmp_path / "data", dump(FEW))
    file = tmp_path / "Posts.xml"
    real = row(4, 1, "2025-06-30T23:59:00.000", ["tensorflow", "c++"]) + row(5, 1, "2025-06-02T00:00:00", ["pytorch"])
    file.write_text(HEAD + rows + real + TAIL, encoding="utf-8")
    now = datetime(2025, 7, 2, tzinfo=UTC)
    assert not desk.run("2025-06", "2025-06", now=now, path=str(file)).failures
    assert desk.figures()["2025-06", "*"] == 2
    assert any("1 planted questions were left out" in line for line in desk.log)
    file.write_text(planted, encoding="utf-8")
    assert "it holds no question" in lines(desk.run("2025-06", "2025-06", now=now, path=str(file)))[0]


def test_the_reach_and_the_plan_are_told_without_a_dump(desk: Desk, tmp_path: Path) -> None:
    fetch = desk.fetch("2023-06", "2023-06")
    assert str(PROVIDER.reach(fetch).window) == "2015-11 to 2023-06"
    assert PROVIDER.plan(fetch).requests == 0
    assert "the dump that FW_PROVIDERS names" in PROVIDER.plan(fetch).text
    named = desk.fetch("2023-06", "2023-06", path=str(tmp_path / "Posts.xml"))
    assert "reads Posts.xml of 0.0 GB for its checksum" in PROVIDER.plan(named).text
    assert PROVIDER.reach(named).window.end == date(NOW.year, NOW.month, 1)


def test_a_log_of_a_long_scan_shows_that_it_is_alive() -> None:
    said: list[str] = []
    feed = _with_signs_of_life(lambda _: None, said.append)
    block = bytes(1 << 28)
    for _ in range(40):
        feed(block)
    assert said == [f"stackoverflow (dump): {gigabytes} GB of Posts.xml are counted" for gigabytes in (5, 10)]
