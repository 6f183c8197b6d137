"""The fake services answer as the real ones did, so that what is proven against them holds in the world."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests

from fw_pipeline_tests.fake_services.server import SERVICES, FakeServices
from fw_pipeline_tests.fake_services.world import PACKAGE_NAMES

REAL = Path(__file__).parents[2] / "shared" / "real"
MARCH = date(2022, 3, 1)

real_answers = pytest.mark.skipif(not REAL.is_dir(), reason="the recorded real answers are not on this machine")


def _get(services: FakeServices, path: str, **params: Any) -> requests.Response:
    return requests.get(f"{services.url}{path}", params=params, timeout=10)


def _json(path: str) -> Any:
    return json.loads((REAL / path).read_text(encoding="utf-8"))


# Stack Exchange


@real_answers
@pytest.mark.parametrize(
    ("recorded", "params"),
    [
        ("bad_parameter_site_required", {}),
        ("bad_parameter_site_unknown", {"site": "invalid_site_xyz"}),
        ("bad_parameter_pagesize", {"site": "stackoverflow", "pagesize": 101}),
        ("access_denied_page26", {"site": "stackoverflow", "page": 26}),
    ],
)
def test_stack_exchange_errors_are_the_recorded_ones_under_http_400(
    recorded: str, params: dict[str, Any], services: FakeServices
) -> None:
    answer = _get(services, "/stackexchange/questions", **params)
    assert (answer.status_code, answer.json()) == (400, _json(f"stackexchange/{recorded}.json"))


@real_answers
def test_stack_exchange_throttles_as_recorded(services: FakeServices) -> None:
    services.world.keyless_quota, services.world.backoff_every, services.world.backoff_seconds = 2, 1, 600
    first, second, third = (_get(services, "/stackexchange/questions", site="stackoverflow") for _ in range(3))
    assert first.json()["backoff"] == 600
    assert second.json() == _json("stackexchange/throttle_violation_backoff.json")
    assert third.json() == _json("stackexchange/throttle_violation_quota.json")


def test_stack_exchange_counts_with_and_or_and_inclusive_seconds(services: FakeServices) -> None:
    made = _get(services, "/stackexchange/filters/create", base="none", include=".total;.backoff;.quota_remaining")
    name = made.json()["items"][0]["filter"]

    def total(method: str, tagged: str, first: int, last: int) -> int:
        dates = {"fromdate": first, "todate": last, "tagged": tagged}
        answer = _get(services, f"/stackexchange/{method}", site="stackoverflow", filter=name, **dates).json()
        assert set(answer) == {"total", "quota_remaining"}
        return int(answer["total"])

    start, end = 1646092800, 1648771200
    both, either = (total(method, "tensorflow;java", start, end - 1) for method in ("questions", "search"))
    assert both == services.world.questions_in(MARCH, "tensorflow;java")
    single = sum(services.world.questions_in(MARCH, tag) for tag in ("tensorflow", "java"))
    assert either == single - both
    assert total("questions", "", start, end - 1) == services.world.questions_in(MARCH, "*")
    assert total("questions", "", start, start) == total("questions", "", end - 1, end - 1) == 1


def test_stack_exchange_answers_a_total_only_when_asked_and_always_packed(services: FakeServices) -> None:
    asked = {"site": "stackoverflow", "tagged": "jax"}
    plain = requests.get(
        f"{services.url}/stackexchange/questions", params=asked, headers={"Accept-Encoding": "identity"}, timeout=10
    )
    assert plain.headers["Content-Encoding"] == "gzip"
    assert set(plain.json()) == {"items", "has_more", "quota_max", "quota_remaining"}
    assert set(_get(services, "/stackexchange/questions", filter="total", **asked).json()) == {"total"}
    assert _get(services, "/stackexchange/questions", filter="!nonsense", **asked).json()["error_id"] == 400


def test_stack_exchange_tags_know_synonyms_and_the_dead(services: FakeServices) -> None:
    services.world.dead_tags = frozenset({"jax"})
    found = _get(services, "/stackexchange/tags/tensorflow;jax;no-such/info", site="stackoverflow").json()["items"]
    assert [(it["name"], it["has_synonyms"], it["count"] > 1000) for it in found] == [("tensorflow", True, True)]
    synonyms = _get(services, "/stackexchange/tags/tensorflow/synonyms", site="stackoverflow").json()["items"]
    assert [(it["from_tag"], it["to_tag"]) for it in synonyms] == [("tf", "tensorflow")]


@pytest.mark.parametrize("number", [400, 403, 500, 502, 503])
def test_stack_exchange_simulates_its_errors(number: int, services: FakeServices) -> None:
    answer = _get(services, f"/stackexchange/errors/{number}")
    assert (answer.status_code, answer.json()["error_id"]) == (400, number)


# Hugging Face


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


def test_the_hub_filters_by_every_tag_named(services: FakeServices) -> None:
    rows = [row for page in _listing(services, sort="createdAt", filter=["pytorch", "jax"]) for row in page]
    assert {row["_id"] for row in rows} == {
        model["_id"] for model in services.world.models() if {"pytorch", "jax"} <= set(model["tags"])
    }
    assert rows


@real_answers
def test_the_hub_answers_in_the_recorded_forms(services: FakeServices) -> None:
    listing = _get(services, "/huggingface/api/models", sort="likes", limit=10)
    assert set(listing.json()[0]) <= set(_json("huggingface/api_models_default_2025-11.json")[0])
    recorded = (REAL / "huggingface/link_headers.txt").read_text()
    cursor = recorded.split("# decoded cursor: ")[1].splitlines()[0]
    ours = listing.links["next"]["url"].rpartition("cursor=")[2]
    decoded = json.loads(base64.b64decode(requests.utils.unquote(ours)))
    assert _shape(decoded) == _shape(json.loads(cursor))
    headers = (REAL / "huggingface/response_headers_2026-06-08.http").read_text()
    for name in ("RateLimit", "RateLimit-Policy"):
        assert _letters(listing.headers[name]) in map(_letters, headers.splitlines()), name
    renamed = _get(services, "/huggingface/api/models/bert-base-uncased").history[0]
    assert (renamed.status_code, renamed.text) == (307, (REAL / "huggingface/307_renamed_repo.txt").read_text().strip())


@real_answers
def test_the_hub_refuses_in_plain_text_when_its_window_is_spent(services: FakeServices) -> None:
    services.world.hub_quota = 1
    _get(services, "/huggingface/api/models", limit=1)
    refused = _get(services, "/huggingface/api/models", limit=1)
    assert (refused.status_code, refused.headers["Content-Type"]) == (429, "text/plain; charset=utf-8")
    assert "r=0;t=" in refused.headers["RateLimit"]
    recorded = (REAL / "huggingface/429_rate_limited.txt").read_text()
    assert _letters(refused.text) == _letters(recorded)


def _letters(text: str) -> str:
    return "".join(
        c for c in text.removeprefix("RateLimit: ").removeprefix("RateLimit-Policy: ") if not c.isdigit()
    ).strip()


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    return [_shape(item) for item in value] if isinstance(value, list) else type(value).__name__


# arXiv


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
    real, ours = _json(f"arxiv/{recorded}.json"), _get(services, "/arxiv/query", **params)
    assert ours.status_code == real["status_code"]
    assert _tree(ours.text) == _tree(real["body"])
    assert ours.text.count("<entry>") == real["body"].count("<entry>")


@real_answers
def test_arxiv_entries_have_recorded_elements_only(services: FakeServices) -> None:
    real = _json("arxiv/q_testing_s0_m10.json")
    ours = _get(services, "/arxiv/query", search_query="all:subject", max_results=10)
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
    answer = _get(services, "/arxiv/query", search_query=query, max_results=1)
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
    answer = _get(services, "/arxiv/query", **{"search_query": "all:subject", **params})
    assert answer.status_code == status
    if status == 400:
        assert "<opensearch:totalResults>1</opensearch:totalResults>" in answer.text


@real_answers
def test_arxiv_throttles_as_recorded(services: FakeServices) -> None:
    services.world.arxiv_least_seconds = 600
    assert _get(services, "/arxiv/query", search_query="x").status_code == 200
    refused = _get(services, "/arxiv/query", search_query="x")
    assert (refused.status_code, refused.text) == (429, (REAL / "arxiv/429_rate_exceeded.txt").read_text().strip())


# Papers with Code


@real_answers
def test_the_archive_has_the_recorded_columns(services: FakeServices) -> None:
    for name, recorded in (
        ("links-between-papers-and-code", _json("papers/links_rows.json")[0]),
        ("papers-with-abstracts", _json("papers/papers_with_abstracts_row.json")),
    ):
        rows = json.loads(gzip.decompress(_get(services, f"/pwc/{name}.json.gz").content))
        assert list(rows[0]) == list(recorded), name


def test_the_site_of_papers_with_code_answers_a_page(services: FakeServices) -> None:
    answer = _get(services, "/pwc/api/v1/papers")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


# pypistats


@real_answers
def test_pypistats_errors_are_the_recorded_pages(services: FakeServices) -> None:
    missing = _get(services, "/pypistats/packages/no-such/overall")
    assert (missing.status_code, missing.text) == (404, (REAL / "pypi/404.html").read_text())
    services.world.pypistats_quota = 0
    refused = _get(services, "/pypistats/packages/torch/overall")
    assert (refused.status_code, refused.text) == (429, (REAL / "pypi/429.html").read_text())
    assert refused.headers["Content-Type"].startswith("text/html")


@real_answers
def test_pypistats_answers_in_the_recorded_form(services: FakeServices) -> None:
    ours, real = (
        _get(services, "/pypistats/packages/torch/overall").json(),
        _json("pypi/hugovk_L49_overall_downloads_pip.json"),
    )
    assert (list(ours), list(ours["data"][0]), ours["type"]) == (list(real), list(real["data"][0]), real["type"])
    assert {row["category"] for row in ours["data"]} == {row["category"] for row in real["data"]}
    recent = _get(services, "/pypistats/packages/torch/recent").json()
    assert _shape(recent) == _shape(_json("pypi/hugovk_L596_recent_downloads_pip.json"))


def test_pypistats_knows_180_days_of_both_series(services: FakeServices) -> None:
    services.world.missing_days = frozenset({date(2023, 3, 14)})
    data = _get(services, "/pypistats/packages/torch/overall").json()["data"]
    for category, mirrors in (("with_mirrors", True), ("without_mirrors", False)):
        found = {row["date"]: row["downloads"] for row in data if row["category"] == category}
        assert (len(found), min(found), max(found)) == (179, "2023-01-06", "2023-07-04")
        march = {day: count for day, count in found.items() if day.startswith("2023-03")}
        assert sum(march.values()) == services.world.downloads_in(date(2023, 3, 1), "torch", mirrors=mirrors)
    assert _get(services, "/pypistats/packages/no-such/system").json()["data"] == []
    alone = _get(services, "/pypistats/packages/torch/overall", mirrors="false").json()["data"]
    assert {row["category"] for row in alone} == {"without_mirrors"}


# ClickPy


def _sql(services: FakeServices, sql: str, **params: Any) -> requests.Response:
    return requests.post(f"{services.url}/clickpy/", params={"user": "demo", **params}, data=sql, timeout=60)


MONTHLY = """
SELECT toStartOfMonth(date) AS month, project, sum(count) AS downloads FROM pypi.pypi_downloads_per_day
WHERE project IN ('torch', 'tensorflow') AND date >= '2015-11-01' GROUP BY 1, 2 ORDER BY 1, 2 FORMAT JSONEachRow
"""


def test_clickpy_sums_to_the_truth_only_over_unmerged_parts(services: FakeServices) -> None:
    rows = [json.loads(line) for line in _sql(services, MONTHLY).text.splitlines()]
    march = [row["downloads"] for row in rows if row["month"] == "2022-03-01"]
    assert march == [services.world.downloads_in(MARCH, name) for name in ("tensorflow", "torch")]
    single = "SELECT count() AS n FROM pypi.pypi_downloads_per_day WHERE project = 'torch' AND date = '2022-03-01'"
    assert int(_sql(services, single, default_format="JSON").json()["data"][0]["n"]) > 1


def test_clickpy_writes_large_integers_as_its_settings_say(services: FakeServices) -> None:
    sql = "SELECT sum(count) AS n FROM pypi.pypi_downloads_per_day FORMAT JSONEachRow"
    assert isinstance(json.loads(_sql(services, sql).text)["n"], int)
    services.world.quoted_integers = True
    assert isinstance(json.loads(_sql(services, sql).text)["n"], str)


def test_clickpy_truncates_in_silence_unless_told_to_throw(services: FakeServices) -> None:
    days = sum(1 for _ in services.world.days())
    sql = "SELECT date, project, sum(count) AS n FROM pypi.pypi_downloads_per_day GROUP BY 1, 2 FORMAT JSONEachRow"
    silent = _sql(services, sql)
    assert silent.status_code == 200
    assert 10_000 <= len(silent.text.splitlines()) < days * len(PACKAGE_NAMES)
    thrown = _sql(services, sql, result_overflow_mode="throw")
    assert (thrown.status_code, thrown.headers["X-ClickHouse-Exception-Code"]) == (500, "396")


@pytest.mark.parametrize(
    ("sql", "params", "code"),
    [
        ("SELECT * FROM pypi.no_such", {}, "60"),
        ("SELECT nonsense", {}, "47"),
        ("SELEC 1", {}, "164"),
        ("SELECT 1 SELECT", {}, "62"),
        ("DROP TABLE pypi.pypi_downloads_per_day", {}, "164"),
        ("SELECT 1", {"max_result_rows": 10**9}, "452"),
        ("SELECT 1", {"user": "someone"}, "516"),
    ],
)
def test_clickpy_names_its_exceptions(sql: str, params: dict[str, Any], code: str, services: FakeServices) -> None:
    answer = _sql(services, sql, **params)
    assert answer.status_code >= 400
    assert answer.headers["X-ClickHouse-Exception-Code"] == code
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")


def test_clickpy_takes_parameters_and_an_empty_minimum_is_1970(services: FakeServices) -> None:
    sql = "SELECT min(date) AS first FROM pypi.pypi_downloads_per_day WHERE project = {pkg:String} FORMAT JSONEachRow"
    assert json.loads(_sql(services, sql, param_pkg="no-such").text) == {"first": "1970-01-01"}
    assert json.loads(_sql(services, sql, param_pkg="torch").text) == {"first": "2022-01-01"}


# The server itself


def test_faults_can_be_ordered_over_http_and_are_listed(services: FakeServices) -> None:
    told = {
        "path": "/arxiv",
        "fault": "throttled",
        "times": 2,
        "after": 1,
        "options": {"hint": "seconds", "seconds": 7},
    }
    assert requests.post(f"{services.url}/_faults", json=told, timeout=10).json()[0]["fault"] == "throttled"
    answers = [_get(services, "/arxiv/query", search_query="x") for _ in range(4)]
    assert [it.status_code for it in answers] == [200, 429, 429, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert requests.get(f"{services.url}/_faults", timeout=10).json() == []
    wrong = requests.post(f"{services.url}/_faults", json={"path": "/", "fault": "flood"}, timeout=10)
    assert wrong.status_code == 400
    assert "there are appended, bomb" in wrong.text


def test_the_log_can_be_read(services: FakeServices) -> None:
    _get(services, "/pypistats/packages/torch/recent", period="day")
    log = requests.get(f"{services.url}/_log", timeout=10).json()
    assert log == [{"line": "GET /pypistats/packages/torch/recent?period=day", "status": 200, "body": ""}]


def test_a_bug_in_a_fake_does_not_look_like_a_fault_of_the_network(services: FakeServices) -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError

    services.faults.add("/arxiv", broken)
    answer = _get(services, "/arxiv/query")
    assert answer.status_code == 418
    assert "ZeroDivisionError" in answer.text


def test_it_can_be_started_by_hand() -> None:
    command = [sys.executable, "-m", "fw_pipeline_tests.fake_services", "--port", "0"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        addresses = [started.stdout.readline().strip() for _ in SERVICES]
        try:
            assert [it.rpartition("/")[2] for it in addresses] == list(SERVICES)
            assert requests.get(f"{addresses[2]}/query?search_query=x", timeout=10).status_code == 200
        finally:
            started.terminate()
