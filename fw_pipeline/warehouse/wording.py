"""How the warehouse quotes text for SQL and words its failures. Nothing here opens a file."""

from __future__ import annotations

from fw_pipeline.contract import Reason


class WarehouseFailed(Reason):
    """The working or the published file cannot be opened, built or replaced."""


def first_line(error: Exception) -> str:
    """Return the first paragraph of an error on one line."""
    return " ".join(str(error).split("\n\n")[0].split())[:400]


def quoted(text: object) -> str:
    """Return a text as it stands between single quotes in SQL."""
    return str(text).replace("'", "''")
