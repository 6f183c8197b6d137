"""Parquet files of the posts: three columns of them, on disk or at an address, give the figures of the whole."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.catalog.frameworks import TAGS
from fw_pipeline.sources.stackoverflow.clickhouse_posts import PROVIDER
from fw_pipeline_tests.support.fake_services.files import file_response
from fw_pipeline_tests.support.fake_services.listener import Listener
from fw_pipeline_tests.support.fake_services.messages import Request, Response, as_text
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.fake_services.world import World
from fw_pipeline_tests.support.posts_in_parquet import by_year, many, posts
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


class Bucket:
    """A bucket of S3: it lists its keys, two at a time, and serves parts of its files."""

    def __init__(self, world: World) -> None:
        self.files = dict(by_year(world))
        self.ranges, self.sound_for, self.sent = True, 10**6, 0
        self.parts: list[str] = []
        self.listener = Listener(self.answer, 0)

    def answer(self, request: Request) -> Response:
        if not request.service:
            return self.listed(request)
        name = request.path.removeprefix("/")
        if name not in self.files:
            return as_text("<Error><Code>NoSuchKey</Code></Error>", 404, kind="application/xml")
        if len(self.parts) >= self.sound_for:
            return as_text("<Error><Code>SlowDown</Code></Error>", 503, kind="application/xml")
        asked = request if self.ranges else replace(request, headers={})
        found = file_response(asked, self.files[name], kind="binary/octet-stream", changed=date(2024, 4, 3))
        self.parts.append(f"{name} {request.headers.get('range')}")
        self.sent += len(found.body)
        return found

    def listed(self, request: Request) -> Response:
        assert request.one("list-type") == "2"
        others = ("posts/README.txt", "users/x.parquet", "posts/deep/x.parquet")
        keys = [key for key in sorted([*others, *self.keys]) if key.startswith(request.one("prefix"))]
        begin = int(request.one("continuation-token") or 0)
        more = f"<NextContinuationToken>{begin + 2}</NextContinuationToken>" if begin + 2 < len(keys) else ""
        found = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys[begin : begin + 2])
        return as_text(f"<ListBucketResult>{found}{more}</ListBucketResult>", kind="application/xml")

    @property
    def keys(self) -> list[str]:
        return [f"posts/{name}" for name in self.files]

    def at(self, name: str) -> str:
        return f"http://127.0.0.1:{self.listener.server_port}/posts/{name}"

    @property
    def every(self) -> str:
        return ";".join(map(self.at, self.files))


@pytest.fixture
def bucket(desk: Desk) -> Iterator[Bucket]:
    made = Bucket(desk.world)
    made.listener.serve_in_thread()
    yield made
    made.listener.close_all()


@pytest.mark.parametrize("ranges", [True, False], ids=["in parts", "whole"])
def test_columns_of_files_at_an_address_are_fetched_without_the_rest(
    desk: Desk, bucket: Bucket, tmp_path: Path, *, ranges: bool
) -> None:
    bucket.ranges = ranges
    scratch = tmp_path / "scratch"
    got = desk.run("2022-11", "2023-06", path=bucket.every, scratch=str(scratch))
    assert not got.failures
    months = ("2022-11", "2022-12", *(f"2023-{month:02d}" for month in range(1, 7)))
    assert desk.figures() == truth(desk, *months)
    everything = sum(map(len, bucket.files.values()))
    assert everything > 10**7
    assert bucket.sent < everything / 10 if ranges else bucket.sent == everything
    assert list(scratch.iterdir()) == []


def test_a_fetch_of_parts_that_broke_goes_on_where_it_was(desk: Desk, bucket: Bucket) -> None:
    bucket.sound_for = 5
    assert "HTTP 503" in lines(desk.run("2023-05", "2023-06", path=bucket.every))[0]
    bucket.sound_for = 10**6
    assert not desk.run("2023-05", "2023-06", path=bucket.every).failures
    assert desk.figures() == truth(desk, "2023-05", "2023-06")
    assert len(bucket.parts) == len(set(bucket.parts)) > 5, "no part is fetched twice"


def test_a_pattern_at_an_address_is_every_file_of_that_folder_that_the_bucket_lists(desk: Desk, bucket: Bucket) -> None:
    assert not desk.run("2022-02", "2023-06", path=bucket.at("*.parquet")).failures
    assert desk.figures()["2022-02", "*"] == truth(desk, "2022-02")["2022-02", "*"]
    assert {part.split()[0] for part in bucket.parts} == set(bucket.files)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.parquet", "HTTP 404"),
        ("text.parquet", "text.parquet is not Parquet"),
        ("short.parquet", "short.parquet is not Parquet"),
        ("no*.parquet", "no file is at"),
    ],
)
def test_an_address_without_parquet_is_one_line(desk: Desk, bucket: Bucket, name: str, said: str) -> None:
    bucket.files |= {"text.parquet": b"hello " * 30_000, "short.parquet": b"PAR1"}
    assert said in lines(desk.run("2023-06", "2023-06", path=bucket.at(name)))[0]


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
