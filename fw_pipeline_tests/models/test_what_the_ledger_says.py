"""What the published ledger must say: figures computed by hand, and figures that others published."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.warehouse import query
from fw_pipeline_tests.second_path.figures import questions

ASKED, INSTALLED = "questions in the month, recorded", "downloads in the month, "
NAMING = "of papers naming one of the two in the year, nine venues"
CLICKHOUSE = "dashdown-pypi-stats (ClickHouse), all"
LISTED, COUNTED = "madelinezec/PLS-NLP-Stackoverflow", "samuel-fringeli/stackoverflow-tags"
STAYED = "pytorch authors who stayed, recorded"
MOVED = "moved to pytorch alone or beside tensorflow, recorded"


@pytest.fixture(scope="module")
def published(recorded_once: Path) -> Path:
    return recorded_once / "warehouse.duckdb"


def row(published: Path, claim: str, definition: str, month: str) -> dict[str, Any]:
    found = query(
        published,
        f"""
        select * from marts.verdicts
        where claim = '{claim}' and definition = '{definition}' and as_of = date '{month}-01'
        """,
    )
    return found.row(0, named=True)


def headline(published: Path, claim: str, month: str) -> dict[str, Any]:
    found = query(
        published, f"select * from marts.headline_verdicts where claim = '{claim}' and as_of = date '{month}-01'"
    )
    return found.row(0, named=True)


@pytest.mark.parametrize(
    ("claim", "definition", "month", "figure", "within", "verdict"),
    [
        ("C2", ASKED, "2017-06", 22.7, 0.05, "refuted"),
        ("C2", ASKED, "2018-06", 9.7, 0.05, "refuted"),
        ("C2", ASKED, "2020-06", 3.1, 0.05, "refuted"),
        ("C2", ASKED, "2022-06", 1.9, 0.02, "supported"),
        ("C2", ASKED, "2023-01", 739 / 555, 1e-6, "refuted"),
        ("C2", ASKED, "2023-05", 493 / 483, 1e-6, "refuted"),
        ("C2", "questions over 12 months, recorded", "2022-12", 1.71, 0.005, "refuted"),
        ("C3", "change of questions since 2018, recorded", "2022-12", 11_301 / 14_307 - 1, 1e-6, "supported"),
        ("C3", "change of questions since 2018, recorded", "2020-12", 20_629 / 14_307 - 1, 1e-6, "insufficient_data"),
        ("C3", "change of the share since 2018, recorded", "2022-12", -0.04, 0.005, "supported"),
        ("C3", "peak of the share since 2018, recorded", "2022-12", 0.46, 0.02, "insufficient_data"),
        ("C6", "fall of questions from its peak, recorded", "2023-01", 0.71, 0.005, "supported"),
        ("C6", "fall of questions over 12 months from its peak, recorded", "2022-12", 0.52, 0.005, "supported"),
        ("C11", "of pytorch or tensorflow models, hub, by tag", "2022-04", 0.916, 0.0005, "supported"),
        ("C11", "of pytorch or tensorflow models, hub, by tag", "2025-02", 0.932, 0.0005, "supported"),
        ("C12", "of pytorch or tensorflow models, hub, by tag", "2025-02", 0.064, 0.0005, "insufficient_data"),
        ("C13", "of pytorch or tensorflow models, hub, by tag", "2025-02", 0.068, 0.0005, "insufficient_data"),
        ("C13", "usable with tensorflow at all, hub, by tag", "2022-04", 0.077, 0.0005, "refuted"),
        ("C14", NAMING, "2020-12", 0.767, 0.0005, "supported"),
        ("C14", NAMING, "2021-12", 0.777, 0.0005, "supported"),
        ("C14", NAMING, "2022-05", 0.840, 0.0005, "supported"),
        ("C14", "of all papers in the year, nine venues", "2020-12", 0.219, 0.0005, "insufficient_data"),
        ("C15", "moved to pytorch alone, recorded", "2019-06", 120 / 372, 1e-6, "refuted"),
        ("C15", MOVED, "2019-06", (120 + 75) / 372, 1e-6, "insufficient_data"),
        ("C15", STAYED, "2019-06", 164 / 223, 1e-6, "supported"),
        ("C19", f"questions so far on deployment tags, {COUNTED}", "2021-11", (1783 + 1215) / 3, 1e-6, "supported"),
        ("C22", f"questions so far on tensorflow and c++, {COUNTED}", "2021-11", 936 / 73, 1e-6, "supported"),
        ("C22", f"questions so far on tensorflow and java, {COUNTED}", "2021-11", 375 / 73, 1e-6, "insufficient_data"),
        ("C23", f"questions on tensorflow and scala, {LISTED}", "2018-11", 3 / 11, 1e-6, "refuted"),
        ("C25", f"{INSTALLED}{CLICKHOUSE}", "2026-03", 3.86, 0.005, "came_true"),
        ("C25", f"{INSTALLED}{CLICKHOUSE}", "2026-06", 4.27, 0.005, "came_true"),
        ("C25", ASKED, "2023-05", 483 / 493, 1e-6, "not_yet"),
    ],
)
def test_what_is_known_comes_out(
    published: Path, claim: str, definition: str, month: str, *, figure: float, within: float, verdict: str
) -> None:
    found = row(published, claim, definition, month)
    assert found["value"] == pytest.approx(figure, abs=within)
    assert found["verdict"] == verdict


@pytest.mark.parametrize(
    ("claim", "definition", "month", "low", "high"),
    [
        ("C15", MOVED, "2019-06", 0.473, 0.574),
        ("C12", "of pytorch or tensorflow models, hub, by tag", "2022-04", 0, 0.077),
        ("C13", "usable with tensorflow at all, hub, by tag", "2025-02", 0.064, 0.068),
        ("C14", "of all papers in the year, nine venues", "2022-05", 0.322, 1),
        # (162/14841) / (3323/74395) and (756/14841) / (1448/74395), by two standard errors: e^(2 sqrt(1/162 + 1/1448))
        ("C24", f"languages in pairs of tags so far, {COUNTED}", "2021-11", 0.207, 3.089),
        ("C23", f"questions so far on tensorflow and julia, {COUNTED}", "2021-11", 0, 5.137),
    ],
)
def test_a_bound_says_where_the_true_value_lies(
    published: Path, claim: str, definition: str, month: str, *, low: float, high: float
) -> None:
    found = row(published, claim, definition, month)
    assert (found["low"], found["high"]) == (pytest.approx(low, abs=0.0005), pytest.approx(high, abs=0.0005))


@pytest.mark.parametrize(
    ("claim", "month", "verdict", "sources_for", "sources_against"),
    [
        ("C2", "2017-06", "refuted", [], ["stackoverflow"]),
        ("C2", "2018-06", "refuted", [], ["stackoverflow"]),
        ("C2", "2020-06", "refuted", [], ["stackoverflow"]),
        ("C2", "2022-06", "supported", ["stackoverflow"], []),
        ("C2", "2023-01", "refuted", [], ["stackoverflow"]),
        ("C3", "2023-01", "supported", ["stackoverflow"], []),
        ("C11", "2023-01", "supported", ["huggingface"], []),
        ("C12", "2026-08", "insufficient_data", [], []),
        ("C13", "2026-08", "insufficient_data", [], []),
        ("C14", "2023-01", "supported", ["papers"], []),
        ("C15", "2023-01", "insufficient_data", [], []),
        ("C16", "2023-01", "supported", ["projects"], []),
        ("C17", "2024-10", "mixed", [], []),
        ("C19", "2023-01", "supported", ["pypi", "stackoverflow"], []),
        ("C20", "2023-10", "insufficient_data", [], []),
        ("C20", "2023-11", "supported", ["pypi"], []),
        ("C22", "2022-06", "supported", ["bindings", "stackoverflow"], []),
        ("C23", "2023-06", "mixed", ["bindings"], ["stackoverflow"]),
        ("C24", "2023-01", "insufficient_data", [], []),
        ("C25", "2023-01", "not_yet", [], []),
        ("C25", "2023-12", "not_yet", [], []),
        ("C25", "2024-01", "came_true", ["pypi"], []),
    ],
)
def test_what_is_known_of_a_claim_comes_out(
    published: Path, claim: str, month: str, *, verdict: str, sources_for: list[str], sources_against: list[str]
) -> None:
    found = headline(published, claim, month)
    assert found["verdict"] == verdict
    assert (sorted(found["sources_for"] or []), sorted(found["sources_against"] or [])) == (
        sources_for,
        sources_against,
    )


def test_only_these_claims_never_had_a_verdict(published: Path) -> None:
    newest = "as_of = (select max(as_of) from marts.headline_verdicts)"
    rows = query(published, f"select claim from marts.headline_verdicts where carried_verdict is null and {newest}")
    assert set(rows["claim"]) == {"C12", "C13", "C15", "C24"}


def test_torch_passed_tensorflow_in_january_2024(published: Path) -> None:
    rows = query(
        published,
        f"select min(as_of) from marts.verdicts where claim = 'C25' and verdict = 'came_true' "
        f"and definition = '{INSTALLED}StarScout, all'",
    )
    assert rows.item() == date(2024, 1, 1)


def test_no_share_of_all_papers_decides(published: Path) -> None:
    rows = query(
        published, "select distinct verdict from marts.verdicts where claim = 'C14' and formula like 'of all%'"
    )
    assert set(rows["verdict"]) == {"insufficient_data"}


def test_the_questions_of_whole_years_come_out() -> None:
    years = {
        year: sum(count or 0 for month, count in questions("tensorflow").items() if month.year == year)
        for year in (2018, 2020, 2022)
    }
    assert years == {2018: 14_307, 2020: 20_629, 2022: 11_301}
