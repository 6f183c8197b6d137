"""Every example in a model's document is run: the given rows, the SQL as it stands, the expected rows."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import pytest

from fw_pipeline.transform import Example, Model, ancestors
from fw_pipeline_tests.support.relations import empty_warehouse, insert, models

HAND_WRITTEN = 1e-4
"""Relative tolerance: figures in examples are written with four to five digits."""


def examples() -> list[Any]:
    known = models()
    return [
        pytest.param(model, example, known, id=f"{model.name}: {example.name}")
        for model in known
        for example in model.doc.examples
    ]


def same(seen: Any, wanted: Any) -> bool:
    """Compare two values as a reader would: numbers to four digits, lists item by item, NULL only with NULL."""
    if isinstance(seen, float) and isinstance(wanted, float):
        return math.isclose(seen, wanted, rel_tol=HAND_WRITTEN, abs_tol=1e-9)
    return type(seen) is type(wanted) and bool(seen == wanted)


def given(model: Model, example: Example, known: tuple[Model, ...]) -> duckdb.DuckDBPyConnection:
    """Return what the model reads, with the given rows; models between the given ones and this one are built."""
    behind = ancestors(model, known)
    connection = empty_warehouse(sorted(behind), known)
    for relation, rows in example.given.items():
        insert(connection, relation, rows)
    for between in known:
        if between.name in behind - set(example.given) and ancestors(between, known) & set(example.given):
            connection.execute(f"insert into {between.name} {between.sql}")
    return connection


@pytest.mark.parametrize(("model", "example", "known"), examples())
def test_the_sql_yields_what_its_example_says(model: Model, example: Example, known: tuple[Model, ...]) -> None:
    connection = given(model, example, known)
    connection.execute(f"create temp table produced as {model.sql}")
    typed = ", ".join(f'"{name}" {column.type}' for name, column in model.doc.columns.items())
    connection.execute(f"create temp table expected ({typed})")

    rows = connection.sql("select * from produced").pl().rows(named=True)
    assert len(rows) == len(example.expect), f"expected {len(example.expect)} rows, the SQL yields {rows}"
    for wanted in example.expect:
        columns = ", ".join(f'"{name}"' for name in wanted)
        connection.execute("delete from expected")
        insert(connection, "expected", [wanted])
        row = connection.execute(f"select {columns} from expected").fetchall()[0]
        seen = connection.execute(f"select rowid, {columns} from produced").fetchall()
        found = next((number for number, *values in seen if all(map(same, values, row))), None)
        assert found is not None, f"no row is {wanted}; left are {seen}"
        connection.execute("delete from produced where rowid = ?", [found])
