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

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.months import parse_month
from fw_pipeline.raw.file_names import UNPARTITIONED, is_folder, stamp, stamped
from fw_pipeline.raw.storage import Storage

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


def write(storage: Storage, folder: Path, statement: Statement) -> None:
    """Write a statement into the folder of its month.

    Raises:
        StorageError: the data folder refuses the file.
    """
    names = ("provider", "status", "cause", "remedy")
    content = json.dumps({name: getattr(statement, name) for name in names}).encode()
    storage.put(folder / f"{stamp(statement.at)}{_SUFFIX}", content)


def read(storage: Storage, source: str, folder: Path, month: str | None = None) -> list[Statement]:
    """Return the statements on a source in the folder of a month, or in those of all months, oldest first.

    Raises:
        StorageError: one of the files is damaged.
    """
    found = []
    for name in storage.names(folder / month if month else folder):
        in_month, _, file = (f"{month}/{name}" if month else name).partition("/")
        at = stamped(file.partition(".")[0])
        if file.endswith(_SUFFIX) and at is not None and in_month != UNPARTITIONED and is_folder(in_month):
            found.append(_statement(storage, folder / in_month / file, source, parse_month(in_month), at))
    return found


def _statement(storage: Storage, path: Path, source: str, month: date, at: datetime) -> Statement:
    with contextlib.suppress(OSError, ValueError, RecursionError), storage.opened(path) as stream:
        match json.loads(stream.read().decode()):
            case {
                "provider": str(provider),
                "status": "gap" | "refused" | "answered" as status,
                "cause": str(cause),
                "remedy": str(remedy),
            }:
                return Statement(source, month, provider, at, status, cause, remedy)
    cause = f"what a fetch said of this month cannot be read: {path.name}"
    raise StorageError(source, cause, "delete that file; the next fetch says it anew", month=month)
