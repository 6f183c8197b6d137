"""The archive is found whatever its files are called, in however many parts, and is not downloaded twice unchanged."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from fw_pipeline.settings import read
from fw_pipeline.settings_values import SettingError
from fw_pipeline_tests.support.fake_services import faults
from fw_pipeline_tests.support.fake_services.faults import Answer
from fw_pipeline_tests.support.fake_services.messages import Request, Response, as_json
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.papers_live import Desk, in_the_archive, lines

FIRST, LAST = "2022-01", "2023-06"
LINKS, PAPERS = "links-between-paper-and-code", "papers-with-abstracts"
API, FILES = "/huggingface/api/datasets/pwc-archive", "/huggingface/datasets/pwc-archive"
LATER = datetime(2023, 9, 1, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, services, "archive")


def _paths(services: FakeServices) -> list[str]:
    return [request.path.rpartition("/pwc-archive/")[2] for request in services.of("huggingface")]


PARTS = [f"{PAPERS}/resolve/main/data/train-0000{part}-of-00004.parquet" for part in range(4)]


# --- Where the files are


def test_every_file_of_the_repositories_is_taken(desk: Desk, services: FakeServices) -> None:
    got = desk.run(FIRST, LAST, links=desk.on_the_hub(LINKS), papers=desk.on_the_hub(PAPERS))
    assert not got.failures
    assert desk.figures() == in_the_archive(services)
    assert _paths(services) == [
        f"{LINKS}/tree/main/data",
        f"{LINKS}/resolve/main/data/train-00000-of-00001.parquet",
        f"{PAPERS}/tree/main/data",
        *PARTS,
    ]
    assert any(
        "2 to list the files of the archive, and one for each of them, about 7 requests" in it for it in desk.log
    )
    assert set(desk.rows()["observed_on"]) == {services.world.today}


def test_without_a_listing_of_the_folder_the_list_of_parquet_files_does(desk: Desk, services: FakeServices) -> None:
    services.world.archive_listing = "parquet"
    got = desk.run(FIRST, LAST, links=desk.on_the_hub(LINKS), papers=desk.on_the_hub(PAPERS))
    assert not got.failures
    assert desk.figures() == in_the_archive(services)
    assert f"{PAPERS}/parquet/default/train/3.parquet" in _paths(services)


@pytest.mark.parametrize("name", ["train-00000-of-00001.parquet", "train-00000-of-00004.parquet", "gone.parquet"])
def test_a_name_that_is_not_there_or_not_the_whole_falls_back_to_the_listing(
    name: str, desk: Desk, services: FakeServices
) -> None:
    got = desk.run(FIRST, LAST, papers=desk.on_the_hub(PAPERS, name))
    assert not got.failures
    assert desk.figures() == in_the_archive(services)
    assert _paths(services)[-4:] == PARTS
    assert any("its repository is listed" in line for line in desk.log)


def test_several_addresses_are_read_as_one_file(desk: Desk, services: FakeServices) -> None:
    four = " ".join(desk.on_the_hub(PAPERS, Path(part).name) for part in PARTS)
    assert not desk.run(FIRST, LAST, papers=four).failures
    assert desk.figures() == in_the_archive(services)
    assert _paths(services) == PARTS


@pytest.mark.parametrize(
    ("listing", "cause"),
    [
        ([{"type": "file", "path": "data/train-00000-of-00004.parquet"}], "has no part 00001 of 00004 of the papers"),
        ([{"type": "file", "path": "README.md"}], "has no Parquet file of the papers file"),
        ([{"type": "file"}], "field path is missing"),
        ([{"type": "file", "path": "data/../../x.parquet"}], "a path that leads elsewhere"),
        ({"error": "no"}, "a JSON dict instead of a list"),
    ],
)
def test_a_repository_without_the_whole_file_is_said_and_asked_again(
    listing: object, cause: str, desk: Desk, services: FakeServices
) -> None:
    def other(_request: Request, _answer: Answer) -> Response:
        return as_json(listing)

    services.faults.add(f"{API}/{PAPERS}/tree", other, times=-1)
    (line,) = lines(desk.run(FIRST, LAST, papers=desk.on_the_hub(PAPERS)))
    assert cause in line
    assert desk.rows().is_empty()
    services.faults.clear()
    assert not desk.run(FIRST, LAST, papers=desk.on_the_hub(PAPERS)).failures
    assert desk.figures() == in_the_archive(services)


def test_a_part_that_fails_costs_only_what_is_missing_the_next_time(desk: Desk, services: FakeServices) -> None:
    services.faults.add(f"{FILES}/{PAPERS}/resolve/main/data/train-00002", faults.error(502), times=-1)
    (line,) = lines(desk.run(FIRST, LAST, papers=desk.on_the_hub(PAPERS)))
    assert "HTTP 502" in line
    services.faults.clear()
    services.requests.clear()
    assert not desk.run(FIRST, LAST, papers=desk.on_the_hub(PAPERS)).failures
    assert _paths(services) == PARTS[2:]
    assert desk.figures() == in_the_archive(services)


def test_a_pattern_outside_a_repository_is_refused_by_name(desk: Desk) -> None:
    (line,) = lines(desk.run(FIRST, LAST, papers="papers-*.parquet"))
    assert "is a pattern, and no address in a repository of the Hub; write it like https://huggingface.co/" in line


def test_the_settings_take_several_addresses_and_a_pattern(tmp_path: Path) -> None:
    given = {"FW_PWC_PAPERS_URL": "https://x.org/0.parquet, https://x.org/1.parquet\thttps://x.org/b/*.parquet"}
    settings = read(given, dotenv=tmp_path / "none")
    assert settings.addresses["FW_PWC_PAPERS_URL"].split() == [
        "https://x.org/0.parquet",
        "https://x.org/1.parquet",
        "https://x.org/b/*.parquet",
    ]
    with pytest.raises(SettingError, match=r"FW_PWC_PAPERS_URL is 'x.org/1.parquet'"):
        read({"FW_PWC_PAPERS_URL": "https://x.org/0.parquet x.org/1.parquet"}, dotenv=tmp_path / "none")


# --- What has not changed


@pytest.mark.parametrize("validator", ["ETag", "Last-Modified"])
def test_a_second_fetch_downloads_nothing_that_has_not_changed(
    validator: str, desk: Desk, services: FakeServices
) -> None:
    def bare(request: Request, answer: Answer) -> Response:
        true = answer(request)
        kept = {k: v for k, v in true.headers.items() if k in {validator, "Content-Type"}}
        return Response(true.status, kept, true.body)

    services.faults.add("/pwc", bare, times=-1)
    services.faults.add(f"{FILES}", bare, times=-1)
    assert not desk.run(FIRST, LAST, papers=desk.on_the_hub(PAPERS)).failures
    first, day = desk.figures(), set(desk.rows()["observed_on"])
    services.requests.clear()
    for number in range(2):
        got = desk.run(FIRST, LAST, now=LATER.replace(day=number + 1), papers=desk.on_the_hub(PAPERS))
        assert {outcome.status for outcome in got.outcomes} == {"unchanged"}
    assert [it.status for it in services.requests if it.path.endswith(".parquet")] == [304] * 5 * 2
    assert desk.figures() == first
    assert set(desk.rows()["observed_on"]) == day
    assert sum("has not changed since it was fetched: it is not downloaded again" in it for it in desk.log) == 10


def test_a_file_that_has_changed_is_downloaded_and_asked_about_from_then_on(desk: Desk, services: FakeServices) -> None:
    desk.run(FIRST, LAST)
    services.world.paper_count, services.world.today = 700, date(2023, 7, 20)
    services.requests.clear()
    assert not desk.run(FIRST, LAST, now=LATER).failures
    assert [it.status for it in services.requests] == [200, 200]
    assert desk.figures() == in_the_archive(services)
    services.requests.clear()
    assert not desk.run(FIRST, LAST, now=LATER.replace(day=2)).failures
    assert [it.status for it in services.requests] == [304, 304]
    assert desk.figures() == in_the_archive(services)


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_kept_file_that_is_damaged_is_downloaded_again(damage: str, desk: Desk, services: FakeServices) -> None:
    desk.run(FIRST, LAST)
    (kept,) = (desk.data / "data/evidence/papers/archive").glob("*/links.*.parquet")
    if damage == "cut":
        kept.write_bytes(kept.read_bytes()[:-100])
    else:
        kept.unlink()
    services.requests.clear()
    got = desk.run(FIRST, LAST, now=LATER)
    assert not got.failures
    assert [it.status for it in services.requests] == [200, 304]
    assert desk.figures() == in_the_archive(services)


def test_a_file_that_was_refused_is_downloaded_again_although_it_has_not_changed(
    desk: Desk, services: FakeServices
) -> None:
    services.faults.add("/pwc/papers", faults.truncated_body(0.7))
    assert desk.run(FIRST, LAST).failures
    services.requests.clear()
    assert not desk.run(FIRST, LAST, now=datetime(2023, 7, 20, tzinfo=UTC)).failures
    assert [it.status for it in services.requests][-1] == 200
    assert desk.figures() == in_the_archive(services)
