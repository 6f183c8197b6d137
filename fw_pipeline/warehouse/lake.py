"""Every published version in one DuckLake: a catalogue in PostgreSQL, and Parquet files in the data folder.

Each publish is one snapshot there, so that machines share what is published and earlier versions stay. DuckLake holds
copies only: nothing is built from it. See docs/adr/0034-published-versions-in-ducklake.md.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import duckdb
import polars as pl

from fw_pipeline.atomic_files import LEFTOVER, StorageError, unwritable
from fw_pipeline.locks import StillHeld
from fw_pipeline.object_path import ObjectPath
from fw_pipeline.settings_values import POSTGRES
from fw_pipeline.warehouse.lake_contents import copy_changed, describe, describe_listings, drop_unknown
from fw_pipeline.warehouse.sql_text import (
    PUBLISHED_STORAGE,
    WarehouseError,
    connected,
    first_line,
    interruptible,
    quoted,
    reason_of_the_disk,
    refused_by_the_disk,
)

SUBJECT = "DuckLake (FW_WAREHOUSE)"

EXTENSIONS = ("ducklake", "postgres_scanner", "httpfs")
"""Of DuckDB, each from the wheel `duckdb-extension-<name>`: nothing is fetched from a server."""

AUTHOR = "fw-pipeline"
"""Who has made a snapshot, as it is noted there: other writers may make others."""

RETRIES = 100
"""Tries to commit while others use the catalogue: with DuckLake's own 10, 4 of 64 commits by 8 writers failed."""

_NONE = ("creating a new DuckLake is explicitly disabled", "read-only mode: database does not exist")
"""DuckDB's messages where a catalogue is to be read that was never made."""

_AGAIN = "see that it runs, then run again; nothing was lost"


