"""Tables of the working file: what each was made from, what its words say, and the outcomes of its rules."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pytest

import fw_pipeline
from fw_pipeline.warehouse import Warehouse, tables
from fw_pipeline.warehouse.metadata_tables import BOOKS
from fw_pipeline.warehouse.tables import Proof
from fw_pipeline.warehouse.writer import Writer


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with Warehouse(tmp_path).writing() as opened:
        yield opened


def test_a_mark_changes_with_the_definition_and_with_the_rows_that_are_read_and_with_nothing_else(
    writer: Writer,
) -> None:
    def built(sql: str, comment: str = "") -> str:
        writer.build("marts.x", sql, description=comment, columns={})
        return writer.mark("definition", ["marts.x"])

    first = built("from (values (1, null), (2, 'b')) as t (a, b)")
    assert built("from (values (2, 'b'), (1, null)) as t (a, b)", "another comment") == first, "the same rows"
    assert writer.mark("definition", ["marts.x", "marts.x"]) == first
    others = [
        built("from (values (1, null), (2, 'B')) as t (a, b)"),
        built("from (values (1, null), (2, 'b'), (2, 'b')) as t (a, b)"),
        built("from (values (null, '1'), (2, 'b')) as t (a, b)"),
        built("from (values (1, null), (2, 'b')) as t (a, c)"),
        built("from (values (1::bigint, null), (2, 'b')) as t (a, b)"),
        built("select 1 as a, 'b' as b where false"),
        writer.mark("definition", []),
        writer.mark("definition", ["marts.y"]),
        writer.mark("another definition", ["marts.x"]),
    ]
    assert len({first, *others}) == len(others) + 1


def test_a_mark_changes_with_the_code(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    before = writer.mark("definition", [])
    monkeypatch.setattr(tables, "CODE_VERSION", "another")
    assert writer.mark("definition", []) != before


def test_a_library_or_a_module_that_decides_what_a_table_holds_is_another_code_and_the_page_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "package"
    shutil.copytree(Path(fw_pipeline.__file__).parent, root, ignore=shutil.ignore_patterns("__pycache__"))
    seen = {tables._code_version(root)}
    assert seen == {tables.CODE_VERSION}
    (root / "report" / "page.py").write_text("changed", encoding="utf-8")
    assert tables._code_version(root) in seen
    for place, module in enumerate(
        ["raw/vintages.py", "sources/pypi/__init__.py", "transform/forecasts.py", "warehouse/writer.py",
         "quality/rules.py", "catalog/frameworks.py", "contract.py", "months.py", "orchestration/build_plan.py",
         "orchestration/asset_checks.py"], start=2,
    ):  # fmt: skip
        with (root / module).open("a", encoding="utf-8") as file:
            file.write("#")
        seen.add(tables._code_version(root))
        assert len(seen) == place, module
    for name in ("duckdb", "polars", "pandas", "numpy", "scipy", "statsmodels", "great-expectations"):
        monkeypatch.setattr(tables, "version", lambda it, other=name: "0" if it == other else version(it))
        seen.add(tables._code_version(root))
        assert len(seen) == (place := place + 1), name


def test_it_is_recorded_what_a_table_was_made_from_until_it_is_made_again(writer: Writer) -> None:
    assert writer.made_from("marts.x") is None
    writer.build("marts.x", "select 1 as a", description="", columns={})
    assert writer.made_from("marts.x") == ""
    writer.note_made_from("marts.x", "a mark")
    assert writer.made_from("marts.x") == "a mark"
    writer.build("marts.x", "select 1 as a", description="", columns={})
    assert writer.made_from("marts.x") == ""


def test_outcomes_of_rules_are_kept_with_the_rows_that_they_are_about(writer: Writer) -> None:
    writer.build("marts.x", "select 1 as a", description="", columns={})
    writer.note_checks("marts.x", [("b", "critical", False, 3, "three", "m1"), ("c", "warning", True, 0, "", "m2")])
    writer.note_checks("marts.x", [("b", "critical", True, 0, "", "m3")])
    writer.note_checks("marts.x", [])
    proofs = {
        "b": Proof("m3", passed=True, unexpected=0, observed=""),
        "c": Proof("m2", passed=True, unexpected=0, observed=""),
    }
    assert writer.proofs("marts.x") == proofs
    writer.build("marts.x", "select 1 as a", description="said otherwise", columns={})
    assert writer.proofs("marts.x") == proofs, "the same rows"
    writer.forget_checks({"marts.x": ["c"]})
    assert [*writer.proofs("marts.x")] == ["c"]
    writer.build("marts.x", "select 2 as a", description="", columns={})
    assert writer.proofs("marts.x") == {}


def test_records_of_an_earlier_version_are_replaced(writer: Writer) -> None:
    writer._run("create table meta.builds (relation varchar, turn bigint)")
    writer._run("create table meta.validations (relation varchar, expectation varchar)")
    writer._run("insert into meta.builds values ('marts.x', 1)")
    assert writer.made_from("marts.x") is None
    writer.build("marts.x", "select 1 as a", description="", columns={})
    writer.note_checks("marts.x", [("b", "critical", True, 0, "", "m")])
    assert [*writer.proofs("marts.x")] == ["b"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("null::varchar[]", "[]::varchar[]"),
        ("[]::varchar[]", "[null]::varchar[]"),
        ("['a', 'b']", "['a, b']"),
        ("[[1], [2]]", "[[1, 2]]"),
        ("null::struct(a integer)", "{'a': null::integer}"),
        ("0.0::double", "-0.0::double"),
        ("'nan'::double", "null::double"),
        ("''", "null::varchar"),
        ("interval '1 month'", "interval '30 days'"),
        ("interval '1 day'", "interval '24 hours'"),
        ("[interval '1 month']", "[interval '30 days']"),
        ("{'a': interval '1 day'}", "{'a': interval '24 hours'}"),
        ("0::hugeint", "-1::hugeint"),
        ("1::uhugeint", "18446744073709551616::uhugeint"),
        ("0::decimal(38, 0)", "-1::decimal(38, 0)"),
        ("'80000000-0000-0000-0000-000000000000'::uuid", "'80000000-0000-0001-0000-000000000001'::uuid"),
        ("['{\"a\": 1}'::json]", "['{\"a\":1}'::json]"),
        ("union_value(a := '1')::union(a varchar, b integer)", "union_value(b := 1)::union(a varchar, b integer)"),
        ("1::variant", "'1'::variant"),
        ("'0'::bit", "'00'::bit"),
        ("'a'::enum('a', 'b')", "null::enum('a', 'b')"),
        ("timestamp '2020-01-01'", "timestamp '2020-01-01 00:00:00.000001'"),
        ("timestamptz '2020-01-01 00:00:00+00'", "timestamptz '2020-01-01 00:00:00+01'"),
        ("timetz '00:00:00+00'", "timetz '01:00:00+01'"),
        ("{'a': ''}", "{'a': null::varchar}"),
        ("map {'a': 1, 'b': 2}", "map {'b': 2, 'a': 1}"),
    ],
)
def test_values_that_are_nearly_the_same_are_told_apart(writer: Writer, one: str, other: str) -> None:
    def contents(value: str) -> str | None:
        writer.build("marts.x", f"select 1 as n, {value} as a", description="", columns={})
        return writer.contents("marts.x")

    assert contents(one) == contents(one) != contents(other)


def test_lists_side_by_side_are_told_apart(writer: Writer) -> None:
    found = set()
    for lists in ("[1, 2] as a, [3] as b", "[1] as a, [2, 3] as b", "[]::int[] as a, [1, 2, 3] as b"):
        writer.build("marts.x", f"select {lists}", description="", columns={})
        found.add(writer.contents("marts.x"))
    assert len(found) == 3


def test_tables_that_nobody_makes_any_more_are_dropped_with_their_records(writer: Writer) -> None:
    for name in ("marts.x", "marts.gone", "detail.gone"):
        writer.build(name, "select 1 as a", description="", columns={})
    assert writer.drop_unknown({"marts.x", *BOOKS}) == ["detail.gone", "marts.gone"]
    assert [writer.has(name) for name in ("marts.x", "marts.gone", "detail.gone")] == [True, False, False]
    assert writer.frame("select relation from meta.builds").rows() == [("marts.x",)]
    assert writer.contents("marts.gone") is None


def test_the_reason_why_a_table_is_empty_is_replaced_and_taken_back(writer: Writer) -> None:
    writer.build("marts.x", "select 1 as a where false", description="It's x.", columns={})
    comment = "select comment from duckdb_tables() where table_name = 'x'"
    for why in ("no month", "none yet"):
        writer.say_why_empty("marts.x", why)
        assert writer.frame(comment).item() == f"It's x. Empty here: {why}."
    writer.say_why_empty("marts.x", None)
    assert writer.frame(comment).item() == "It's x."


def test_what_is_made_is_known_at_once_and_so_are_the_books(writer: Writer) -> None:
    assert not writer.has("marts.x")
    writer.build("marts.x", "select 1 as a", description="", columns={})
    assert all(map(writer.has, ["marts.x", "meta.builds", "meta.validations"]))
    writer.seed("meta.small", pl.DataFrame({"a": [1]}), description="", columns={})
    assert writer.has("meta.small")
    writer.build("marts.x", "select 2 as a", description="", columns={})
    assert writer.frame("from marts.x").rows() == [(2,)]


def test_words_stand_beside_what_they_are_said_of(writer: Writer) -> None:
    words = {"a": "It's a.", "gone": "No column is called so."}
    writer.build("marts.x", "select 1 as a, 2 as b", description="It's x.", columns=words)
    writer.seed("meta.small", pl.DataFrame({"a": [1]}), description="Small.", columns=words)
    said = dict(writer.frame("select schema_name || '.' || table_name, comment from duckdb_tables()").rows())
    assert said["marts.x"] == "It's x."
    assert said["meta.small"] == "Small."
    assert said["meta.builds"] == BOOKS["meta.builds"].description
    columns = writer.frame("select table_name, column_name, comment from duckdb_columns() where comment is not null")
    found = {(of, name): comment for of, name, comment in columns.rows()}
    assert found["x", "a"] == found["small", "a"] == "It's a."
    assert ("x", "b") not in found
    assert {name: found["builds", name] for name in BOOKS["meta.builds"].columns} == BOOKS["meta.builds"].words
