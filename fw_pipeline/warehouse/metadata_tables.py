"""The tables in which the warehouse records its own metadata, and what they mean. Nothing here opens a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Book:
    """A metadata table of the warehouse: its description, and the type and meaning of each column."""

    description: str
    columns: Mapping[str, tuple[str, str]]

    @property
    def words(self) -> dict[str, str]:
        """What each column means."""
        return {name: words for name, (_, words) in self.columns.items()}

    @property
    def ddl(self) -> str:
        """The columns as SQL declares them."""
        return ", ".join(f"{name} {kind}" for name, (kind, _) in self.columns.items())


TAKEN_ON = """
    coalesce(
        max(if(observed_on = cast(observed_at at time zone 'UTC' as date),
            cast(vintage at time zone 'UTC' as date), observed_on)),
        date '1970-01-01')
"""
"""The day by which the vintages of a provider's month are ordered; those of the same day are in the order of writing.

It is the day on which the origin counted. If that is only our own clock's day, which may have been wrong and set back,
it is the day in the vintage's name, which never goes backwards.
"""

BUILDS = "meta.builds"
LOADS = "meta.loads"
VALIDATIONS = "meta.validations"

BOOKS: Mapping[str, Book] = MappingProxyType(
    {
        BUILDS: Book(
            "What each table was made from, and what it holds: a build makes again only what would come out otherwise. "
            "One row for: relation.",
            {
                "relation": ("varchar", "The table."),
                "made_from": (
                    "varchar",
                    "A mark of its definition, of the rows that it reads, and of the code; empty for raw tables.",
                ),
                "contents": (
                    "varchar",
                    "A mark of its columns and rows, whatever their order; of a view, of the files that it reads.",
                ),
            },
        ),
        LOADS: Book(
            "The raw vintages that the raw tables were loaded from. One row for: source.",
            {
                "source": ("varchar", "Source."),
                "vintages": ("bigint", "Vintages on disk when the tables were loaded."),
                "listing": (
                    "varchar",
                    "A mark of files: it changes when a vintage or a statement comes or goes, or listings move.",
                ),
                "code": ("varchar", "A mark of the code that loaded them."),
            },
        ),
        VALIDATIONS: Book(
            "The outcome of every rule on the rows that each table has now; of other rows, it is forgotten. "
            "One row for: relation, expectation.",
            {
                "relation": ("varchar", "The table."),
                "expectation": ("varchar", "Name of the rule."),
                "severity": ("varchar", "critical: nothing is published unless it holds; warning or info: it is told."),
                "passed": ("boolean", "Whether the rule holds."),
                "unexpected": ("bigint", "Rows against it."),
                "observed": ("varchar", "What was seen."),
                "proved_on": (
                    "varchar",
                    "A mark of the rule and of the rows that it reads.",
                ),
            },
        ),
    }
)
