"""A snapshot file of the Hub is counted right, or refused for what it is; its day is that of its content."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline_tests.support.fake_services.huggingface import OLDER_MODELS, models_parquet
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.hub_live import Desk, lines, snapshot, statuses, without_tags_of_keras

FILE = "/huggingface/datasets/cfahlgren1/hub-stats/resolve/main/models.parquet"
QUARTER = ("2022-10", "2022-11", "2022-12")


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path / "data", services, "parquet")


# --- The figures


def test_a_local_file_fills_all_months_without_a_request(desk: Desk) -> None:
    months = tuple(f"2022-{month:02}" for month in range(3, 13)) + tuple(f"2023-{month:02}" for month in range(1, 6))
    got = desk.run("2022-03", "2023-05", path=snapshot(desk))
    assert lines(got) == []
    counts, expected = desk.counts(), desk.expected(*months)
    counts["2022-03"][None, ()] -= OLDER_MODELS
    assert counts == expected
    assert desk.asked() == []
    rows, detail = desk.rows(), desk.detail()
    assert rows["models"].sum() == detail.height == detail["model_id"].n_unique()
    march = rows.filter(month=date(2022, 3, 1))["method"].unique().to_list()
    assert march == [
        "counted in a snapshot of all models; 150300 of the month are older: the Hub dates them 2022-03-02"
    ]
    for measure, field in (("downloads_30d", "downloads"), ("likes", "likes")):
        of = [model[field] for model in desk.services.world.models() if model["createdAt"][:7] in months]
        assert rows[measure].sum() == sum(of)


def test_both_providers_tell_the_same_of_the_same_hub(desk: Desk, tmp_path: Path) -> None:
    desk.run("2022-10", "2022-12", path=snapshot(desk))
    api = Desk(tmp_path / "api", desk.services)
    api.run("2022-10", "2022-12")
    said = ["method", "origin", "observed_on", "provider", "observed_at", "evidence", "run_id"]
    key = ["month", "library", "formats"]
    assert desk.rows().drop(said).sort(key).equals(api.rows().drop(said).sort(key))
    drop = ["gated", "observed_on"]
    assert desk.detail().drop(drop).sort("model_id").equals(api.detail().drop(drop).sort("model_id"))
    assert desk.detail().schema == api.detail().schema


@pytest.mark.parametrize("written", ["{url}" + FILE, "hf://datasets/cfahlgren1/hub-stats/models.parquet"])
def test_a_file_at_an_address_is_downloaded_once(desk: Desk, written: str) -> None:
    desk.secrets = {"HF_TOKEN": "hf_a-token-of-nobody"}
    got = desk.run("2022-10", "2022-12", path=written.format(url=desk.services.url))
    assert lines(got) == []
    assert desk.counts() == desk.expected(*QUARTER)
    (asked,) = desk.asked()
    assert asked.headers["authorization"] == "Bearer hf_a-token-of-nobody"
    rows = desk.rows()
    assert rows["origin"].unique().to_list() == ["cfahlgren1/hub-stats at 0f2c6d2b8f7e"]
    assert rows["observed_on"].unique().to_list() == [date(2023, 7, 5)]
    evidence = desk.data / rows["evidence"].unique().item()
    assert evidence.read_bytes() == models_parquet(desk.services.world.model_count)


def test_a_token_of_the_hub_is_not_sent_elsewhere(desk: Desk) -> None:
    desk.secrets = {"HF_TOKEN": "hf_a-token-of-nobody"}
    got = desk.run("2022-12", "2022-12", path=f"{desk.services.url.replace('127.0.0.1', 'localhost')}{FILE}")
    assert lines(got) == []
    (asked,) = desk.asked()
    assert "authorization" not in asked.headers


# --- What older or other snapshots look like


def _as(name: str, kind: pl.DataType) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda frame: frame.with_columns(pl.col(name).cast(kind))


def _iso(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("createdAt").dt.strftime("%Y-%m-%dT%H:%M:%S.000Z"))


def _bare(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("createdAt").dt.replace_time_zone(None).cast(pl.Datetime("us")))


def _twice(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame.sample(500, seed=1), frame.head(3)])


def _with_private(frame: pl.DataFrame) -> pl.DataFrame:
    mine = frame.head(400).with_columns(pl.format("{}f", "_id").alias("_id"), pl.lit(value=True).alias("private"))
    return pl.concat([frame.with_columns(pl.lit(None, pl.Boolean).alias("private")), mine])


@pytest.mark.parametrize(
    "change",
    [
        _iso,
        _bare,
        _twice,
        _with_private,
        _as("downloads", pl.Float64()),
        _as("likes", pl.Int32()),
        _as("tags", pl.List(pl.Categorical())),
        lambda frame: frame.drop("_id"),
        lambda frame: frame.select("id", "tags", "likes", "library_name", "downloads", "createdAt"),
        lambda frame: frame.with_columns(pl.col("library_name").fill_null("")),
        lambda frame: frame.sample(fraction=1.0, shuffle=True, seed=2).with_columns(gated=pl.lit(value=False)),
        lambda frame: frame.with_columns(created_at=pl.lit("2020-01-01"), month=pl.lit(1), model_id=pl.lit("x")),
    ],
)
def test_every_form_of_a_snapshot_gives_the_same_figures(
    desk: Desk, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    assert lines(desk.run("2022-10", "2022-12", path=snapshot(desk, change=change))) == []
    assert desk.counts() == desk.expected(*QUARTER)


def test_what_an_older_snapshot_has_no_column_for_is_not_known(desk: Desk) -> None:
    path = snapshot(desk, change=lambda frame: frame.drop("downloads", "library_name"))
    assert lines(desk.run("2022-12", "2022-12", path=path)) == []
    rows = desk.rows()
    assert rows["downloads_30d"].null_count() == rows["library"].null_count() == rows.height > 0
    assert rows["likes"].null_count() == 0
    assert sum("has no column downloads: not known of any model" in line for line in desk.log) == 1


def test_models_without_a_list_of_tags_are_counted_without_a_tag_and_said(desk: Desk) -> None:
    untagged = pl.when(pl.col("library_name") == "keras").then(None).otherwise(pl.col("tags")).alias("tags")
    path = snapshot(desk, change=lambda frame: frame.with_columns(untagged))
    assert lines(desk.run("2022-12", "2022-12", path=path)) == []
    assert desk.counts() == without_tags_of_keras(desk, "2022-12")
    keras = desk.rows().filter(library="keras")["models"].sum()
    assert any(f"{keras} models have no list of tags: counted as models without a tag" in line for line in desk.log)


def test_tags_are_compared_without_regard_to_case(desk: Desk) -> None:
    loud = pl.col("tags").list.eval(pl.element().str.to_uppercase())
    path = snapshot(desk, change=lambda frame: frame.with_columns(loud))
    assert lines(desk.run("2022-10", "2022-12", path=path)) == []
    assert desk.counts() == desk.expected(*QUARTER)


# --- The day of a snapshot


def _until(day: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda frame: frame.filter(pl.col("createdAt").dt.strftime("%Y-%m-%d") <= day)


@pytest.mark.parametrize(
    ("folder", "changed", "taken"),
    [
        ("2023-01-04", "2023-05-05", "2023-01-04"),  # the folder of a weekly snapshot
        ("date=2023-01-04", "2023-05-05", "2023-01-04"),
        ("here", "2023-01-05", "2023-01-05"),  # the file's own date
        ("2022-12-28", "2023-01-06", "2023-01-06"),  # a folder of the week's first day, and a later content
        ("2022-12-28", "2023-05-05", "2023-01-03"),  # neither fits: the day of the newest model
        ("2023-02-22", "2023-05-05", "2023-01-03"),  # a stale file under a new label
        ("2023-13-45", "2023-05-05", "2023-01-03"),
    ],
)
def test_a_snapshot_is_of_the_day_that_its_content_bears_out(desk: Desk, folder: str, changed: str, taken: str) -> None:
    path = snapshot(desk, folder, _until("2023-01-03"))
    moment = datetime.fromisoformat(changed).replace(hour=12, tzinfo=UTC).timestamp()
    os.utime(path, (moment, moment))
    assert lines(desk.run("2022-12", "2022-12", path=path)) == []
    assert desk.rows()["observed_on"].unique().to_list() == [date.fromisoformat(taken)]
    assert any(f"the snapshot is of {taken}" in line for line in desk.log)


def test_a_quiet_end_of_a_month_is_no_gap_where_the_server_dates_the_file_later(desk: Desk) -> None:
    newest = max(model["createdAt"] for model in desk.services.world.models())
    assert newest.startswith("2023-06-30")
    assert lines(desk.run("2023-06", "2023-06", path=f"{desk.services.url}{FILE}")) == []
    assert desk.counts() == desk.expected("2023-06")


def test_months_after_a_snapshot_are_refused_and_not_empty(desk: Desk) -> None:
    got = desk.run("2022-10", "2023-02", path=snapshot(desk, "2022-12-21", _until("2022-12-20")))
    assert statuses(got) == {
        "2022-10": "present",
        "2022-11": "present",
        "2022-12": "refused",
        "2023-01": "refused",
        "2023-02": "refused",
    }
    assert lines(got)[0] == (
        "huggingface (parquet) 2022-12: it was not over when the Hub was looked at (2022-12-21 00:00 UTC); "
        "name a newer snapshot, or use the provider api"
    )
    assert desk.counts() == desk.expected("2022-10", "2022-11")


def test_a_name_full_of_signs_is_a_name_and_no_pattern(desk: Desk) -> None:
    snapshot(desk, "week 1", lambda frame: frame.tail(900))
    path = snapshot(desk, "week [1]")
    assert lines(desk.run("2022-12", "2022-12", path=path)) == []
    assert desk.counts() == desk.expected("2022-12")


def test_a_long_range_is_read_in_parts_to_the_same_figures(desk: Desk) -> None:
    got = desk.run("2022-04", "2023-05", path=snapshot(desk))
    assert len(statuses(got)) == 14
    first = date(2022, 4, 1)
    months = {f"{(first + timedelta(days=31 * number)).replace(day=1):%Y-%m}" for number in range(14)}
    assert desk.counts() == desk.expected(*sorted(months))
