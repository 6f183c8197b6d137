"""Files in an object store, as DuckDB reads them: through a file system of Python, without an extension.

A view of such files can be read by a connection that has this file system, and by no other.
"""

from __future__ import annotations

import duckdb

from fw_pipeline.raw import object_file_system

_IN_USE = "select 1 from duckdb_views() where not internal and contains(sql, '''s3://') limit 1"


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


def read_no_objects(connection: duckdb.DuckDBPyConnection) -> None:
    """Take that from a connection."""
    connection.unregister_filesystem("s3")
