"""The fake Stack Exchange answers as the real one did, so that what is proven against it holds in the world."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import requests

from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.real_answers import get, real_answers, real_json

MARCH = date(2022, 3, 1)


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
    answer = get(services, "/stackexchange/questions", **params)
    assert (answer.status_code, answer.json()) == (400, real_json(f"stackexchange/{recorded}.json"))


@real_answers
def test_stack_exchange_throttles_as_recorded(services: FakeServices) -> None:
    services.world.keyless_quota, services.world.backoff_every, services.world.backoff_seconds = 2, 1, 600
    first, second, third = (get(services, "/stackexchange/questions", site="stackoverflow") for _ in range(3))
    assert first.json()["backoff"] == 600
    assert second.json() == real_json("stackexchange/throttle_violation_backoff.json")
    assert third.json() == real_json("stackexchange/throttle_violation_quota.json")


def test_stack_exchange_counts_with_and_or_and_inclusive_seconds(services: FakeServices) -> None:
    made = get(services, "/stackexchange/filters/create", base="none", include=".total;.backoff;.quota_remaining")
    name = made.json()["items"][0]["filter"]

    def total(method: str, tagged: str, first: int, last: int) -> int:
        dates = {"fromdate": first, "todate": last, "tagged": tagged}
        answer = get(services, f"/stackexchange/{method}", site="stackoverflow", filter=name, **dates).json()
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
    assert set(get(services, "/stackexchange/questions", filter="total", **asked).json()) == {"total"}
    assert get(services, "/stackexchange/questions", filter="!nonsense", **asked).json()["error_id"] == 400


def test_stack_exchange_tags_know_synonyms_and_the_dead(services: FakeServices) -> None:
    services.world.dead_tags = frozenset({"jax"})
    found = get(services, "/stackexchange/tags/tensorflow;jax;no-such/info", site="stackoverflow").json()["items"]
    assert [(it["name"], it["has_synonyms"], it["count"] > 1000) for it in found] == [("tensorflow", True, True)]
    synonyms = get(services, "/stackexchange/tags/tensorflow/synonyms", site="stackoverflow").json()["items"]
    assert [(it["from_tag"], it["to_tag"]) for it in synonyms] == [("tf", "tensorflow")]


@pytest.mark.parametrize("number", [400, 403, 500, 502, 503])
def test_stack_exchange_simulates_its_errors(number: int, services: FakeServices) -> None:
    answer = get(services, f"/stackexchange/errors/{number}")
    assert (answer.status_code, answer.json()["error_id"]) == (400, number)
