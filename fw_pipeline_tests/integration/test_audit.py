"""The audit of the locked packages, against a vulnerability service on loopback: findings fail, silence is said."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from fw_pipeline_tests.support.fake_services.listener import Listener
from fw_pipeline_tests.support.fake_services.messages import Request, Response, as_json

ROOT = Path(__file__).parents[2]


def advisory(package: str, version: str, fixed: str) -> dict[str, object]:
    """Return a record in the form of OSV."""
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    affected = [{"package": {"name": package, "ecosystem": "PyPI"}, "ranges": ranges, "versions": [version]}]
    return {"id": f"PYSEC-0-{package}", "summary": "made for the test", "affected": affected, "schema_version": "1.0.0"}


@contextmanager
def osv(*records: dict[str, object]) -> Iterator[str]:
    """Serve records as OSV does."""
    held = {str(record["id"]).removeprefix("PYSEC-0-"): record for record in records}

    def respond(request: Request) -> Response:
        asked = json.loads(request.body)
        record = held.get(asked["package"]["name"])
        versions = record["affected"][0]["versions"] if record else []  # type: ignore[index]
        return as_json({"vulns": [record]} if asked["version"] in versions else {})

    listener = Listener(respond, 0)
    listener.serve_in_thread()
    try:
        yield f"http://127.0.0.1:{listener.server_address[1]}/v1/query"
    finally:
        listener.shutdown()
        listener.server_close()


def audit(requirements: Path, url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ".ci/audit.py", str(requirements), "--osv-url", url]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


KNOWN = advisory("jinja2", "2.4.1", "2.7.2")


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock file of two packages of the real one, with their hashes."""
    blocks = (ROOT / "requirements.lock").read_text(encoding="utf-8").split("\n")
    starts = [number for number, line in enumerate(blocks) if line.startswith(("duckdb==", "jinja2=="))]
    lines: list[str] = []
    for start in starts:
        end = next(n for n in range(start + 1, len(blocks)) if not blocks[n].startswith(" "))
        lines += blocks[start:end]
    path = tmp_path / "some.lock"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_finding_fails_and_says_what_mends_it(lock: Path) -> None:
    version = (
        next(line for line in lock.read_text().splitlines() if line.startswith("duckdb==")).split("==")[1].split()[0]
    )
    with osv(KNOWN, advisory("duckdb", version, "99.1")) as url:
        done = audit(lock, url)
    assert done.returncode == 1
    assert f"duckdb {version} has PYSEC-0-duckdb, mended in 99.1" in done.stderr


@pytest.mark.parametrize("knows_nothing", [True, False], ids=["it knows nothing", "it is not there"])
def test_a_service_that_says_nothing_is_no_clean_bill(lock: Path, knows_nothing: bool) -> None:
    with osv() as url:
        done = audit(lock, url if knows_nothing else "http://127.0.0.1:9/v1/query")
    assert (done.returncode, done.stdout) == (0, f"{lock}: not audited: no vulnerability service reachable\n")


def test_every_locked_package_is_audited() -> None:
    lock = ROOT / "requirements-dev.lock"
    with osv(KNOWN) as url:
        done = audit(lock, url)
    assert done.returncode == 0, done.stderr
    here = [
        Requirement(line.rstrip(" \\")) for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line[:40]
    ]
    count = sum(it.marker is None or it.marker.evaluate() for it in here)
    assert count > 100
    assert done.stdout == f"{lock}: {count} packages audited, findings: 0\n"
