"""A source that nobody has thought of yet: one folder, one line of the registry, its models and its figures.

It is added to a copy of the project, in which nothing else is touched.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.command import COMMAND, environment

SOURCE = '''
"""Stars on GitHub: how many people mark the repository of each framework."""

from types import MappingProxyType

import polars as pl

from fw_pipeline.contract import (
    Availability, CostEstimate, Credit, DetailTable, FetchContext, Provider, Series, Setting, Source, Table,
)
from fw_pipeline.errors import SourceError
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month
from fw_pipeline.sources.recorded import recorded

URL = Setting("FW_STARS_URL", "The API of GitHub.", default="https://api.github.com")
TOKEN = Setting("STARS_TOKEN", "GitHub allows more requests with a token.", is_secret=True)

TABLE = Table(
    key={"month": pl.Date, "framework": pl.String},
    measures={"stars": pl.Int64},
    required=("stars",),
    largest={"stars": (1_000_000, "No repository has so many in all time.")},
    known={"framework": frozenset({"pytorch", "tensorflow"})},
    description="Stars given to the repository of a framework in a month.",
    columns={"framework": "The framework.", "stars": "Stars given."},
)
STARGAZERS = DetailTable(
    "stars_given", "Stars, one row per star.", MappingProxyType({"given_at": (pl.Datetime("us", "UTC"), "When.")})
)


def _reach(fetch: FetchContext) -> Availability:
    return Availability(Window.of(FIRST_MONTH, last_closed_month(fetch.now)), before="no stars", after="not over")


def _fetch(fetch: FetchContext):
    raise SourceError("stars (api)", f"{fetch.options[URL.name]} is not asked in a test", "use the recorded figures")
    yield


API = Provider(
    name="api", source="stars", reach=_reach, fetch=_fetch, plan=lambda _: CostEstimate(1, "1 request"),
    answers="any month", cost="1 request", needs="nothing", cannot_see="stars taken back",
    settings=(URL, TOKEN), detail=STARGAZERS,
)
SOURCE = Source(
    name="stars",
    title="GitHub stars",
    short_title="GitHub",
    url="https://github.com",
    licence="counts are facts",
    counts="Stars given in a month.",
    cannot_see="Who likes a framework and has no account.",
    table=TABLE,
    providers=MappingProxyType({"recorded": recorded("stars", TABLE), "api": API}),
    live="api",
    series=MappingProxyType({"recorded": Series("GitHub stars, as recorded", "Of a few months.")}),
    credits=MappingProxyType({"A. Gazer": Credit("gazer/stars", "CC BY 4.0", "stars by month")}),
)
'''

MODELS = {
    "staging/stars.sql": "select month, framework, stars, provider from raw.stars\n",
    "staging/stars.yml": """\
description: Stars given to the repository of a framework in a month.
grain: [month, framework, provider]
columns:
  month: {type: DATE, description: "First day of the UTC month."}
  framework: {type: VARCHAR, description: "The framework."}
  stars: {type: BIGINT, unit: stars, description: "Stars given."}
  provider: {type: VARCHAR, description: "The provider that answered."}
expectations:
  - {type: expect_column_values_to_be_between, column: stars, min_value: 0, reason: "A count."}
examples:
  - name: a month is as it was recorded
    given:
      raw.stars: [{month: 2020-01-01, framework: pytorch, stars: 7, provider: recorded}]
    expect: [{month: 2020-01-01, framework: pytorch, stars: 7}]
""",
    "marts/stars_comparison.sql": """\
select
    month,
    max(stars) filter (where framework = 'pytorch') / max(stars) filter (where framework = 'tensorflow') as ratio
from staging.stars
group by month
""",
    "marts/stars_comparison.yml": """\
description: Stars given to PyTorch for each given to TensorFlow, by month.
grain: [month]
columns:
  month: {type: DATE, description: "First day of the UTC month."}
  ratio: {type: DOUBLE, nullable: true, unit: ratio, description: "PyTorch's stars over TensorFlow's."}
expectations:
  - {type: expect_column_values_to_be_between, column: ratio, min_value: 0, reason: "A ratio of counts."}
