"""The Hub's listing becomes the right figures, at the least cost, whichever of its forms it answers in."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlencode

import polars as pl
import pytest

from fw_pipeline.ingestion.providers import ProviderSelection, asking
from fw_pipeline.months import Window
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.fake_services.faults import Answer
from fw_pipeline_tests.support.fake_services.messages import Request, Response, as_json
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.hub_live import LISTING, NOW, REAL, Desk, counted, lines, statuses

QUARTER = ("2022-10", "2022-11", "2022-12")


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    services.world.hub_page_cap = 150
    return Desk(tmp_path / "data", services)


# --- The figures, and their cost


def test_a_range_is_counted_with_no_page_more_than_it_needs(desk: Desk) -> None:
    got = desk.run("2022-10", "2022-12")
    assert lines(got) == []
    assert desk.counts() == desk.expected(*QUARTER)
    asked = desk.asked()
    assert len(asked) == desk.least_pages("2022-10")
    assert set(asked[0].query) == {
        ("sort", "createdAt"),
        ("limit", "1000"),
        *(("expand[]", it) for it in ["createdAt", "library_name", "tags", "downloads", "likes", "gated", "private"]),
    }


def test_figures_say_what_they_are_and_the_listing_stands_beside_them(desk: Desk) -> None:
    desk.run("2022-10", "2022-12")
    rows, detail = desk.rows(), desk.detail()
    assert rows.select("population", "origin", "method", "observed_on").unique().rows() == [
        ("hub", "Hugging Face Hub API", "counted in the listing of all models", NOW.date())
    ]
    world = {model["_id"]: model for model in desk.services.world.models() if model["createdAt"][:7] in QUARTER}
    assert set(detail["model_id"]) == set(world)
    assert rows["models"].sum() == detail.height == len(world)
    for measure, field in (("downloads_30d", "downloads"), ("likes", "likes")):
        assert rows[measure].sum() == detail[measure].sum() == sum(model[field] for model in world.values())
    one = detail.row(0, named=True)
    assert one["created_at"] == datetime.fromisoformat(world[one["model_id"]]["createdAt"])
    assert one["created_at"].date().replace(day=1) == one["month"]
    assert one["id"] == world[one["model_id"]]["id"]
    for ref in rows["evidence"].unique():
        assert all((desk.data / part).is_file() for part in ref.split(";"))


def test_months_are_handed_over_while_the_listing_goes_on(desk: Desk) -> None:
    desk.services.faults.add(LISTING, "error", status=504, after=13, times=-1)
    got = desk.run("2022-04", "2023-06")
    seen = {month for month, status in statuses(got).items() if status == "present"}
    assert {"2023-06", "2023-05", "2022-12"} <= seen
    assert "2022-04" not in seen
    assert desk.counts() == desk.expected(*seen)


def test_the_pile_of_older_models_is_listed_to_its_end_and_labelled(desk: Desk) -> None:
    got = desk.run("2022-03", "2022-03")
    assert lines(got) == []
    assert desk.counts() == desk.expected("2022-03")
    assert len(desk.asked()) == desk.least_pages_up_to("2022-03") == 3
    old = sum(model["createdAt"].startswith("2022-03-02T23:29:0") for model in desk.services.world.models())
    said = desk.rows()["method"].unique().to_list()
    assert old == 300
    assert said == ["counted in the listing of all models; 300 of the month are older: the Hub dates them 2022-03-02"]


@pytest.mark.parametrize("cap", [700, 1000, 3000])
def test_the_last_page_counts_whether_short_full_or_the_only_one(desk: Desk, cap: int) -> None:
    desk.services.world.hub_page_cap = cap
    assert lines(desk.run("2022-03", "2022-04")) == []
    assert desk.counts() == desk.expected("2022-03", "2022-04")


@pytest.mark.parametrize("direction", ["honoured", "refused"])
def test_an_empty_last_page_ends_the_listing(desk: Desk, direction: str) -> None:
    desk.services.world.hub_page_cap, desk.services.world.hub_direction = 1000, direction

    def one_more(request: Request, answer: Answer) -> Response:
        link = f'<{request.base_url}/api/models?{urlencode([*request.query, ("cursor", "end")])}>; rel="next"'
        true = answer(request)
        return replace(true, headers={**true.headers, "Link": link})

    before = 2 if direction == "honoured" else 3
    desk.services.faults.add(LISTING, one_more, after=before)
    desk.services.faults.add(LISTING, lambda _request, _answer: as_json([]), after=before)
    got = desk.run("2022-03", "2023-06")
    assert lines(got) == []
    assert len(desk.asked()) == before + 2
    assert desk.counts() == desk.expected(*statuses(got))


def test_the_plan_tells_the_cost_before_anything_is_asked(desk: Desk) -> None:
    settings = read({"FW_DATA_DIR": str(desk.data)}, dotenv=Path("none"))
    source = SOURCES["huggingface"]
    chosen = ProviderSelection(source, source.providers["api"], dict(settings.addresses))
    window = Window.of(date(2022, 3, 1), date(2026, 10, 1))
    fetch, _ = asking(chosen, window, settings, now=datetime(2026, 11, 22, tzinfo=UTC))
    plan = chosen.provider.plan(fetch)
    assert plan.requests is None
    assert (
        "oldest first, from the beginning of the Hub to 2026-10 (where the Hub refuses that, newest first, about 3,300)"
        in (plan.text)
    )
    assert "about 3,200 requests of 1,000 models; it answers 500 in five minutes, 1,000 with HF_TOKEN" in plan.text
    assert plan.text.endswith("so it takes 30 minutes or more")
    reach = chosen.provider.reach(fetch)
    assert (reach.window.start, reach.window.months()[-1]) == (date(2022, 3, 1), date(2026, 10, 1))
    assert "2022-03-02" in str(reach.why_not(date(2022, 2, 1)))
    assert desk.asked() == []


def test_an_option_that_does_not_exist_is_not_passed_over(desk: Desk) -> None:
    got = desk.run("2022-10", "2022-12", path="pytorch")
    given = str(Path("pytorch").absolute())
    assert lines(got) == [f"huggingface (api): it takes no path, but {given!r} was given; write huggingface=api"]
    assert desk.asked() == []


# --- Real rows


@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded answers are not here")
def test_real_rows_are_counted_as_they_are(desk: Desk) -> None:
    rows = pl.read_ndjson(REAL / "radar_models_2026-08-22.jsonl.gz", infer_schema_length=None).to_dicts()
    rows.sort(key=lambda row: row["createdAt"], reverse=True)
    listed = [{"_id": f"{number:024x}", **row} for number, row in enumerate(rows)]

    date_of_look = "Sun, 23 Aug 2026 00:00:00 GMT"

    def real(request: Request, _answer: Answer) -> Response:
        start = int(request.one("cursor", "0"))
        query = urlencode([*(pair for pair in request.query if pair[0] != "cursor"), ("cursor", str(start + 1000))])
        link = {"Link": f'<{request.base_url}/api/models?{query}>; rel="next"'} if start + 1000 < len(listed) else {}
        return replace(
            as_json(listed[start : start + 1000]),
            headers={"Content-Type": "application/json", "Date": date_of_look, **link},
        )

    desk.services.faults.add(LISTING, real, times=-1)
    got = desk.run("2026-05", "2026-07", now=datetime(2026, 8, 23, tzinfo=UTC))
    assert lines(got) == []
    assert desk.counts() == counted(rows, ["2026-05", "2026-06", "2026-07"])
    assert sum(sum(month.values()) for month in desk.counts().values()) > 900


@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded answers are not here")
def test_a_real_page_is_read_though_it_is_not_the_whole_listing(desk: Desk) -> None:
    page = json.loads((REAL / "api_models_default_2025-11.json").read_text())
    desk.services.faults.add(LISTING, lambda _request, _answer: as_json(page))
    got = desk.run("2025-09", "2025-10", now=datetime(2025, 11, 5, tzinfo=UTC))
    (line,) = lines(got)
    assert line.startswith("huggingface (api) 2025-09 to 2025-10: the listing ends on 2025-10-22, although the Hub has")
    assert desk.rows().is_empty()
