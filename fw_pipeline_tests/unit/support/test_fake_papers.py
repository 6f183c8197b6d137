"""The fake arXiv and archive answer as the real ones did, so that what is proven there holds in the world."""

from __future__ import annotations

import gzip
import json
import xml.etree.ElementTree as ET
from datetime import date
from typing import Any

import pytest
import requests

from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.real_answers import REAL, get, real_answers, real_json

MARCH = date(2022, 3, 1)


def _tree(text: str) -> list[tuple[str, tuple[str, ...]]]:
    feed = ET.fromstring(text.encode())
    names = [
        (child.tag.rpartition("}")[2], tuple(sorted(child.attrib))) for child in feed if not child.tag.endswith("entry")
    ]
    for entry in feed.iter("{http://www.w3.org/2005/Atom}entry"):
        names += [(f"entry/{child.tag.rpartition('}')[2]}", tuple(sorted(child.attrib))) for child in entry]
        break
    return names


@real_answers
@pytest.mark.parametrize(
    ("recorded", "params"),
    [
        ("id_abc_s0_m100", {"id_list": "abc"}),
        ("id_0000.0000_s0_m100", {"id_list": "0000.0000", "max_results": 100}),
    ],
)
def test_arxiv_feeds_have_the_recorded_elements(recorded: str, params: dict[str, Any], services: FakeServices) -> None:
    real, ours = real_json(f"arxiv/{recorded}.json"), get(services, "/arxiv/query", **params)
    assert ours.status_code == real["status_code"]
    assert _tree(ours.text) == _tree(real["body"])
    assert ours.text.count("<entry>") == real["body"].count("<entry>")


@real_answers
def test_arxiv_entries_have_recorded_elements_only(services: FakeServices) -> None:
    real = real_json("arxiv/q_testing_s0_m10.json")
    ours = get(services, "/arxiv/query", search_query="all:subject", max_results=10)
    assert set(_tree(ours.text)) <= set(_tree(real["body"]))
    assert (
        "<title>arXiv Query: search_query=all:subject&amp;id_list=&amp;start=0&amp;max_results=10</title>" in ours.text
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("(abs:pytorch OR ti:pytorch) AND submittedDate:[202203010000 TO 202203312359]", {"PyTorch"}),
        ("abs:(pytorch OR jax) AND submittedDate:[202203010000 TO 202203312359]", {"PyTorch", "JAX"}),
        ("submittedDate:[202203010000 TO 202203312359] AND all:tensorflow", {"TensorFlow"}),
        ('submittedDate:[202203010000 TO 202203312359] AND abs:"our code uses pytorch"', {"Our code uses PyTorch"}),
    ],
)
def test_arxiv_counts_what_a_query_selects(query: str, words: set[str], services: FakeServices) -> None:
    expected = sum(
        paper["published"].date().replace(day=1) == MARCH and any(word in paper["abstract"] for word in words)
        for paper in services.world.papers()
    )
    answer = get(services, "/arxiv/query", search_query=query, max_results=1)
    assert f"<opensearch:totalResults>{expected}</opensearch:totalResults>" in answer.text
    assert expected > 3


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"max_results": 0}, 500),
        ({"start": 9_999, "max_results": 2}, 500),
        ({"start": 9_999, "max_results": 1}, 200),
        ({"max_results": 40_000}, 400),
        ({"start": -1}, 400),
        ({"sortBy": "title"}, 400),
        ({"search_query": "(abs:x"}, 400),
    ],
)
def test_arxiv_has_its_limits(params: dict[str, Any], status: int, services: FakeServices) -> None:
    answer = get(services, "/arxiv/query", **{"search_query": "all:subject", **params})
    assert answer.status_code == status
    if status == 400:
        assert "<opensearch:totalResults>1</opensearch:totalResults>" in answer.text


@real_answers
def test_arxiv_throttles_as_recorded(services: FakeServices) -> None:
    services.world.arxiv_least_seconds = 600
    assert get(services, "/arxiv/query", search_query="x").status_code == 200
    refused = get(services, "/arxiv/query", search_query="x")
    assert (refused.status_code, refused.text) == (429, (REAL / "arxiv/429_rate_exceeded.txt").read_text().strip())


@real_answers
def test_the_archive_has_the_recorded_columns(services: FakeServices) -> None:
    for name, recorded in (
        ("links-between-papers-and-code", real_json("papers/links_rows.json")[0]),
        ("papers-with-abstracts", real_json("papers/papers_with_abstracts_row.json")),
    ):
        rows = json.loads(gzip.decompress(get(services, f"/pwc/{name}.json.gz").content))
        assert list(rows[0]) == list(recorded), name


def test_the_site_of_papers_with_code_answers_a_page(services: FakeServices) -> None:
    answer = get(services, "/pwc/api/v1/papers")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_the_archive_on_the_hub_is_listed_in_parts_and_answers_304_for_what_has_not_changed(
    services: FakeServices,
) -> None:
    repository = "/huggingface/api/datasets/pwc-archive/papers-with-abstracts"
    listing = get(services, f"{repository}/tree/main/data").json()
    files = sorted(row["path"] for row in listing if row["type"] == "file" and row["path"].endswith(".parquet"))
    assert files == [f"data/train-0000{part}-of-00004.parquet" for part in range(4)]
    assert get(services, f"{repository}/parquet").status_code == 404
    address = f"{services.url}{repository.replace('/api', '')}/resolve/main/{files[0]}"
    first = requests.get(address, timeout=10)
    for name, value in (
        ("If-None-Match", first.headers["ETag"]),
        ("If-Modified-Since", first.headers["Last-Modified"]),
    ):
        again = requests.get(address, headers={name: value}, timeout=10)
        assert (again.status_code, again.content) == (304, b"")
    assert requests.get(address, headers={"If-None-Match": '"another"'}, timeout=10).content == first.content