examples:
  - name: a ratio is of one month
    given:
      staging.stars:
        - {month: 2020-01-01, framework: pytorch, stars: 6}
        - {month: 2020-01-01, framework: tensorflow, stars: 4}
    expect: [{month: 2020-01-01, ratio: 1.5}]
""",
}

FIGURES = """\
month,framework,stars,method,origin,observed_on
2023-01-01,pytorch,900,counted,A. Gazer,2023-07-01
2023-01-01,tensorflow,600,counted,A. Gazer,2023-07-01
2023-03-01,pytorch,800,counted,A. Gazer,2023-07-01
2023-03-01,tensorflow,200,counted,A. Gazer,2023-07-01
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with a fifth source: all that somebody would have to write."""
    folder = tmp_path / "checkout"
    for part in ("fw_pipeline", "dbt_like_sql", "data/recorded"):
        shutil.copytree(PROJECT_DIR / part, folder / part)
    shutil.copy(PROJECT_DIR / "workspace.yaml", folder)
    sources = folder / "fw_pipeline" / "sources"
    (sources / "stars").mkdir()
    (sources / "stars" / "__init__.py").write_text(SOURCE, encoding="utf-8")
    registry = (sources / "__init__.py").read_text(encoding="utf-8")
    for before, after in (
        (
            "import huggingface, papers, pypi, stackoverflow\n",
            "import huggingface, papers, pypi, stackoverflow, stars\n",
        ),
        (
            "        pypi.SOURCE.name: pypi.SOURCE,\n",
            "        pypi.SOURCE.name: pypi.SOURCE,\n        stars.SOURCE.name: stars.SOURCE,\n",
        ),
    ):
        assert registry.count(before) == 1
        registry = registry.replace(before, after)
    (sources / "__init__.py").write_text(registry, encoding="utf-8")
    for name, text in MODELS.items():
        (folder / "dbt_like_sql" / name).write_text(text, encoding="utf-8")
    (folder / "data" / "recorded" / "stars.csv").write_text(FIGURES, encoding="utf-8")
    return folder


def called(project: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Call the command of the copy."""
    given = {**environment(project / "data", **settings), "PYTHONPATH": str(project)}
    return subprocess.run(
        [*COMMAND, *arguments], cwd=project, env=given, capture_output=True, text=True, check=False, timeout=600
    )


def test_its_settings_are_known_and_its_secret_is_not_shown(project: Path) -> None:
    shown = called(
        project, "status", "--settings", "--format", "json", FW_STARS_URL="http://mirror.example.org", STARS_TOKEN="s3"
    )
    found = {row["setting"]: row["value"] for row in json.loads(shown.stdout)}
    assert (found["FW_STARS_URL"], found["STARS_TOKEN"]) == ("http://mirror.example.org", "set")
    refused = called(project, "status", "--settings", FW_STARS_URI="http://mirror.example.org")
    assert "did you mean FW_STARS_URL?" in refused.stderr


@pytest.mark.long
def test_its_figures_are_published_and_nothing_else_was_touched(project: Path) -> None:
    ran = called(project, "run", "--source", "stars", "--from", "2023-01", "--to", "2023-03")
    assert ran.returncode == 0, ran.stderr
    published = project / "data" / "warehouse.duckdb"
    assert query(published, "from marts.stars_comparison order by month").rows() == [
        (date(2023, 1, 1), 1.5),
        (date(2023, 3, 1), 4.0),
    ]
    assert query(published, "select distinct origin from raw.stars").item() == "A. Gazer"
    assert query(published, "select count(*) from detail.stars_given").item() == 0
    assert "stars 2023-01 to 2023-03 (2 months)" in ran.stderr
    page = (project / "data" / "report" / "index.html").read_text(encoding="utf-8")
    assert "Who likes a framework and has no account." in page
    assert "gazer/stars" in page
    (row,) = [it for it in json.loads(called(project, "status", "--format", "json").stdout) if it["source"] == "stars"]
    assert (row["provider"], row["months"], row["last_month"]) == ("recorded", 2, "2023-03")
