"""Columns of Parquet files at an address are fetched without the rest; a fetch that broke resumes, no part twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from fw_pipeline.catalog.frameworks import TAGS
from fw_pipeline.sources.stackoverflow.clickhouse_posts import PROVIDER
from fw_pipeline_tests.support.fake_services.files import file_response
from fw_pipeline_tests.support.fake_services.listener import Listener
from fw_pipeline_tests.support.fake_services.messages import Request, Response, as_text
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.fake_services.world import World
from fw_pipeline_tests.support.posts_in_parquet import by_year
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
