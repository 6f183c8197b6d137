"""The fake pypistats and ClickPy answer as the real ones did, so that what is proven there holds in the world."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import requests

from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.fake_services.world import PACKAGE_NAMES
from fw_pipeline_tests.support.real_answers import REAL, get, real_answers, real_json, shape

MARCH = date(2022, 3, 1)


@real_answers
def test_pypistats_errors_are_the_recorded_pages(services: FakeServices) -> None:
    missing = get(services, "/pypistats/packages/no-such/overall")
    assert (missing.status_code, missing.text) == (404, (REAL / "pypi/404.html").read_text())
    services.world.pypistats_quota = 0
    refused = get(services, "/pypistats/packages/torch/overall")
    assert (refused.status_code, refused.text) == (429, (REAL / "pypi/429.html").read_text())
    assert refused.headers["Content-Type"].startswith("text/html")


@real_answers
def test_pypistats_answers_in_the_recorded_form(services: FakeServices) -> None:
    ours, real = (
        get(services, "/pypistats/packages/torch/overall").json(),
        real_json("pypi/hugovk_L49_overall_downloads_pip.json"),
    )
    assert (list(ours), list(ours["data"][0]), ours["type"]) == (list(real), list(real["data"][0]), real["type"])
    assert {row["category"] for row in ours["data"]} == {row["category"] for row in real["data"]}
    recent = get(services, "/pypistats/packages/torch/recent").json()
    assert shape(recent) == shape(real_json("pypi/hugovk_L596_recent_downloads_pip.json"))


def test_pypistats_knows_180_days_of_both_series(services: FakeServices) -> None:
    services.world.missing_days = frozenset({date(2023, 3, 14)})
    data = get(services, "/pypistats/packages/torch/overall").json()["data"]
    for category, mirrors in (("with_mirrors", True), ("without_mirrors", False)):
        found = {row["date"]: row["downloads"] for row in data if row["category"] == category}
        assert (len(found), min(found), max(found)) == (179, "2023-01-06", "2023-07-04")
        march = {day: count for day, count in found.items() if day.startswith("2023-03")}
        assert sum(march.values()) == services.world.downloads_in(date(2023, 3, 1), "torch", mirrors=mirrors)
    assert get(services, "/pypistats/packages/no-such/system").json()["data"] == []
    alone = get(services, "/pypistats/packages/torch/overall", mirrors="false").json()["data"]
    assert {row["category"] for row in alone} == {"without_mirrors"}


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
        ("SELECT (1", {}, "62"),
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
