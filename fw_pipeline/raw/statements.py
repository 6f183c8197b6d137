"""What fetches reported about months for which they have no figures: one small file each, never changed.

Which of them counts is decided elsewhere.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from fw_pipeline.atomic_files import StorageError, written_aside
from fw_pipeline.months import parse_month
from fw_pipeline.raw.file_names import UNPARTITIONED, is_folder, stamp, stamped

_SUFFIX = ".statement.json"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a fetch reported about a month for which it has no figures."""

    source: str
    month: date
    provider: str
    at: datetime
    status: Literal["gap", "refused", "answered"]
    """`answered` revokes an earlier statement: a later fetch returned the figures."""
    cause: str
    remedy: str


def write(folder: Path, statement: Statement) -> None:
    """Write a statement into the folder of its month.

    Raises:
        StorageError: the data folder refuses the file.
    """
    names = ("provider", "status", "cause", "remedy")
    with written_aside(folder / f"{stamp(statement.at)}{_SUFFIX}") as stream:
        stream.write(json.dumps({name: getattr(statement, name) for name in names}).encode())


def read(source: str, folders: Path, month: str) -> list[Statement]:
    """Return the statements in the folder of a month, or in all folders where it is `*`, oldest first.

    Raises:
        StorageError: one of the files is damaged.
    """
    found = []
    for path in sorted(folders.glob(f"{month}/*{_SUFFIX}")):
        at = stamped(path.name.partition(".")[0])
        if at is not None and path.parent.name != UNPARTITIONED and is_folder(path.parent.name):
            found.append(_statement(path, source, parse_month(path.parent.name), at))
    return found


def _statement(path: Path, source: str, month: date, at: datetime) -> Statement:
    with contextlib.suppress(OSError, ValueError, RecursionError):
        match json.loads(path.read_text(encoding="utf-8")):
            case {
                "provider": str(provider),
                "status": "gap" | "refused" | "answered" as status,
                "cause": str(cause),
                "remedy": str(remedy),
            }:
                return Statement(source, month, provider, at, status, cause, remedy)
    cause = f"what a fetch said of this month cannot be read: {path.name}"
    raise StorageError(source, cause, "delete that file; the next fetch says it anew", month=month)
