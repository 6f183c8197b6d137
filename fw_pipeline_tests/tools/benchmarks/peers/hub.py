"""The Hub's listing of models by others: `python hub.py dlt|client|floor ADDRESS KEPT`, the results in FW_DATA_DIR.

Each reads every page over HTTP, keeps one row per model in a table on disk, and counts models, downloads and likes by
month that is over, library and formats.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import duckdb

DATA = Path(os.environ["FW_DATA_DIR"])
EXPANDED = ("createdAt", "library_name", "tags", "downloads", "likes", "gated", "private")

COUNTED = """
    select strftime(created_at, '%Y-%m') as month, concat(library, '|', array_to_string(formats, ';')) as kind,
        count(*), sum(downloads)::bigint, sum(likes)::bigint
    from models where created_at < '2023-07-01' group by all
"""

MODELS = """
    select id, {created} as created_at, library_name as library, downloads, likes,
        list_sort(list_distinct(list_filter(list_transform({tags}, lambda t: lower(t)), lambda t: t in {kept})))
            as formats
    from {pages}
"""


def by_dlt(address: str, kept: list[str]) -> None:
    """Load Arrow tables with dlt into DuckDB, one per page."""
    import dlt  # noqa: PLC0415 - of one side only
    import pyarrow as pa  # noqa: PLC0415
    from dlt.sources.helpers import requests  # noqa: PLC0415

    texts = pa.list_(pa.string())
    kinds = {"_id": pa.string(), "id": pa.string(), "createdAt": pa.string(), "library_name": pa.string()}
    kinds |= {"tags": texts, "downloads": pa.int64(), "likes": pa.int64(), "gated": pa.string(), "private": pa.bool_()}
    schema = pa.schema(kinds)

    def pages() -> Iterator[pa.Table]:
        following = f"{address}/api/models?{_question()}"
        while following:
            answer = requests.get(following)
            rows = [row | {"gated": str(row["gated"])} for row in answer.json()]
            yield pa.Table.from_pylist(rows, schema=schema)
            following = answer.links.get("next", {}).get("url")

    file = str(DATA / "listed.duckdb")
    pipeline = dlt.pipeline(
        "hub", destination=dlt.destinations.duckdb(file), dataset_name="hub", pipelines_dir=str(DATA / "dlt")
    )
    pipeline.run(dlt.resource(pages(), name="pages", write_disposition="replace"), loader_file_format="parquet")
    with duckdb.connect(file) as connection:
        connection.execute("set timezone = 'UTC'")
        tags = "case when typeof(tags) = 'VARCHAR[]' then tags::varchar[] else tags::json::varchar[] end"
        _count(connection, "hub.pages", "created_at::timestamp", tags, kept)


def by_client(address: str, kept: list[str]) -> None:
    """List the models with the Hub's own client into a Polars frame, written as Parquet."""
    import polars as pl  # noqa: PLC0415 - of one side only
    from huggingface_hub import HfApi  # noqa: PLC0415

    listed = HfApi(endpoint=address, token=False).list_models(sort="created_at", expand=list(EXPANDED))
    rows = [(it.id, it.created_at, it.library_name, it.tags, str(it.gated), it.downloads, it.likes) for it in listed]
    names = ("id", "created_at", "library", "tags", "gated", "downloads", "likes")
    models = pl.DataFrame(rows, schema=names, orient="row").with_columns(
        pl.col("tags")
        .list.eval(pl.element().str.to_lowercase().filter(pl.element().str.to_lowercase().is_in(kept)).unique().sort())
        .alias("formats")
    )
    models.write_parquet(DATA / "models.parquet")
    whole = models.filter(pl.col("created_at").dt.strftime("%Y-%m") < "2023-07")
    counted = whole.group_by(
        pl.col("created_at").dt.strftime("%Y-%m").alias("month"),
        (pl.col("library").fill_null("") + "|" + pl.col("formats").list.join(";")).alias("kind"),
    ).agg(pl.len(), pl.col("downloads").sum(), pl.col("likes").sum())
    _write(counted.rows())


def by_hand(address: str, kept: list[str]) -> None:
    """Write each page to disk and let DuckDB read them all at once."""
    place = urlsplit(address)
    service = http.client.HTTPConnection(place.hostname or "", place.port)
    folder, following, number = DATA / "pages", f"/api/models?{_question()}", 0
    folder.mkdir()
    while following:
        service.request("GET", following)
        answer = service.getresponse()
        link = answer.getheader("Link") or ""
        (folder / f"{number:05}.json").write_bytes(answer.read())
        following, number = link.partition("<")[2].partition(">")[0].removeprefix(address), number + 1
    kinds = "'id': 'VARCHAR', 'createdAt': 'TIMESTAMP', 'library_name': 'VARCHAR', 'tags': 'VARCHAR[]'"
    kinds = "{" + kinds + ", 'downloads': 'BIGINT', 'likes': 'BIGINT', 'gated': 'VARCHAR', 'private': 'BOOLEAN'}"
    with duckdb.connect(str(DATA / "hub.duckdb")) as connection:
        pages = f"read_json('{folder}/*.json', format = 'array', columns = {kinds})"
        _count(connection, pages, '"createdAt"', "tags", kept)


def _question() -> str:
    return urlencode([("sort", "createdAt"), ("limit", "1000"), *(("expand[]", name) for name in EXPANDED)])


def _count(connection: duckdb.DuckDBPyConnection, pages: str, created: str, tags: str, kept: list[str]) -> None:
    made = MODELS.format(created=created, tags=tags, kept=f"({', '.join(map(repr, kept))})", pages=pages)
    connection.execute(f"create table models as {made}")
    _write(connection.execute(COUNTED).fetchall())


def _write(rows: list[tuple[str, str, int, int, int]]) -> None:
    figures = {f"{month} {kind}": counts for month, kind, *counts in rows}
    (DATA / "figures.json").write_text(json.dumps(figures, sort_keys=True), encoding="utf-8")


if __name__ == "__main__":
    _, side, where, wanted = sys.argv
    {"dlt": by_dlt, "client": by_client, "floor": by_hand}[side](
        where, json.loads(Path(wanted).read_text(encoding="utf-8"))
    )
