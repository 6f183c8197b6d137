"""How the files of raw are named: a folder per month, and in each name the time at which the file was written.

Nothing here opens a file.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from fw_pipeline.months import parse_month

UNPARTITIONED = "unpartitioned"
"""The folder of figures that belong to no month partition."""

_STAMP = "%Y%m%dT%H%M%S%fZ"


def folder_of(month: date | None) -> str:
    """Return the name of the folder of a month."""
    return f"{month:%Y-%m}" if month else UNPARTITIONED


def is_folder(name: str) -> bool:
    """Return whether a folder of that name contains vintages; other folders are not ours."""
    try:
        return name == UNPARTITIONED or folder_of(parse_month(name)) == name
    except ValueError:
        return False


def stamp(at: datetime) -> str:
    """Return a time as the name of a file begins with it, so that names sort by time."""
    return at.astimezone(UTC).strftime(_STAMP)


def stamped(text: str) -> datetime | None:
    """Return the time at the beginning of a file name; None if the file is not ours."""
    try:
        return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