@dataclass(frozen=True, slots=True)
class Lake:
    """The published versions of one data folder. Printing shows no address."""

    address: str = field(repr=False)
    """As DuckDB attaches it: `ducklake:postgres:postgresql://user:password@host/database`, or `ducklake:<file>`."""
    data_dir: Path
    """The data folder; the tables are Parquet below `lake/` in it. A folder, or an address in an object store."""
    work_dir: Path
    """A folder of this machine, for DuckDB's extensions and for what does not fit into memory."""

    def commit(self, published: Path, still_ours: StillHeld) -> None:
        """Make a published file the newest version: all of it or nothing, and nothing if there is nothing new.

        Only tables whose contents changed are written. Readers see the version before until it is complete.

        Args:
            published: the file; it is read only.
            still_ours: is called before the commit, and raises if another machine may be publishing.

        Raises:
            WarehouseError: DuckLake cannot be used, or is not installed.
            StorageError: the disk refuses.
        """
        with self._attached() as connection:
            connection.execute(f"attach '{quoted(published)}' as fresh (read_only)")
            connection.begin()
            changed = [*drop_unknown(connection), *copy_changed(connection)]
            described = describe(connection)
            if not changed and not described:
                connection.rollback()
                return
            said = f"{len(changed)} changed: {', '.join(changed)}" if changed else "only words changed"
            connection.execute(f"call lake.set_commit_message('{AUTHOR}', '{quoted(said)}')")
            still_ours()
            connection.commit()

    def snapshots(self) -> pl.DataFrame:
        """Return every published version, newest first: its number, when it was published (UTC), and what it changed.

        The number is DuckLake's own, for `at (version => 3)`.

        Raises:
            WarehouseError: nothing was published there yet, or DuckLake cannot be used or is not installed.
        """
        with self._attached("read_only") as connection:
            found = connection.sql(f"""
                select snapshot_id as version, snapshot_time as published_at, commit_message as changed
                from lake.snapshots() where author = '{AUTHOR}' order by snapshot_id desc
            """)
            return pl.DataFrame(found.pl())

    def restore(self, to: Path, version: int | None = None) -> None:
        """Make a DuckDB file of the version that was published as that number; None: of the newest.

        Args:
            to: where the file will be; there must be none yet.
            version: as `snapshots` says.

        Raises:
            WarehouseError: there is no such version or a file already, or DuckLake cannot be used or is not installed.
            StorageError: the disk refuses.
        """
        known = self.snapshots()["version"].to_list()
        if not known or (version is not None and version not in known):
            cause = "nothing was published there yet" if not known else f"no version {version} was published"
            raise WarehouseError(SUBJECT, cause, "see them: fw-pipeline snapshots")
        if to.exists():
            raise WarehouseError("restore", f"{to} is there already", "name another file, or remove that one")
        try:
            with tempfile.TemporaryDirectory(prefix=LEFTOVER, dir=to.parent) as folder:
                fresh = Path(folder) / to.name
                with self._attached("read_only", f"snapshot_version {version or known[0]}") as connection:
                    connection.execute(f"attach '{quoted(fresh)}' as fresh (storage_version '{PUBLISHED_STORAGE}')")
                    with interruptible():
                        connection.execute("copy from database lake to fresh")
                    describe_listings(connection)
                    connection.execute("detach fresh")
                fresh.chmod(0o644)
                fresh.rename(to)
        except OSError as error:
            raise unwritable(to, error) from error

    @contextlib.contextmanager
    def _attached(self, *options: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """Attach DuckLake as `lake`, in a DuckDB without a file."""
        shared = isinstance(self.data_dir, ObjectPath)
        at = {} if "read_only" in options else {"data_path": f"{self.data_dir}/lake/"}
        said = ", ".join([*options, *(f"{name} '{quoted(value)}'" for name, value in at.items())])
        try:
            with contextlib.closing(_with_extensions(self.work_dir)) as connection:
                if shared:
                    connection.execute(s3_secret(os.environ))
                connection.execute(f"attach '{quoted(self.address)}' as lake ({said})")
                yield connection
        except duckdb.Error as error:
            if refused_by_the_disk(error):
                raise StorageError("DuckLake", reason_of_the_disk(error), "free space, then run again") from None
            if any(sign in str(error) for sign in _NONE):
                raise WarehouseError(SUBJECT, "nothing was published there yet", "run: fw-pipeline run") from None
            raise WarehouseError(SUBJECT, self.without_secrets(first_line(error)), _AGAIN) from None

    def without_secrets(self, text: str) -> str:
        """Return a message of DuckDB without the address of PostgreSQL, which it may repeat."""
        address = self.address.partition(POSTGRES)[2]
        password = urlsplit(address).password or ""
        for secret in filter(None, (address, password, unquote(password))):
            text = text.replace(secret, "***")
        return text


def _with_extensions(work_dir: Path) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB in memory that has the extensions, from their wheels.

    Raises:
        WarehouseError: they are not installed, or not those of this DuckDB.
    """
    try:
        wheels = importlib.import_module("duckdb_extensions")
    except ImportError:
        cause = f"DuckDB {duckdb.__version__} is installed without DuckLake"
        raise WarehouseError(SUBJECT, cause, "install requirements-lake.lock, in an environment of its own") from None
    work = work_dir / ".work"
    connection = connected(
        ":memory:",
        config={
            "extension_directory": str(work / "extensions"),
            "autoinstall_known_extensions": False,
            "temp_directory": str(work / "spill-lake"),
            "memory_limit": "4GB",
            "threads": 1,
        },
    )
    try:
        for name in EXTENSIONS:
            wheels.import_extension(name, con=connection)
            connection.execute(f"load {name}")
        connection.execute(f"set ducklake_max_retry_count = {RETRIES}")
    except BaseException:
        connection.close()
        raise
    return connection


def s3_secret(environ: Mapping[str, str]) -> str:
    """Return the SQL that lets DuckDB use the object store, by the same variables as everything else here."""
    endpoint = urlsplit(environ.get("AWS_ENDPOINT_URL", ""))
    given = {
        "key_id": environ.get("AWS_ACCESS_KEY_ID"),
        "secret": environ.get("AWS_SECRET_ACCESS_KEY"),
        "session_token": environ.get("AWS_SESSION_TOKEN"),
        "region": environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION"),
        "endpoint": endpoint.netloc,
        "url_style": "path" if endpoint.netloc else None,
        "use_ssl": "false" if endpoint.scheme == "http" else None,
    }
    options = "".join(f", {name} '{quoted(value)}'" for name, value in given.items() if value)
    return f"create secret (type s3{options})"
