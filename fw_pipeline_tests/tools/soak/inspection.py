"""What must hold of a data folder at any moment, whatever was killed in it, and what a whole run may leave there."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import duckdb
import polars as pl

OF_THE_RUN = ("observed_at", "evidence", "run_id")

Contents = Mapping[str, str]
"""Hash of the bytes by path below the data folder."""


def write_once(data: Path) -> dict[str, str]:
    """Return the hash of every file that, once written, must stay as it is: vintages, statements, answers."""
    files = [
        path
        for room in ("raw", "evidence")
        for path in (data / room).rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name != "requests.ndjson"
    ]
    return {path.relative_to(data).as_posix(): _digest(path) for path in files}


def months(data: Path) -> dict[tuple[str, str, str], list[pl.DataFrame]]:
    """Return the rows of every vintage, by source, month and provider, without what names the run."""
    found: dict[tuple[str, str, str], list[pl.DataFrame]] = {}
    for path in sorted((data / "raw").rglob("[0-9]*.parquet")):
        if path.name.endswith(".detail.parquet"):
            continue
        frame = pl.read_parquet(path, hive_partitioning=False)
        key = (path.parts[-3], path.parts[-2], frame["provider"][0])
        found.setdefault(key, []).append(frame.drop(OF_THE_RUN))
    return found


def faults(data: Path, before: Contents, whole: Mapping[tuple[str, str, str], list[pl.DataFrame]]) -> Iterator[str]:
    """Yield what does not hold: something lost or changed, a month that is not all there, a file that does not open.

    `whole` holds every month as an unkilled run leaves it.
    """
    now = write_once(data)
    yield from (f"{path} is lost" for path in before.keys() - now.keys())
    yield from (f"{path} changed" for path, digest in before.items() if now.get(path, digest) != digest)
    try:
        for key, vintages in months(data).items():
            complete = whole.get(key, [])
            if not any(vintages[-1].equals(rows) for rows in complete):
                yield f"{'/'.join(key)} is not what an unkilled run has"
    except (pl.exceptions.PolarsError, OSError) as error:
        yield f"a vintage does not open: {error}"
    yield from _torn(data)
    for path in (data / "warehouse.duckdb", data / ".work" / "warehouse.duckdb"):
        if path.exists():
            yield from (f"{path.name}: {fault}" for fault in _unreadable(path))


def leftovers(*folders: Path) -> list[str]:
    """Return what no run may leave behind."""
    patterns = (".writing-*", ".publishing-*", "*.wal", "*.tmp", ".tmp", ".spill-*", "*.unreadable", "*.part")
    found = [str(path) for folder in folders for pattern in patterns for path in folder.rglob(pattern)]
    details = [path for folder in folders for path in (folder / "raw").rglob("*.detail.parquet")]
    return found + [str(p) for p in details if not p.with_name(p.name.replace(".detail.", ".")).exists()]


def history_faults(home: Path) -> list[str]:
    """Return what SQLite finds wrong with Dagster's history."""
    found = []
    for path in home.rglob("*.db"):
        with closing(sqlite3.connect(path)) as connection:
            said = connection.execute("pragma quick_check").fetchall()
            found += [] if said == [("ok",)] else [f"{path.name}: {said[:3]}"]
    return found


def _torn(data: Path) -> Iterator[str]:
    for path in (data / "raw").rglob("*.statement.json"):
        if not isinstance(json.loads(path.read_text(encoding="utf-8")), dict):
            yield f"{path.name} is no statement"
    for path in (data / "evidence").rglob("*.body.gz"):
        body = gzip.decompress(path.read_bytes())
        if path.name.split(".")[-3] != hashlib.sha256(body).hexdigest()[:16]:
            yield f"{path.name} is not the answer of its name"


def _unreadable(path: Path) -> Iterator[str]:
    """Open a copy, its log included, as the next run will, and count the rows of every table."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        if (log := path.with_name(f"{path.name}.wal")).exists():
            shutil.copyfile(log, copy.with_name(f"{copy.name}.wal"))
        try:
            with duckdb.connect(str(copy)) as connection:
                tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
                for schema, table in tables:
                    connection.execute(f"select count(*) from {schema}.{table}").fetchall()
                if path.parent.name != ".work" and not tables:
                    yield "it holds no table"
        except duckdb.Error as error:
            yield f"it does not open: {error}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
