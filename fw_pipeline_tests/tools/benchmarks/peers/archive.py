"""The archive of Papers with Code by others: `python archive.py pandas|polars|floor FOLDER`, results in FW_DATA_DIR.

Each joins links with papers, keeps a table of the papers that have a repository, and counts for each month the papers
by their set of frameworks, and papers and repositories by framework and by whether they are the authors' own.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DATA = Path(os.environ["FW_DATA_DIR"])
LINKS = ["paper_url", "paper_title", "paper_arxiv_id", "repo_url", "is_official", "framework"]
PAPERS = ["paper_url", "arxiv_id", "title", "authors", "date"]


def by_pandas(folder: Path, known: dict[str, str]) -> None:
    """Join and count with pandas."""
    import pandas as pd  # noqa: PLC0415 - of one side only

    links = pd.read_parquet(folder / "links.parquet", columns=LINKS)
    named = links["framework"].str.lower()
    links["framework"] = named.map(known).where(named.isin(known), named.where(named != "none"))
    links["repository"] = links["repo_url"].str.lower().str.rstrip("/").str.replace(r"\.git$", "", regex=True)
    links = links.rename(columns={"is_official": "official"})
    links = links.drop_duplicates(["paper_url", "repository", "framework", "official"])
    papers = pd.read_parquet(folder / "papers.parquet", columns=PAPERS).drop_duplicates("paper_url")
    papers["date"] = pd.to_datetime(papers["date"])
    papers["month"] = papers["date"].dt.strftime("%Y-%m")
    repositories = links[["repository", "framework", "official"]].to_dict("records")
    links["repositories"] = pd.Series(repositories, index=links.index)
    grouped = links.groupby("paper_url")
    by_paper = grouped.agg(official=("official", "any"), repositories=("repositories", list))
    frameworks = grouped["framework"].agg(lambda it: sorted(set(it.dropna())))
    by_paper = by_paper.assign(frameworks=frameworks).reset_index().merge(papers, on="paper_url", how="left")
    by_paper.to_parquet(DATA / "papers.parquet")
    by_set = by_paper.assign(names=by_paper["frameworks"].str.join(";")).groupby(["month", "names"]).size()
    dated = links.merge(papers[["paper_url", "month"]], on="paper_url")
    counted = dated.groupby(["month", "framework", "official"], dropna=False)[["paper_url", "repository"]].nunique()
    rows = [(month, names, None, papers, None) for month, names, papers in by_set.reset_index().itertuples(index=False)]
    rows += [
        (month, "" if pd.isna(name) else name, official, papers, repositories)
        for month, name, official, papers, repositories in counted.reset_index().itertuples(index=False, name=None)
        if not pd.isna(month)
    ]
    _write(rows)


def by_polars(folder: Path, known: dict[str, str]) -> None:
    """Join and count with Polars, lazily."""
    import polars as pl  # noqa: PLC0415 - of one side only

    named = pl.col("framework").str.to_lowercase().replace(known)
    links = pl.scan_parquet(folder / "links.parquet").select(
        "paper_url",
        pl.col("repo_url").str.to_lowercase().str.strip_chars_end("/").str.replace(r"\.git$", "").alias("repository"),
        pl.when(named != "none").then(named).alias("framework"),
        pl.col("is_official").alias("official"),
    )
    papers = pl.scan_parquet(folder / "papers.parquet").select(PAPERS).unique("paper_url")
    papers = papers.with_columns(pl.col("date").str.to_date())
    by_paper = (
        links.group_by("paper_url")
        .agg(
            pl.col("official").any(),
            pl.col("framework").drop_nulls().unique().sort().alias("frameworks"),
            pl.struct("repository", "framework", "official").unique().alias("repositories"),
        )
        .join(papers, on="paper_url", how="left")
        .with_columns(pl.col("date").dt.strftime("%Y-%m").alias("month"))
        .collect()
    )
    by_paper.write_parquet(DATA / "papers.parquet")
    dated = by_paper.filter(pl.col("month").is_not_null())
    by_set = dated.group_by("month", pl.col("frameworks").list.join(";")).len()
    by_framework = (
        dated.select("month", "paper_url", "repositories")
        .explode("repositories")
        .unnest("repositories")
        .group_by("month", pl.col("framework").fill_null(""), "official")
        .agg(pl.col("paper_url").n_unique(), pl.col("repository").n_unique())
    )
    _write([*((month, names, None, count, None) for month, names, count in by_set.rows()), *by_framework.rows()])


def by_duckdb(folder: Path, known: dict[str, str]) -> None:
    """Join and count with DuckDB, in one file."""
    import duckdb  # noqa: PLC0415 - of one side only

    with duckdb.connect(str(DATA / "papers.duckdb")) as connection:
        connection.execute(
            """
            create table papers as
            with links as (
                select paper_url, is_official as official,
                    regexp_replace(rtrim(lower(repo_url), '/'), '[.]git$', '') as repository,
                    nullif(coalesce($frameworks[list_position($names, lower(framework))], lower(framework)), 'none')
                        as framework
                from read_parquet($folder || '/links.parquet')
            ),
            linked as (
                select paper_url, bool_or(official) as official,
                    coalesce(list_sort(list(distinct framework) filter (framework is not null)), []) as frameworks,
                    list(distinct struct_pack(repository, framework, official)) as repositories
                from links group by paper_url
            ),
            papers as (
                select paper_url, any_value(arxiv_id) as arxiv_id, any_value(title) as title,
                    any_value(authors) as authors, min(date)::date as date
                from read_parquet($folder || '/papers.parquet') semi join linked using (paper_url) group by paper_url
            )
            select *, strftime(date, '%Y-%m') as month from linked left join papers using (paper_url)
            """,
            {"folder": str(folder), "names": list(known), "frameworks": list(known.values())},
        )
        found = connection.execute(
            """
            with links as (
                select month, paper_url, unnest(repositories, recursive := true) from papers where month is not null
            )
            select month, array_to_string(frameworks, ';'), null, count(*), null
            from papers where month is not null group by all
            union all
            select month, coalesce(framework, ''), official, count(distinct paper_url), count(distinct repository)
            from links group by all
            """
        )
        _write(found.fetchall())


def _write(rows: Iterable[tuple[Any, ...]]) -> None:
    figures = {f"{month} {names}|{official}": counts for month, names, official, *counts in rows}
    (DATA / "figures.json").write_text(json.dumps(figures, sort_keys=True), encoding="utf-8")


if __name__ == "__main__":
    _, side, place = sys.argv
    frameworks = json.loads((Path(place) / "frameworks.json").read_text(encoding="utf-8"))
    {"pandas": by_pandas, "polars": by_polars, "floor": by_duckdb}[side](Path(place), frameworks)
