"""No telemetry and no calls home: everything is started with the network cut but for loopback, and watched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fw_pipeline.webserver import exposed
from fw_pipeline_tests.support import cut_off
from fw_pipeline_tests.support.command import COMMAND, environment, fw_pipeline
from fw_pipeline_tests.support.everything_started import CHROMIUM, ELSEWHERE

pytestmark = pytest.mark.skipif(
    cut_off.why_not() is not None, reason=f"cannot cut the network off: {cut_off.why_not()}"
)

DELIBERATE = """
import socket
for family, to in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"), (socket.AF_INET, "127.0.0.1")):
    try:
        socket.socket(family).connect((to, 443))
    except ConnectionRefusedError:
        pass
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("198.51.100.7", 123))
try:
    socket.getaddrinfo("telemetry.example.org", 443)
except socket.gaierror:
    pass
"""


def test_the_watcher_sees_whoever_tries_to_leave(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    subprocess.run([*cut_off.prefix(notes), sys.executable, "-c", DELIBERATE], check=True)
    seen = cut_off.attempts(notes)
    assert seen[:3] == ["tcp 192.0.2.1 443", "tcp 2001:db8::1 443", "udp 198.51.100.7 123"]
    assert "name telemetry.example.org" in seen


def test_a_recorded_run_makes_no_attempt_to_leave(recorded_once: Path) -> None:
    assert cut_off.attempts(recorded_once.parent / "attempts") == []


@pytest.mark.long
def test_a_run_that_asks_somebody_is_seen_by_the_same_watch(tmp_path: Path) -> None:
    notes = tmp_path / "attempts"
    asked = {"FW_PROVIDERS": "pypi=pypistats", "FW_PYPISTATS_URL": "http://192.0.2.1:8100"}
    done = fw_pipeline(tmp_path / "data", "run", "--source", "pypi", within=cut_off.prefix(notes), **asked)
    assert done.status == 1, done.err
    assert cut_off.attempts(notes) == ["tcp 192.0.2.1 8100"]


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not installed")
def test_the_ui_its_daemon_the_page_and_the_commands_make_no_attempt_and_listen_on_loopback(
    recorded: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    done = subprocess.run(
        [*cut_off.prefix(notes), sys.executable, "-m", "fw_pipeline_tests.support.everything_started", str(recorded)],
        capture_output=True, text=True, check=False, env=environment(recorded),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told["statuses"].values()) == {0}, told
    assert told["outside"] == []
    assert told["foreign"] == 403
    assert "127.0.0.1" in told["listening"]
    *asked, last = told["asked"]
    assert last == ELSEWHERE, "a page that asks elsewhere is seen"
    assert any("/graphql" in address for address in asked)
    own = ("http://127.0.0.1:3000/", "ws://127.0.0.1:3000/", "file:///", "data:", "blob:http://127.0.0.1:3000/")
    assert [address for address in asked if not address.startswith(own)] == []
    assert cut_off.attempts(notes) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "warehouse.example.org"])
def test_an_address_that_others_reach_is_warned_of(host: str) -> None:
    assert f"everybody who can reach {host}" in str(exposed(host))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.53"])
def test_loopback_is_not_warned_of(host: str) -> None:
    assert exposed(host) is None


def test_the_ui_warns_before_it_opens_itself_to_others(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*cut_off.prefix(tmp_path / "notes"), *COMMAND, "ui", "--host", "0.0.0.0"],
        env=environment(tmp_path / "data"), stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    with process.stderr as lines:
        first = next(lines)
        os.killpg(process.pid, signal.SIGINT)  # the watcher and what it watches: one alone would leave the UI behind
    process.wait(60)
    assert "everybody who can reach 0.0.0.0" in first
    assert "docs/security.md" in first
