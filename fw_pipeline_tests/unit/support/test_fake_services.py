"""The fake server: what is asked of it about itself, and how it is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from fw_pipeline_tests.support.fake_services.server import SERVICES, FakeServices
from fw_pipeline_tests.support.real_answers import get


def test_faults_can_be_ordered_over_http_and_are_listed(services: FakeServices) -> None:
    told = {
        "path": "/arxiv",
        "fault": "throttled",
        "times": 2,
        "after": 1,
        "options": {"hint": "seconds", "seconds": 7},
    }
    assert requests.post(f"{services.url}/_faults", json=told, timeout=10).json()[0]["fault"] == "throttled"
    answers = [get(services, "/arxiv/query", search_query="x") for _ in range(4)]
    assert [it.status_code for it in answers] == [200, 429, 429, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert requests.get(f"{services.url}/_faults", timeout=10).json() == []
    wrong = requests.post(f"{services.url}/_faults", json={"path": "/", "fault": "flood"}, timeout=10)
    assert wrong.status_code == 400
    assert "there are appended, bomb" in wrong.text


def test_the_log_can_be_read(services: FakeServices) -> None:
    get(services, "/pypistats/packages/torch/recent", period="day")
    log = requests.get(f"{services.url}/_log", timeout=10).json()
    assert log == [{"line": "GET /pypistats/packages/torch/recent?period=day", "status": 200, "body": ""}]


def test_a_bug_in_a_fake_does_not_look_like_a_fault_of_the_network(services: FakeServices) -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError

    services.faults.add("/arxiv", broken)
    answer = get(services, "/arxiv/query")
    assert answer.status_code == 418
    assert "ZeroDivisionError" in answer.text


def test_it_can_be_started_by_hand() -> None:
    command = [sys.executable, "-m", "fw_pipeline_tests.support.fake_services", "--port", "0"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        addresses = [started.stdout.readline().strip() for _ in SERVICES]
        try:
            assert [it.rpartition("/")[2] for it in addresses] == list(SERVICES)
            assert requests.get(f"{addresses[2]}/query?search_query=x", timeout=10).status_code == 200
        finally:
            started.terminate()
