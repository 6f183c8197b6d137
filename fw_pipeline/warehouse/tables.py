"""The open working file: which tables it has, their comments, and the records of what was built and checked.

Nothing here opens, locks or publishes a file.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

import fw_pipeline
from fw_pipeline.warehouse.metadata_tables import BOOKS, BUILDS, VALIDATIONS
from fw_pipeline.warehouse.sql_text import quoted

_EMPTY = " Empty here: "
"""Separates the comment of an empty table from the reason why it is empty."""

_ROOMS = ("catalog", "quality", "raw", "sources", "transform", "warehouse")
_MODULES = ("contract.py", "months.py", "orchestration/asset_checks.py", "orchestration/build_plan.py")
"""The rooms and modules whose code decides what a table holds, or whether a rule holds."""

_LIBRARIES = ("duckdb", "great-expectations", "numpy", "pandas", "polars", "scipy", "statsmodels")


_HASHED_ALONE = frozenset(
    {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
    | {"VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}
)
"""The types of which DuckDB's hash tells all values apart. As text, the last would depend on the time zone."""


@dataclass(frozen=True, slots=True)
class Built:
    """The result of a build."""

    rows: int
    columns: Mapping[str, str]
    """DuckDB type by column, in order."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The recorded outcome of a rule, and the mark of everything that decided it."""

    mark: str
    passed: bool
    unexpected: int
    observed: str


