"""The posts of the fake services' world as Parquet files, as ClickHouse offers its copy of the dump; large ones too."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from fw_pipeline_tests.support.fake_services.clickhouse import written
from fw_pipeline_tests.support.fake_services.world import World


def posts(world: World) -> pl.DataFrame:
    """Return the questions, and an answer to every third."""
    questions = world.questions()
    rows: list[dict[str, Any]] = [
        {
            "Id": it.number,
            "PostTypeId": 1,
            "AcceptedAnswerId": None,
            "CreationDate": datetime.fromtimestamp(it.created, UTC).replace(tzinfo=None),
            "Score": it.number % 9,
            "Title": "How?",
            "Tags": written(it),
        }
        for it in questions
    ]
    rows += [{**row, "PostTypeId": 2, "Tags": ""} for row in rows[::3]]
    kinds: dict[str, Any] = {
        "PostTypeId": pl.Int8,
        "Id": pl.Int64,
        "AcceptedAnswerId": pl.Int64,
        "CreationDate": pl.Datetime("ms"),
    }
    return pl.DataFrame(rows, schema_overrides=kinds).sort("CreationDate")


def by_year(world: World) -> Iterator[tuple[str, bytes]]:
    """Yield a file for each year, in several row groups, with the texts of the posts between the other columns."""
    bodies = random.Random(0)
    for (year,), part in posts(world).group_by(pl.col("CreationDate").dt.year(), maintain_order=True):
        out = io.BytesIO()
        body = pl.Series("Body", [bodies.randbytes(1500).hex() for _ in range(part.height)])
        part.insert_column(part.columns.index("Title"), body).write_parquet(out, row_group_size=1500)
        yield f"{year}.parquet", out.getvalue()


def many(path: Path, rows: int) -> None:
    """Write so many posts, two of five of them questions, over nine years, without holding them."""
    with duckdb.connect() as connection:
        connection.execute("set memory_limit = '1GB'")
        connection.execute(
            f"""
            copy (
                select
                    i::integer as "Id",
                    (case when i % 5 < 2 then 1 else 2 end)::tinyint as "PostTypeId",
                    (timestamp '2015-11-01' + to_seconds((i * 265000000.0 / {rows})::bigint))::timestamp_ms
                        as "CreationDate",
                    case
                        when i % 5 >= 2 then ''
                        when i % 1000 = 0 then '|tensorflow|keras|python|'
                        when i % 2000 = 1 then '<pytorch><c++>'
                        when i % 1000 = 1 then '|pytorch|'
                        else '|javascript|html|tag-' || i % 60000 || '|'
                    end as "Tags"
                from range({rows}) as numbers(i)
            ) to '{path}' (format parquet, row_group_size 1000000)
            """
        )
