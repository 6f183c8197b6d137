"""The metadata tables of the warehouse: the columns that users query, each with its type and its meaning."""

from __future__ import annotations

from fw_pipeline.warehouse.metadata_tables import BOOKS


def test_the_books_of_the_warehouse_have_the_columns_that_users_query() -> None:
    assert {name: list(book.columns) for name, book in BOOKS.items()} == {
        "meta.builds": ["relation", "made_from", "contents"],
        "meta.loads": ["source", "vintages", "listing", "code"],
        "meta.validations": ["relation", "expectation", "severity", "passed", "unexpected", "observed", "proved_on"],
    }