def _code_version(root: Path) -> str:
    """Return a mark of the libraries, and of the code below the folder of the package."""
    digest = hashlib.sha256(" ".join(f"{name} {version(name)}" for name in _LIBRARIES).encode())
    in_rooms = [path for room in _ROOMS for path in root.glob(f"{room}/**/*.py")]
    for path in sorted([*in_rooms, *(root / name for name in _MODULES)]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


CODE_VERSION = _code_version(Path(fw_pipeline.__file__).parent)
"""A mark of the code and the libraries that decide what a table holds, as they were when this process began."""


class Tables:
    """The tables of the working file while it is open for writing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Work through an open connection, inside its transaction."""
        self._connection = connection
        self._relations: dict[str, str] | None = None  # read once: listing tables takes DuckDB longer than building one
        self._contents: dict[str, str] | None = None
        self._kept: set[str] = set()

    def has(self, relation: str) -> bool:
        """Return whether a relation exists."""
        return relation in self._kinds()

    def is_empty(self, relation: str) -> bool:
        """Return whether a relation has no rows, or does not exist."""
        return not self.has(relation) or not self._rows(f"select 1 from {relation} limit 1")

    def say_why_empty(self, relation: str, why: str | None) -> None:
        """Add the reason why a table has no rows to its comment, in the place of an earlier one; None: no reason."""
        schema, _, table = relation.partition(".")
        (comment,) = self._rows(
            "select comment from duckdb_tables() where database_name = 'work' and schema_name = ? and table_name = ?",
            [schema, table],
        )[0]
        said = (comment or "").partition(_EMPTY)[0] + (f"{_EMPTY}{why}." if why else "")
        if said != comment:
            self._run(f"comment on table {relation} is '{quoted(said)}'")

    def frame(self, sql: str, parameters: Sequence[Any] = ()) -> pl.DataFrame:
        """Return the rows of a query."""
        return pl.DataFrame(self._connection.sql(sql, params=list(parameters)).pl())

    def mark(self, definition: str, reads: Iterable[str]) -> str:
        """Return a mark of a definition, of the rows that it reads as they are now, and of the code.

        While it is the same, whatever was made by the definition is what it would be if made again. Where a relation
        was never made, no two marks are the same.
        """
        read = [f"{name} {self.contents(name) or secrets.token_hex()}" for name in sorted(set(reads))]
        return hashlib.sha256("\0".join([CODE_VERSION, definition, *read]).encode()).hexdigest()[:32]

    def contents(self, relation: str) -> str | None:
        """Return the mark of the columns and rows of a relation; None if it was never made."""
        return self._marks().get(relation)

    def made_from(self, relation: str) -> str | None:
        """Return the mark of what a relation was made from; None if it was never made."""
        self._keep(BUILDS)
        found = self._rows("select made_from from meta.builds where relation = ?", [relation])
        return str(found[0][0]) if found else None

    def note_made_from(self, relation: str, mark: str) -> None:
        """Record the mark of what a relation was made from."""
        self._connection.execute("update meta.builds set made_from = ? where relation = ?", [mark, relation])

    def note_checks(self, relation: str, outcomes: Sequence[tuple[str, str, bool, int, str, str]]) -> None:
        """Record outcomes of rules on a relation: name, severity, passed, failing rows, observed, and the mark."""
        self._keep(VALIDATIONS)
        if not outcomes:
            return
        rules = [outcome[0] for outcome in outcomes]
        self._connection.execute(
            "delete from meta.validations where relation = ? and list_contains(?, expectation)", [relation, rules]
        )
        rows = ", ".join("(?, ?, ?, ?, ?, ?, ?)" for _ in outcomes)
        values = [value for outcome in outcomes for value in (relation, *outcome)]
        self._connection.execute(f"insert into meta.validations values {rows}", values)

    def proofs(self, relation: str) -> dict[str, Proof]:
        """Return the recorded outcome of each rule on a relation as it is now, by the rule's name."""
        self._keep(VALIDATIONS)
        found = self._rows(
            "select expectation, proved_on, passed, unexpected, observed from meta.validations where relation = ?",
            [relation],
        )
        return {name: Proof(*rest) for name, *rest in found}

    def drop_unknown(self, known: Collection[str]) -> list[str]:
        """Drop the tables that are not among those known, as those of models that are gone; return their names."""
        self._keep(BUILDS)
        gone = sorted(name for name in self._kinds() if name not in known)
        for relation in gone:
            self._run(f"drop {self._kinds()[relation]} {relation}")
            self._connection.execute("delete from meta.builds where relation = ?", [relation])
        self._relations = self._contents = None
        return gone

    def forget_checks(self, known: Mapping[str, Iterable[str]]) -> None:
        """Remove the outcomes of rules that are not among those known of their relation."""
        self._keep(VALIDATIONS)
        for relation, rule in self._rows("select relation, expectation from meta.validations"):
            if rule not in known.get(relation, ()):
                self._connection.execute(
                    "delete from meta.validations where relation = ? and expectation = ?", [relation, rule]
                )

    def _kinds(self) -> dict[str, str]:
        """Return whether each relation is a table or a view."""
        if self._relations is None:
            self._relations = dict(
                self._rows("""
                select schema_name || '.' || table_name, 'table' from duckdb_tables() where database_name = 'work'
                union all
                select schema_name || '.' || view_name, 'view' from duckdb_views()
                where database_name = 'work' and not internal
            """)
            )
        return self._relations

    def _marks(self) -> dict[str, str]:
        """Return the mark of the rows of each relation that was made."""
        if self._contents is None:
            self._keep(BUILDS)
            self._contents = dict(self._rows("select relation, contents from meta.builds"))
        return self._contents

    def _keep(self, relation: str) -> None:
        """Create a metadata table of the warehouse unless it exists; one of an earlier version is replaced."""
        book = BOOKS[relation]
        if relation in self._kept:
            return
        if not self.has(relation) or [row[0] for row in self._rows(f"describe {relation}")] != [*book.columns]:
            self._run(f"create or replace table {relation} ({book.ddl})")
            self._made(relation)
            self._comment(relation, book.description, book.words)
        self._kept.add(relation)

    def _comment(self, relation: str, description: str, columns: Mapping[str, str]) -> None:
        kind = self._kinds().get(relation, "table")
        self._run(f"comment on {kind} {relation} is '{quoted(description)}'")
        present = {row[0] for row in self._rows(f"describe {relation}")}
        for column, words in columns.items():
            if column in present:
                self._run(f"""comment on column {relation}."{column}" is '{quoted(words)}'""")

    def _built(self, relation: str) -> Built:
        """Record that a table was made, and a mark of its rows."""
        self._made(relation)
        columns = {row[0]: row[1] for row in self._rows(f"describe {relation}")}
        row = ", ".join(_told_apart(name, kind) for name, kind in columns.items())
        rows, rows_mark = self._rows(f"select count(*), sum(hash({row})) from {relation}")[0]
        self._note_contents(relation, f"{columns} {rows} {rows_mark}")
        return Built(rows, columns)

    def _note_contents(self, relation: str, said: str) -> None:
        """Record a mark of what a relation holds; what was proved of other contents is forgotten."""
        contents = hashlib.sha256(said.encode()).hexdigest()[:32]
        if self._marks().get(relation) != contents:
            self._keep(VALIDATIONS)
            self._connection.execute("delete from meta.validations where relation = ?", [relation])
        self._marks()[relation] = contents
        self._connection.execute("delete from meta.builds where relation = ?", [relation])
        self._connection.execute("insert into meta.builds values (?, '', ?)", [relation, contents])

    def _made(self, relation: str, kind: str = "table") -> None:
        if self._relations is not None:
            self._relations[relation] = kind

    def _run(self, sql: str) -> None:
        self._connection.execute(sql)

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, parameters).fetchall()


def _told_apart(column: str, kind: str) -> str:
    """Return a column as SQL whose hash differs whenever its value does: for most types with its text beside it.

    DuckDB's own hash is the same for no list, an empty one and one of nothing, for 0.0 and -0.0, for all intervals, and
    for 0 and -1 where they have 128 bits, as sums have.
    """
    if kind in _HASHED_ALONE:
        return f'"{column}"'
    is_nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))
    return f'"{column}", ' + (f'to_json("{column}")::varchar' if is_nested else f'"{column}"::varchar')
