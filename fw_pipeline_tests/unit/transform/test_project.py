"""What a model may not be: each way to get one wrong is refused with one line that names the file and the remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fw_pipeline.errors import PipelineError
from fw_pipeline.transform import MEASUREMENTS, Model, lineage, load
from fw_pipeline_tests.support.relations import DDL, models

REGISTERED = frozenset({"raw.pypi", "raw.pypi_vintages", "detail.papers", "meta.months", MEASUREMENTS})
DOC = """
description: What it is.
grain: [month]
columns:
  month: {type: DATE, description: The month.}
expectations: []
examples:
  - {name: nothing in, given: {}, expect: []}
"""
CLAIM = """
claim:
  id: C2
  title: Twice
  quote: almost twice as many
  sources: [stackoverflow]
  kind: measured
  judged_by: its own chart
  definitions:
    - {formula: f, meaning: m, unit: ratio, rule: at least, threshold: 1.75, least_n: 30, headline: true,
       says: "{value} x", threshold_reason: r}
"""


def put(folder: Path, name: str, sql: str = "select month from raw.pypi", doc: str | None = DOC) -> None:
    """Write a model, and its document unless that is None."""
    path = folder / f"{name}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(sql, encoding="utf-8")
    if doc is not None:
        path.with_suffix(".yml").write_text(doc, encoding="utf-8")


def refused(folder: Path) -> str:
    with pytest.raises(PipelineError) as reason:
        load(folder, REGISTERED)
    line = str(reason.value)
    assert "\n" not in line
    return line


def one(folder: Path, sql: str, doc: str = DOC, name: str = "staging/x") -> Model:
    put(folder, name, sql, doc)
    return next(model for model in load(folder, REGISTERED) if model.name == name.replace("/", "."))


def test_path_is_name_and_upstream_is_what_the_sql_reads(tmp_path: Path) -> None:
    sql = "with a as (select * from RAW.pypi), b as (select a.month from a, meta.months as m) select * from b"
    model = one(tmp_path, sql)
    assert (model.name, model.schema, model.table) == ("staging.x", "staging", "x")
    assert model.upstream == ("meta.months", "raw.pypi")
    assert model.doc.columns["month"].type == "DATE"


def test_each_model_comes_after_what_it_reads_and_judgement_after_all_claims(tmp_path: Path) -> None:
    put(tmp_path, "marts/a_last", f"select month from {MEASUREMENTS}")
    put(tmp_path, "marts/b", "select month from staging.z")
    put(tmp_path, "claims/c02_x", "select month from marts.b", DOC + CLAIM)
    put(tmp_path, "staging/z")
    assert [model.name for model in load(tmp_path, REGISTERED)] == [
        "staging.z",
        "marts.b",
        "claims.c02_x",
        "marts.a_last",
    ]


def test_sql_without_its_document_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "marts/x", doc=None)
    assert refused(tmp_path) == "marts/x.sql: has no x.yml beside it; write marts/x.yml"


def test_a_document_without_its_sql_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "marts/x")
    (tmp_path / "marts/x.sql").unlink()
    assert refused(tmp_path) == "marts/x.yml: has no x.sql beside it; write marts/x.sql"


@pytest.mark.parametrize("name", ["elsewhere/x", "marts/deep/x", "x"])
def test_a_file_outside_the_schemas_is_refused(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)
    assert "lies in no schema" in refused(tmp_path)


def test_a_file_that_is_no_table_name_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "marts/Two words")
    assert "is no name of a table" in refused(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "is not there" in refused(tmp_path / "dbt_like_sql")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select month from (raw.pypi", "not valid SQL"),
        ("select 1; select 2", "is not one select statement"),
        ("", "is not one select statement"),
        ("drop table raw.pypi", "is not one select statement"),
        ("create table x.y as select 1", "is not one select statement"),
        ("select month from pypi", "reads pypi without its schema"),
        ("select month from 'pypi.csv'", "reads pypi.csv without its schema"),
        ("select month from read_csv('pypi.csv')", "reads through read_csv()"),
        ("select month from raw.pipi", "did you mean raw.pypi"),
        ("select month from raw.nothing_like_it", "register it, or add the model"),
        ("select month from marts.x", "which is a backward read"),
        ("select month from meta.m", "which is a backward read"),
        (f"select month from {MEASUREMENTS}", "which is a backward read"),
        ("select month from raw.pypi_vintages", None),
        ("select month from detail.papers, unnest([1]), range(3)", None),
    ],
)
def test_sql_of_staging_that_reads_what_it_must_not_is_refused(tmp_path: Path, sql: str, words: str | None) -> None:
    put(tmp_path, "marts/x", "select month from meta.months")
    put(tmp_path, "meta/m", "select month from meta.months")
    put(tmp_path, "staging/s", sql)
    if words is None:
        assert {model.name for model in load(tmp_path, REGISTERED)} == {"marts.x", "meta.m", "staging.s"}
    else:
        line = refused(tmp_path)
        assert words in line
        assert "staging" in line


@pytest.mark.parametrize(
    ("reader", "read", "allowed"),
    [
        ("marts/r", "raw.pypi", False),
        ("marts/r", "raw.pypi_vintages", True),
        ("marts/r", "detail.papers", False),
        ("marts/r", "claims.c02_x", False),
        ("marts/r", MEASUREMENTS, True),
        ("marts/r", "meta.m", True),
        ("meta/r", "raw.pypi", True),
        ("meta/r", "marts.x", False),
        ("meta/r", MEASUREMENTS, False),
        ("claims/r", "marts.x", True),
        ("claims/r", "raw.pypi", False),
        ("claims/r", "claims.c02_x", False),
        ("claims/r", MEASUREMENTS, False),
    ],
)
def test_the_order_of_the_schemas_is_kept(tmp_path: Path, reader: str, read: str, allowed: bool) -> None:
    put(tmp_path, "marts/x", "select month from meta.months")
    put(tmp_path, "meta/m", "select month from meta.months")
    put(tmp_path, "claims/c02_x", "select month from meta.months", DOC + CLAIM)
    put(tmp_path, reader, f"select month from {read}", DOC + CLAIM if reader.startswith("claims") else DOC)
    if allowed:
        assert len(load(tmp_path, REGISTERED)) == 4
    else:
        assert refused(tmp_path).startswith(f"{reader.replace('/', '.')}: reads {read}, which is a backward read")


def test_a_circle_is_refused_and_named(tmp_path: Path) -> None:
    put(tmp_path, "marts/x", "select month from marts.y")
    put(tmp_path, "marts/y", "select month from marts.x")
    line = refused(tmp_path)
    assert "reads itself" in line
    assert "marts.x" in line
    assert "marts.y" in line


def test_a_claim_that_reads_its_own_judgement_is_a_circle(tmp_path: Path) -> None:
    put(tmp_path, "marts/verdicts", f"select month from {MEASUREMENTS}")
    put(tmp_path, "claims/c02_x", "select month from marts.verdicts", DOC + CLAIM)
    assert "reads itself" in refused(tmp_path)


def test_a_model_that_hides_a_table_of_the_pipeline_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "meta/months", "select month from raw.pypi")
    assert "meta.months: is a model and also a table that the pipeline makes" in refused(tmp_path)


@pytest.mark.parametrize(
    ("doc", "words"),
    [
        ("description: [", "not valid YAML"),
        ("", "expected keys with values here"),
        (DOC.replace("grain: [month]", ""), "lacks grain"),
        (DOC + "tests: []\n", "unknown key tests"),
        (DOC + "owner: a\nowner: b\n", "the key owner stands there twice"),
        (DOC.replace("type: DATE, description", "description"), "columns.month: lacks type"),
        (DOC.replace("type: DATE,", "type: DATE, nulable: true,"), "unknown key nulable"),
        (DOC.replace("type: DATE,", "type: DATE, nullable: perhaps,"), "neither true nor false"),
        (DOC.replace("grain: [month]", "grain: [day]"), "the grain names day, which is no column"),
        (
            DOC.replace("expectations: []", "expectations: [{type: expect_x, column: month}]"),
            "lacks its type or reason",
        ),
        (DOC.replace("given: {}", "given: {meta.months: []}"), "gives meta.months, which the SQL does not read"),
        (DOC.replace("expect: []", "expect: [{day: 1}]"), "expects day, which is no column"),
        (DOC.replace("expect: []", "expect: [1]"), "examples.1.expect.1: 1 is not a row; write rows as"),
        (DOC.partition("  - {name")[0], "has nothing in examples; write a value, or leave the key out"),
        (DOC.replace("expectations: []", "expectations: none"), "expectations: is not a list; write a list"),
        (DOC.replace("description: What it is.", "description: 7"), "description: is not a text; write a sentence"),
        (DOC.replace("given: {}", "given: []"), "given: expected names with values here"),
        (DOC.partition("  - {name")[0] + "  []\n", "examples: is empty; write at least one"),
        (DOC + CLAIM, "unknown key claim"),
    ],
)
def test_a_document_that_is_wrong_is_refused(tmp_path: Path, doc: str, words: str) -> None:
    put(tmp_path, "staging/x", doc=doc)
    line = refused(tmp_path)
    assert words in line
    assert "staging" in line


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("", "lacks claim"),
        (CLAIM.replace("rule: at least", "rule: roughly"), "'roughly' is not known; one of: at least"),
        (CLAIM.replace("threshold: 1.75", "threshold: some"), "'some' is not a number"),
        (CLAIM.replace("least_n: 30", "least_n: -1"), "-1 is not a count"),
        (CLAIM.replace("rule: at least", "rule: between"), "`upper` goes with the rule `between`"),
        (CLAIM.replace("kind: measured", "kind: not_measurable"), "says not_measurable without a reason"),
        (CLAIM.partition("  definitions:")[0] + "  definitions: []\n", "is measured by no definition"),
        (CLAIM.replace(", threshold_reason: r", ""), "lacks threshold_reason"),
        (CLAIM + CLAIM.partition("  definitions:\n")[2], "defines one formula twice"),
        (CLAIM.replace("  judged_by: its own chart\n", ""), "does not say what it is judged by"),
        (CLAIM.replace("{value} x", "x"), "is of the headline and says nothing"),
        (CLAIM.replace("headline: true", "headline: true, due: null"), "has nothing in due; write a value, or leave"),
        (CLAIM.replace("headline: true", "headline: true, due: soon"), "'soon' is no day; write a day, as 2028-01-01"),
        (CLAIM.replace("headline: true", "headline: true, due: 2028-01-01 00:00:00"), "is no day; write a day, as"),
        (CLAIM.replace("headline: true", "headline: 1"), "definitions.1.headline: 1 is neither true nor false"),
        (CLAIM.replace("1.75", ".inf"), "definitions.1.threshold: inf is not a number"),
    ],
)
def test_a_claim_without_its_terms_is_refused(tmp_path: Path, claim: str, words: str) -> None:
    put(tmp_path, "claims/c02_x", "select month from meta.months", DOC + claim)
    line = refused(tmp_path)
    assert words in line
    assert "claims/c02_x.yml" in line


def test_a_claim_says_what_decides_it(tmp_path: Path) -> None:
    claim = one(tmp_path, "select month from meta.months", DOC + CLAIM, "claims/c02_x").doc.claim
    assert claim is not None
    assert (claim.id, claim.sources, claim.kind) == ("C2", ("stackoverflow",), "measured")
    assert (claim.definitions[0].rule, claim.definitions[0].threshold, claim.definitions[0].least_n) == (
        "at least",
        1.75,
        30,
    )


@pytest.mark.parametrize(
    ("sql", "origins"),
    [
        ("select window_start as month from raw.pypi", {("raw.pypi", "window_start")}),
        ("with a as (select * from raw.pypi) select a.month from a", {("raw.pypi", "month")}),
        ("select max(p.month + days_covered) as month from raw.pypi p where downloads > 0",
         {("raw.pypi", "month"), ("raw.pypi", "days_covered")}),
        ("select m.month from raw.pypi p join meta.months m on p.month = m.month", {("meta.months", "month")}),
        ("select month from raw.pypi union all select month from meta.months",
         {("raw.pypi", "month"), ("meta.months", "month")}),
        ("select window_start as d from raw.pypi union all by name select month as d from meta.months", set()),
        ("select date '2020-01-01' as month from raw.pypi", set()),
        ("select month as a, a + 1 as month from raw.pypi", {("raw.pypi", "month")}),
        ("select (select max(m.month) from meta.months m where m.month < p.window_start) as month from raw.pypi p",
         {("meta.months", "month")}),
        ("select u.x as month from raw.pypi p, unnest([p.window_start]) as u(x)", {("raw.pypi", "window_start")}),
    ],
)  # fmt: skip
def test_lineage_follows_a_value_to_its_columns_and_nothing_else(
    tmp_path: Path, sql: str, origins: set[tuple[str, str]]
) -> None:
    model = one(tmp_path, sql)
    assert set(lineage(model, [model])["month"]) == origins


def test_lineage_of_the_product_reaches_back_to_raw_columns() -> None:
    known = models()
    staged = next(model for model in known if model.name == "staging.pypi")
    assert lineage(staged, known)["downloads_per_day"] == (("raw.pypi", "days_covered"), ("raw.pypi", "downloads"))
    assert ("raw.pypi", "origin") in lineage(staged, known)["series"]


def test_the_relations_that_models_read_are_all_there() -> None:
    known = models()
    names = {model.name for model in known}
    assert {relation for model in known for relation in model.upstream} <= names | set(DDL)


def test_reading_models_needs_no_database_and_no_dagster() -> None:
    heavy = {"duckdb", "dagster", "great_expectations", "pandas"}
    code = f"import sys, fw_pipeline.transform; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()
