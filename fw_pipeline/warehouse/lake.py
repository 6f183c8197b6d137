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
from urllib.parse import unquote, urlsplit, urlunsplit

import duckdb
import polars as pl

from fw_pipeline.atomic_files import LEFTOVER, StorageError, unwritable
from fw_pipeline.locks import StillHeld
from fw_pipeline.object_path import ObjectPath
from fw_pipeline.postgres_locks import CLIENT
from fw_pipeline.settings_values import LAKE, POSTGRES
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

_AGAIN = "see that it runs, then run again; nothing was lost"
_NEW = "name a catalogue that is empty in FW_WAREHOUSE, then run: fw-pipeline rebuild"
_KNOWN = {
    "creating a new DuckLake is explicitly disabled": ("nothing was published there yet", "run: fw-pipeline run"),
    "read-only mode: database does not exist": ("nothing was published there yet", "run: fw-pipeline run"),
    "does not match existing data path": ("it belongs to another data folder", _NEW),
    "Could not set lock on file": ("another program has the catalogue open", "close it there, then run again"),
    "password authentication failed": ("PostgreSQL refuses this user and password", "mend FW_WAREHOUSE"),
    'FATAL:  database "': ("PostgreSQL has no such database", "create it, or mend FW_WAREHOUSE"),
    "Unable to connect to Postgres": ("PostgreSQL gives no answer", _AGAIN),
    "Could not connect to server": ("the object store gives no answer", _AGAIN),
    "HTTP 403": ("the object store refuses", "mend AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    "HTTP 404": ("files of its tables are gone", _NEW),
    '.parquet": No such file': ("files of its tables are gone", _NEW),
}
"""What is told of errors of DuckDB, by words in them: cause and remedy. The first that fits counts."""


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
            said = f"{len(changed)} changed: {', '.join(changed)}" if changed else "only descriptions changed"
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
            cause = f"there is no version {version}" if known else "nothing was published there yet"
            raise WarehouseError(SUBJECT, cause, "see them: fw-pipeline snapshots")
        for path in (to, to.with_name(f"{to.name}.wal")):  # DuckDB would take that for the file's own log
            if os.path.lexists(path):
                raise WarehouseError("restore", f"{path} is there already", "name another file, or remove that one")
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=LEFTOVER, dir=to.parent) as folder:
                fresh = Path(folder) / to.name
                with self._attached("read_only", f"snapshot_version {version or known[0]}") as connection:
                    connection.execute(f"attach '{quoted(fresh)}' as fresh (storage_version '{PUBLISHED_STORAGE}')")
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
        # rows of small tables would otherwise be kept in the catalogue
        writing = (f"data_path '{quoted(self.data_dir)}/lake/'", "data_inlining_row_limit 0")
        said = ", ".join(options or writing)
        try:
            with interruptible(), contextlib.closing(_with_extensions(self.work_dir)) as connection:
                if shared:
                    connection.execute(s3_secret(os.environ))
                connection.execute(f"attach '{quoted(self.waiting_briefly())}' as lake ({said})")
                yield connection
        except duckdb.Error as error:
            if refused_by_the_disk(error):
                raise StorageError("DuckLake", reason_of_the_disk(error), "free space, then run again") from None
            for sign, (cause, remedy) in _KNOWN.items():
                if sign in str(error):
                    raise WarehouseError(SUBJECT, cause, remedy) from None
            said = first_line(duckdb.Error(self.without_secrets(str(error))))
            raise WarehouseError(SUBJECT, said, "nothing was lost; docs/scaling.md says what DuckLake needs") from None

    def without_secrets(self, text: str) -> str:
        """Return a message of DuckDB without the address of PostgreSQL and its password, which it may repeat."""
        address = self.address.partition(POSTGRES)[2]
        parts = urlsplit(address)
        given = (pair.partition("=") for pair in parts.query.split("&"))
        passwords = [parts.password or "", *(value for name, _, value in given if name == "password")]
        for secret in filter(None, (address, *passwords, *map(unquote, passwords))):
            text = text.replace(secret, "***")
        return text

    def waiting_briefly(self) -> str:
        """Return the address with what lets a client notice that the server of the catalogue is lost."""
        if POSTGRES not in self.address:
            return self.address
        parts = urlsplit(self.address.partition(POSTGRES)[2])
        given = [pair for pair in parts.query.split("&") if pair]  # as it is: to libpq, + is no space
        names = {pair.partition("=")[0] for pair in given}
        query = "&".join([*given, *(f"{name}={value}" for name, value in CLIENT.items() if name not in names)])
        return f"{LAKE}{POSTGRES}{urlunsplit(parts._replace(query=query))}"


def _with_extensions(work_dir: Path) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB in memory that has the extensions, from their wheels.

    Raises:
        WarehouseError: they are not installed.
        duckdb.Error: they are not those of this DuckDB.
    """
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
        wheels = importlib.import_module("duckdb_extensions")
        for name in EXTENSIONS:
            wheels.import_extension(name, con=connection)
            connection.execute(f"load {name}")
        connection.execute(f"set ducklake_max_retry_count = {RETRIES}")
    except ImportError:
        connection.close()
        cause = f"DuckDB {duckdb.__version__} is installed without DuckLake"
        raise WarehouseError(SUBJECT, cause, "install requirements-lake.lock, in an environment of its own") from None
    except BaseException:
        connection.close()
        raise
    return connection


def s3_secret(environ: Mapping[str, str]) -> str:
    """Return the SQL that lets DuckDB use the object store, by every name that obstore has for these variables.

    obstore reads and writes everything else there: a name that only it knew would send the tables to another store.
    """

    def first(*names: str) -> str | None:
        return next((value for name in names if (value := environ.get(name))), None)

    endpoint = urlsplit(first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT") or "")
    given = {
        "key_id": first("AWS_ACCESS_KEY_ID"),
        "secret": first("AWS_SECRET_ACCESS_KEY"),
        "session_token": first("AWS_SESSION_TOKEN", "AWS_TOKEN"),
        "region": first("AWS_REGION", "AWS_DEFAULT_REGION"),
        "endpoint": endpoint.netloc,
        "url_style": "path" if endpoint.netloc else None,
        "use_ssl": "false" if endpoint.scheme == "http" else None,
    }
    options = "".join(f", {name} '{quoted(value)}'" for name, value in given.items() if value)
    return f"create secret (type s3{options})"
