"""The comparisons with what others would use: each side does the same work on the same data.

What is compared with runs in `.venv-bench`, which `make bench` sets up when one of these is named.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fw_pipeline_tests.tools.benchmarks.measuring import HERE, Comparison, NotMeasured, Side, cost_of

PEERS = Path(__file__).parent / "peers"
PYTHON = HERE / ".venv-bench" / "bin" / "python"

_MODULE = "fw_pipeline_tests.tools.benchmarks"
_BARE = (sys.executable, "-m", f"{_MODULE}.bare")
_QUIET = ("env", "RUNTIME__DLTHUB_TELEMETRY=false", "HF_HUB_DISABLE_TELEMETRY=1", "DO_NOT_TRACK=1")
"""Nobody is told of a benchmark."""


def peer_hub(folder: Path, *, full: bool) -> Comparison:
    """Return a listing of all models of a Hub."""
    number = 100_000 if full else 20_000
    corpus = _corpus(folder, "hub", number)
    serving = subprocess.Popen(
        [sys.executable, "-m", f"{_MODULE}.hub_server", str(corpus / "models.ndjson")],
        cwd=HERE,
        stdin=subprocess.PIPE,  # it ends when this is closed, by us or because we ended
        stdout=subprocess.PIPE,
        text=True,
    )
    assert serving.stdout is not None
    address, kept = serving.stdout.readline().strip(), str(corpus / "kept.json")

    def closing(left: Mapping[str, Path]) -> list[str]:
        serving.communicate()
        return [agreement(left), "others keep no evidence: a page is gone once it is read"]

    return Comparison(
        f"The Hub's listing of {number:,} models, over loopback",
        (
            Side("fw-pipeline: evidence, months, checks", _ours("hub", address)),
            Side("dlt with Arrow into DuckDB", _peer("hub", "dlt", address, kept)),
            Side("huggingface_hub into a Polars frame", _peer("hub", "client", address, kept)),
            Side("bare: pages to disk, DuckDB reads them", _peer("hub", "floor", address, kept)),
        ),
        seconds=120,
        closing=closing,
    )


def peer_posts(folder: Path, *, full: bool) -> Comparison:
    """Return one pass over a Posts.xml."""
    corpus = _corpus(folder, "posts", 1_000_000 if full else 150_000)
    file, tags = corpus / "Posts.xml", str(corpus / "tags.json")

    def closing(left: Mapping[str, Path]) -> list[str]:
        *counted, bare = left
        questions = sum(count for key, count in figures(left[counted[0]]).items() if " " not in key)
        same = figures(left[bare]) == {"questions": questions}
        total = f"{questions:,} questions" if same else "NOT EQUAL to the questions that bare finds"
        return [agreement({name: left[name] for name in counted}), f"in all {total}"]

    return Comparison(
        f"A Posts.xml of {file.stat().st_size / 1e6:,.0f} MB",
        (
            Side("fw-pipeline: scan", _ours("posts", str(file), tags)),
            Side("lxml: iterparse", _peer("posts", "lxml", str(file), tags)),
            Side("bare: read it and count questions", _peer("posts", "floor", str(file), tags)),
        ),
        seconds=90,
        closing=closing,
    )


def peer_archive(folder: Path, *, full: bool) -> Comparison:
    """Return the two files of Papers with Code, joined and counted."""
    number = 300_000 if full else 60_000
    corpus = _corpus(folder, "archive", number)
    return Comparison(
        f"The archive of Papers with Code, {number:,} papers",
        (
            Side("fw-pipeline: evidence, months, checks", _ours("archive", str(corpus))),
            Side("pandas", _peer("archive", "pandas", str(corpus))),
            Side("Polars", _peer("archive", "polars", str(corpus))),
            Side("bare: DuckDB", _peer("archive", "floor", str(corpus))),
        ),
        seconds=90,
        closing=lambda left: [agreement(left)],
    )


def peer_build(folder: Path, *, full: bool) -> Comparison:  # noqa: ARG001 - it has one size
    """Return a build of every table from raw vintages that are there, the page left out."""
    kept, project = folder / "recorded", folder / "dbt"
    if not (kept / "warehouse.duckdb").exists():
        cost_of(_BARE, kept)
    project.mkdir()
    run("-m", f"{_MODULE}.dbt_project", str(kept), str(project))

    def vintages(data: Path) -> None:
        shutil.copytree(kept / "raw", data / "raw")
        shutil.copytree(kept / "evidence", data / "evidence")

    def tables(data: Path) -> None:
        shutil.copy(project / "warehouse.duckdb", data)

    def closing(left: Mapping[str, Path]) -> list[str]:
        ours, dbt, bare = (str(data / "warehouse.duckdb") for data in left.values())
        counts = figures(list(left.values())[1])
        unequal = (
            f"dbt: {counts['model']} models and {counts['test']} not_null tests; it finds raw tables, small tables and "
            "forecasts ready, which the others make, and publishes nothing; fw-pipeline checks every rule, not only "
            "not_null"
        )
        return [
            f"fw-pipeline and dbt: {run('-m', f'{_MODULE}.sameness', ours, dbt)}",
            f"fw-pipeline and bare: {run('-m', f'{_MODULE}.sameness', ours, bare)}",
            unequal,
        ]

    return Comparison(
        "A build of every table, the page left out",
        (
            Side("fw-pipeline rebuild, all rules", _ours("rebuild"), vintages),
            Side("dbt build, not_null tests", _peer("dbt_build", str(project)), tables),
            Side("bare: load, tables, publish", (*_BARE, "--no-ingest"), vintages),
        ),
        seconds=150,
        closing=closing,
    )


def figures(data: Path) -> dict[str, Any]:
    """Return what a side left in `figures.json`."""
    found: dict[str, Any] = json.loads((data / "figures.json").read_text(encoding="utf-8"))
    return found


def agreement(left: Mapping[str, Path]) -> str:
    """Say whether all sides found the same, and if not, who did not, and where."""
    (first, expected), *others = ((name, figures(data)) for name, data in left.items())
    if not expected:
        return f"NOT EQUAL: {first} found nothing, so the ratios are worth nothing"
    for name, found in others:
        if differing := sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)):
            where = f"{differing[0]!r}: {expected.get(differing[0])} and {found.get(differing[0])}"
            return f"NOT EQUAL, so the ratios are worth nothing: {first} and {name} differ in {len(differing)}; {where}"
    return f"equal: every side has the same {len(expected):,} figures"


def _corpus(folder: Path, what: str, number: int) -> Path:
    corpus = folder / f"corpus-{what}"
    corpus.mkdir()
    run("-m", f"{_MODULE}.corpora", what, str(corpus), str(number))
    return corpus


def run(*arguments: str) -> str:
    """Run a program of the product's environment to its end; return what it said.

    Raises:
        NotMeasured: it failed.
    """
    done = subprocess.run([sys.executable, *arguments], cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotMeasured((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    return done.stdout.strip()


def _ours(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"{_MODULE}.ours", *arguments)


def _peer(program: str, *arguments: str) -> tuple[str, ...]:
    if not PYTHON.exists():
        raise NotMeasured("what it is compared with is not installed: make .venv-bench/.ready")
    return (*_QUIET, str(PYTHON), str(PEERS / f"{program}.py"), *arguments)


PEER_COMPARISONS: Mapping[str, Callable[..., Comparison]] = {
    "peer-hub": peer_hub,
    "peer-posts": peer_posts,
    "peer-archive": peer_archive,
    "peer-build": peer_build,
}
"""By the name that chooses each; given a folder for what the sides work on, and whether to take the large size."""
