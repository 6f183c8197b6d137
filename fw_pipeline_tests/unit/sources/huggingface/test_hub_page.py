"""The rows of the Hub have many forms; each gives the same figures, or says what is not known."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.hub_live import (
    LISTING,
    Desk,
    Row,
    counted,
    edited,
    lines,
    without_tags_of_keras,
)

QUARTER = ("2022-10", "2022-11", "2022-12")


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    services.world.hub_page_cap = 150
    return Desk(tmp_path / "data", services)


def _numbers_as_texts(page: list[Row]) -> None:
    for row in page:
        row |= {"downloads": str(row["downloads"]), "likes": str(row["likes"])}


def _default_row(page: list[Row]) -> None:
    for row in page:
        row |= {"modelId": row["id"], "trendingScore": 3, "pipeline_tag": "text-generation"}
        del row["gated"]


def _library_null_or_blank(page: list[Row]) -> None:
    for number, row in enumerate(page):
        if "library_name" not in row:
            row["library_name"] = None if number % 2 else ""


def _gated_in_every_way(page: list[Row]) -> None:
    for number, row in enumerate(page):
        row["gated"] = (False, "auto", "manual", True, None)[number % 5]


def _tags_unsorted_and_twice(page: list[Row]) -> None:
    for row in page:
        row["tags"] = [*reversed(row["tags"]), *row["tags"], "", "a;b"]


def _tags_in_capitals(page: list[Row]) -> None:
    for row in page:
        row["tags"] = [tag.upper() if number % 2 else tag.title() for number, tag in enumerate(row["tags"])]


def _dates_in_other_forms(page: list[Row]) -> None:
    for number, row in enumerate(page):
        bare = row["createdAt"].removesuffix(".000Z")
        row["createdAt"] = (bare + "Z", bare + "+00:00", bare)[number % 3]


@pytest.mark.parametrize(
    "change",
    [
        *(_numbers_as_texts, _default_row, _library_null_or_blank, _gated_in_every_way, _tags_unsorted_and_twice),
        *(_tags_in_capitals, _dates_in_other_forms),
    ],
)
def test_every_form_of_a_row_gives_the_same_figures(desk: Desk, change: object) -> None:
    desk.services.faults.add(LISTING, edited(change), times=-1)  # type: ignore[arg-type]
    assert lines(desk.run("2022-10", "2022-12")) == []
    assert desk.counts() == desk.expected(*QUARTER)


def test_a_field_that_was_not_asked_for_is_told(desk: Desk) -> None:
    desk.services.faults.add(LISTING, edited(_default_row), times=-1)
    desk.run("2022-12", "2022-12")
    assert any(
        line.endswith("fields that were not asked for: modelId, pipeline_tag, trendingScore") for line in desk.log
    )


@pytest.mark.parametrize("absent", [True, False])
def test_models_without_a_list_of_tags_are_counted_without_a_tag_and_said(desk: Desk, absent: bool) -> None:
    def untagged(page: list[Row]) -> None:
        for row in page:
            if row.get("library_name") == "keras":
                row["tags"] = None
                if absent:
                    del row["tags"]

    desk.services.faults.add(LISTING, edited(untagged), times=-1)
    assert lines(desk.run("2022-12", "2022-12")) == []
    assert desk.counts() == without_tags_of_keras(desk, "2022-12")
    keras = desk.rows().filter(library="keras")["models"].sum()
    assert any(f"{keras} models have no list of tags: counted as models without a tag" in line for line in desk.log)


def test_a_listing_that_gives_no_tags_at_all_is_refused(desk: Desk) -> None:
    desk.services.faults.add(LISTING, edited(lambda page: [row.pop("tags") for row in page] and None), times=-1)
    (line,) = lines(desk.run("2022-12", "2022-12"))
    assert "none of the 150 models of the page has the field tags" in line
    assert desk.rows().is_empty()


def test_gating_is_kept_beside_each_model(desk: Desk) -> None:
    desk.run("2022-12", "2022-12")
    world = {model["_id"]: model["gated"] or "no" for model in desk.services.world.models()}
    assert dict(desk.detail().select("model_id", "gated").rows()) == {
        key: world[key] for key in desk.detail()["model_id"]
    }
    assert set(desk.detail()["gated"]) == {"no", "auto", "manual"}


def test_what_some_models_do_not_tell_is_not_known_of_all(desk: Desk) -> None:
    def silent(page: list[Row]) -> None:
        for row in page:
            if row.get("library_name") == "keras":
                del row["downloads"]

    desk.services.faults.add(LISTING, edited(silent), times=-1)
    assert lines(desk.run("2022-12", "2022-12")) == []
    keras = pl.col("library") == "keras"
    assert desk.rows().filter(keras)["downloads_30d"].null_count() == desk.rows().filter(keras).height > 0
    assert desk.rows().filter(~keras)["downloads_30d"].null_count() == 0


def test_private_models_that_a_token_shows_are_not_part_of_the_hub(desk: Desk) -> None:
    desk.secrets = {"HF_TOKEN": "hf_a-token-of-nobody"}

    def private(page: list[Row]) -> None:
        for row in page:
            row["private"] = row["likes"] % 7 == 0

    desk.services.faults.add(LISTING, edited(private), times=-1)
    assert lines(desk.run("2022-12", "2022-12")) == []
    public = [model for model in desk.services.world.models() if model["likes"] % 7]
    assert desk.counts() == counted(public, ["2022-12"])


def test_a_token_is_sent_to_the_hub_and_written_nowhere(desk: Desk) -> None:
    desk.secrets = {"HF_TOKEN": "hf_a-token-of-nobody"}
    desk.services.faults.add(LISTING, "instead", status=401, body="no: hf_a-token-of-nobody", after=3)
    got = desk.run("2022-12", "2022-12")
    assert {request.headers["authorization"] for request in desk.asked()} == {"Bearer hf_a-token-of-nobody"}
    assert "check the key or token" in lines(got)[0]
    desk.run("2022-12", "2022-12")
    assert desk.counts() == desk.expected("2022-12")
    written = b"".join(path.read_bytes() for path in desk.data.rglob("*") if path.is_file())
    assert b"token-of-nobody" not in written + "".join([*desk.log, *lines(got)]).encode()
    pages = [pl.read_csv(path, has_header=False, separator="\n") for path in desk.data.rglob("*.body.gz")]
    assert pages
    assert not any("token-of-nobody" in str(page.rows()) for page in pages)
