"""Files in an object store, as DuckDB reads them: through a file system of Python, without an extension.

A view of such files can be read by a connection that has this file system, and by no other.
"""

from __future__ import annotations

import duckdb

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.raw import object_file_system, object_refusal
from fw_pipeline.warehouse.sql_text import raised_in_python

_IN_USE = """
    select regexp_extract(sql, '''s3://([^/'']+)', 1) from duckdb_views()
    where not internal and contains(sql, '''s3://') limit 1
"""
"""The bucket that the views of a database read."""


def read_objects(connection: duckdb.DuckDBPyConnection) -> None:
    """Let a connection read addresses that begin with `s3://`.

    Raises:
        PipelineError: what is needed for an object store is not installed.
    """
    connection.register_filesystem(object_file_system())


def read_objects_if_needed(connection: duckdb.DuckDBPyConnection) -> bool:
    """Do so if a view of a database that is open reads such an address; return whether one does. Raises as above."""
    needed = bool(connection.execute(_IN_USE).fetchall())
    if needed:
        read_objects(connection)
    return needed


def refused(connection: duckdb.DuckDBPyConnection, error: duckdb.Error) -> StorageError | None:
    """Return what the object store refused where that is why a view cannot be read; None where it is not."""
    if not (raised := raised_in_python(error)) or not (found := connection.execute(_IN_USE).fetchone()):
        return None
    return object_refusal(found[0], *raised)


def read_no_objects(connection: duckdb.DuckDBPyConnection) -> None:
    """Take that from a connection."""
    connection.unregister_filesystem("s3")
