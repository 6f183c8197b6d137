"""Parquet files of the posts: three columns of them, on disk or at an address, give the figures of the whole."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.catalog.frameworks import TAGS
from fw_pipeline.sources.stackoverflow.clickhouse_posts import PROVIDER
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.posts_in_parquet import many, posts
from fw_pipeline_tests.support.questions_live import Desk, lines


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path / "data", PROVIDER, services)


def truth(desk: Desk, *months: str) -> dict[tuple[str, str], int]:
    """What is true of files that hold the questions of the world, and not its crowd."""
    found: Counter[tuple[str, str]] = Counter({(month, tag.tagged): 0 for month in months for tag in TAGS})
    for question in desk.world.questions():
        month = f"{datetime.fromtimestamp(question.created, UTC):%Y-%m}"
        if month in months:
            carried = (tag.tagged for tag in TAGS if question.tags.issuperset(tag.tagged.split(";")))
            found.update([(month, "*"), *((month, tagged) for tagged in carried)])
    return dict(found)


FORMS: dict[str, pl.Expr] = {
    "as it is": pl.col("Tags"),
    "tags as bytes": pl.col("Tags").cast(pl.Binary),
    "kind as text": pl.col("PostTypeId").replace_strict({1: "Question", 2: "Answer"}, return_dtype=pl.String),
    "time as seconds": pl.col("CreationDate").dt.epoch("s").cast(pl.UInt32),
    "time as text": pl.col("CreationDate").dt.strftime("%Y-%m-%d %H:%M:%S%.3f"),
    "time with its zone": pl.col("CreationDate").dt.replace_time_zone("UTC"),
}


@pytest.mark.parametrize("form", FORMS)
def test_files_on_disk_give_the_figures_of_the_whole(desk: Desk, tmp_path: Path, form: str) -> None:
    folder = tmp_path / "c++api [posts]"
    folder.mkdir()
    for number, part in enumerate(posts(desk.world).iter_slices(5000)):
        part.with_columns(FORMS[form]).write_parquet(folder / f"{number}.parquet")
    got = desk.run("2023-02", "2023-06", path=";".join(map(str, sorted(folder.iterdir()))))
    assert not got.failures
    assert desk.figures() == truth(desk, *(f"2023-{month:02d}" for month in range(2, 7)))
    assert not desk.services or not desk.services.requests
    evidence = desk.rows()["evidence"].unique().item().split(";")
    kept = [json.loads(gzip.decompress((desk.data / ref).read_bytes())) for ref in evidence]
    assert [it["file"] for it in kept] == ["0.parquet", "1.parquet"]
    assert any("no request: reads 0.parquet, 1.parquet, three columns of them" in line for line in desk.log)


@pytest.mark.parametrize("pattern", ["{folder}", "{folder}/*.parquet", "{folder}/a.parquet;{folder}/b.parquet"])
def test_files_are_named_by_their_folder_by_a_pattern_or_one_by_one(desk: Desk, tmp_path: Path, pattern: str) -> None:
    half = posts(desk.world).height // 2
    posts(desk.world)[:half].write_parquet(tmp_path / "a.parquet")
    posts(desk.world)[half:].write_parquet(tmp_path / "b.parquet")
    assert not desk.run("2022-02", "2023-06", path=pattern.format(folder=tmp_path)).failures
    assert desk.figures()["2022-02", "*"] == truth(desk, "2022-02")["2022-02", "*"]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda frame: frame.drop("Tags"), "have no column Tags: they hold no posts"),
        (lambda frame: frame.with_columns(Tags=pl.lit(5)), "the column Tags of the Parquet files is INTEGER, none of"),
        (lambda frame: frame.filter(pl.col("PostTypeId") == 2), "hold no question since 2015-11"),
        (lambda frame: frame.with_columns(Tags=pl.lit("|cooking|")), "none of the tags occurs in the copy: it is one"),
    ],
)
def test_files_of_something_else_are_refused(
    desk: Desk, tmp_path: Path, made: Callable[[pl.DataFrame], pl.DataFrame], said: str
) -> None:
    made(posts(desk.world)).write_parquet(tmp_path / "posts.parquet")
    assert said in lines(desk.run("2023-06", "2023-06", path=str(tmp_path / "posts.parquet")))[0]


def test_files_that_are_not_there_or_broken_or_too_few_are_one_line(desk: Desk, tmp_path: Path) -> None:
    assert "there is no file" in lines(desk.run("2023-06", "2023-06", path=str(tmp_path / "none.parquet")))[0]
    posts(desk.world).write_parquet(tmp_path / "whole.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:-1000])
    assert "cannot be read" in lines(desk.run("2023-06", "2023-06", path=str(tmp_path / "cut.parquet")))[0]
    said = lines(desk.run("2023-06", "2023-06", path=str(tmp_path / "whole.parquet"), force=""))[0]
    assert re.search(r"the copy holds 4\d\d questions of 20\d\d-\d\d, where Stack Overflow had 1\d\d,\d\d\d", said)


@pytest.mark.long
def test_sixty_million_posts_are_counted_in_less_than_a_gigabyte(tmp_path: Path) -> None:
    folder = tmp_path / "posts"
    folder.mkdir()
    many(folder / "0.parquet", 6_000_000)
    for number in range(1, 10):
        (folder / f"{number}.parquet").hardlink_to(folder / "0.parquet")
    program = """
import re, sys
from pathlib import Path
from fw_pipeline.sources.stackoverflow.clickhouse_posts import PROVIDER
from fw_pipeline_tests.support.questions_live import Desk
from datetime import UTC, datetime
desk = Desk(Path(sys.argv[1]), PROVIDER)
fetch = desk.fetch("2015-11", "2024-02", now=datetime(2024, 5, 1, tzinfo=UTC), path=sys.argv[2])
rows = [batch.rows for batch in PROVIDER.fetch(fetch)]
site = sum(frame.filter(frame["tagged"] == "*")["questions"].sum() for frame in rows)
keras = sum(frame.filter(frame["tagged"] == "keras")["questions"].sum() for frame in rows)
# not ru_maxrss: a child process begins with the peak of its parent
peak = int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
print(len(rows), site, keras, peak // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "data"), str(folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[4],
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    months, site, keras, megabytes = map(int, done.stdout.split())
    assert months == 100
    assert 0.97 * 24_000_000 < site < 24_000_000
    assert 0.97 * 60_000 < keras < 60_000
    assert megabytes < 1000
