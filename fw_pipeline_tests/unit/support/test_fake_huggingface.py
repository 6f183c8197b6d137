"""The fake Hub answers as the real one did, so that what is proven against it holds in the world."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import requests

from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.real_answers import REAL, get, real_answers, real_json, shape


def _listing(services: FakeServices, **params: Any) -> Iterator[list[dict[str, Any]]]:
    url: str | None = f"{services.url}/huggingface/api/models"
    while url:
        answer = requests.get(url, params=params, timeout=10)
        yield answer.json()
        url, params = answer.links.get("next", {}).get("url"), {}


def test_the_hub_lists_newest_first_to_the_end_whatever_the_page_size(services: FakeServices) -> None:
    services.world.hub_page_cap = 700
    pages = list(_listing(services, sort="createdAt", limit=5000, **{"expand[]": ["createdAt", "tags"]}))
    assert [len(page) for page in pages] == [700, 700, 700, 700, 200]
    rows = [row for page in pages for row in page]
    assert [row["_id"] for row in rows] == [model["_id"] for model in services.world.models()]
    assert [row["createdAt"] for row in rows] == sorted((row["createdAt"] for row in rows), reverse=True)
    assert {key for row in rows for key in row} == {"_id", "id", "createdAt", "tags"}
    assert len({row["_id"] for row in rows if row["createdAt"].startswith("2022-03-02T23:29:0")}) == 300


def test_the_hub_lists_oldest_first_by_creation_and_by_nothing_else(services: FakeServices) -> None:
    services.world.hub_page_cap = 700
    pages = list(_listing(services, sort="createdAt", direction=1, limit=1000))
    rows = [row for page in pages for row in page]
    assert [row["createdAt"] for row in rows] == sorted(row["createdAt"] for row in rows)
    assert {row["_id"] for row in rows} == {model["_id"] for model in services.world.models()}
    assert len(rows) == 3000
    assert rows[0]["createdAt"] == "2022-03-02T23:29:04.000Z"
    assert get(services, "/huggingface/api/models", sort="likes", direction=1).status_code == 400


def test_the_hub_filters_by_every_tag_named(services: FakeServices) -> None:
    rows = [row for page in _listing(services, sort="createdAt", filter=["pytorch", "jax"]) for row in page]
    assert {row["_id"] for row in rows} == {
        model["_id"] for model in services.world.models() if {"pytorch", "jax"} <= set(model["tags"])
    }
    assert rows


@real_answers
def test_the_hub_answers_in_the_recorded_forms(services: FakeServices) -> None:
    listing = get(services, "/huggingface/api/models", sort="likes", limit=10)
    assert set(listing.json()[0]) <= set(real_json("huggingface/api_models_default_2025-11.json")[0])
    recorded = (REAL / "huggingface/link_headers.txt").read_text()
    cursor = recorded.split("# decoded cursor: ")[1].splitlines()[0]
    ours = listing.links["next"]["url"].rpartition("cursor=")[2]
    decoded = json.loads(base64.b64decode(unquote(ours)))
    assert shape(decoded) == shape(json.loads(cursor))
    headers = (REAL / "huggingface/response_headers_2026-06-08.http").read_text()
    for name in ("RateLimit", "RateLimit-Policy"):
        assert _letters(listing.headers[name]) in map(_letters, headers.splitlines()), name
    renamed = get(services, "/huggingface/api/models/bert-base-uncased").history[0]
    assert (renamed.status_code, renamed.text) == (307, (REAL / "huggingface/307_renamed_repo.txt").read_text().strip())


@real_answers
def test_the_hub_refuses_in_plain_text_when_its_window_is_spent(services: FakeServices) -> None:
    services.world.hub_quota = 1
    get(services, "/huggingface/api/models", limit=1)
    refused = get(services, "/huggingface/api/models", limit=1)
    assert (refused.status_code, refused.headers["Content-Type"]) == (429, "text/plain; charset=utf-8")
    assert "r=0;t=" in refused.headers["RateLimit"]
    recorded = (REAL / "huggingface/429_rate_limited.txt").read_text()
    assert _letters(refused.text) == _letters(recorded)


def _letters(text: str) -> str:
    bare = text.removeprefix("RateLimit: ").removeprefix("RateLimit-Policy: ")
    return "".join(c for c in bare if not c.isdigit()).strip()
