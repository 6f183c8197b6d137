"""The Papers with Code archive: two files, as packed JSON, as Parquet, and on the Hub; the site itself is gone."""

from __future__ import annotations

import gzip
import io
import json
import re
from functools import lru_cache
from typing import Any

import polars as pl

from fw_pipeline_tests.support.fake_services.files import file_response
from fw_pipeline_tests.support.fake_services.messages import Request, Response, as_json, as_text
from fw_pipeline_tests.support.fake_services.world import World

_SITE = "https://paperswithcode.com/paper/"
_NAMES = ("links-between-papers-and-code", "papers-with-abstracts")
_REPOSITORIES = {"links-between-paper-and-code": _NAMES[0], "papers-with-abstracts": _NAMES[1]}
"""What each repository on the Hub holds; the first has another name there."""

_LINKS_SCHEMA = {
    **dict.fromkeys(
        ("paper_url", "paper_title", "paper_arxiv_id", "paper_url_abs", "paper_url_pdf", "repo_url"), pl.String()
    ),
    **dict.fromkeys(("is_official", "mentioned_in_paper", "mentioned_in_github"), pl.Boolean()),
    "framework": pl.String(),
}
_PAPERS_SCHEMA = {
    **dict.fromkeys(("paper_url", "arxiv_id", "nips_id", "openreview_id", "title", "abstract"), pl.String()),
    **dict.fromkeys(("short_abstract", "url_abs", "url_pdf", "proceeding"), pl.String()),
    **dict.fromkeys(("authors", "tasks"), pl.List(pl.String)),
    **dict.fromkeys(("date", "conference", "conference_url_abs", "conference_url_pdf"), pl.String()),
    "reproduces_paper": pl.String(),
}


def answer(request: Request, world: World) -> Response:
    """Answer one request."""
    name, _, kind = request.path.removeprefix("/").partition(".")
    if name not in _NAMES or kind not in {"json.gz", "parquet"}:
        return as_text("<!doctype html><html><body>Trending Papers</body></html>", kind="text/html; charset=utf-8")
    body = archive_file(name, kind, world.paper_count)
    media = "application/gzip" if kind == "json.gz" else "application/octet-stream"
    return file_response(request, body, kind=media, changed=world.today)


def on_the_hub(request: Request, world: World) -> Response:
    """Answer a request for a repository of the archive, or for one of its files."""
    named = re.fullmatch(r"/(?:api/)?datasets/pwc-archive/([^/]+)/(.+)", request.path)
    if named is None or named[1] not in _REPOSITORIES:
        return as_json({"error": "Repository not found"}, 401)
    name, of = _REPOSITORIES[named[1]], world.archive_parts.get(named[1], 1)
    files = [f"train-{part:05}-of-{of:05}.parquet" for part in range(of)]
    api = f"{request.base_url}/api/datasets/pwc-archive/{named[1]}/parquet/default/train"
    if request.path.startswith("/api/"):
        if named[2] == "tree/main/data" and world.archive_listing == "tree":
            readme = {"type": "file", "oid": "0" * 40, "size": 12, "path": "data/.gitattributes"}
            folder = {"type": "directory", "oid": "0" * 40, "size": 0, "path": "data/old.parquet"}
            found = [{"type": "file", "oid": "0" * 40, "size": 1, "path": f"data/{file}"} for file in files]
            return as_json([folder, readme, *reversed(found)])
        if named[2] == "parquet" and world.archive_listing == "parquet":
            return as_json({"default": {"train": [f"{api}/{part}.parquet" for part in range(of)]}})
        asked = re.fullmatch(r"parquet/default/train/(\d+)\.parquet", named[2])
        part = int(asked[1]) if asked else of
    else:
        file = named[2].removeprefix("resolve/main/data/")
        part = files.index(file) if file in files else of
    if part >= of:
        return as_text("Entry not found", 404)
    body = archive_file(name, "parquet", world.paper_count, part, of)
    return file_response(request, body, kind="application/octet-stream", changed=world.today)


@lru_cache(maxsize=16)
def archive_file(name: str, kind: str, papers: int, part: int = 0, of: int = 1) -> bytes:
    """Return one file of the archive, or one of so many parts of it."""
    is_links = name == _NAMES[0]
    rows = (link_rows(papers) if is_links else paper_rows(papers))[part::of]
    if kind == "json.gz":
        return gzip.compress(json.dumps(rows, ensure_ascii=False).encode(), mtime=0)
    schema: dict[str, Any] = _LINKS_SCHEMA if is_links else _PAPERS_SCHEMA
    out = io.BytesIO()
    pl.DataFrame([{column: row[column] for column in schema} for row in rows], schema=schema).write_parquet(out)
    return out.getvalue()


def link_rows(papers: int) -> list[dict[str, Any]]:
    """Return the rows of the links file: one for each repository of a paper, in the order of the papers."""
    return [
        {
            "paper_url": _SITE + paper["slug"],
            "paper_title": paper["title"],
            "paper_arxiv_id": paper["arxiv_id"] if paper["has_arxiv"] else None,
            "paper_url_abs": f"https://arxiv.org/abs/{paper['arxiv_id']}v1",
            "paper_url_pdf": f"https://arxiv.org/pdf/{paper['arxiv_id']}v1.pdf",
            **repository,
        }
        for paper in World(paper_count=papers).papers()
        for repository in paper["repositories"]
    ]


def paper_rows(papers: int) -> list[dict[str, Any]]:
    """Return the rows of the papers file."""
    return [
        {
            "paper_url": _SITE + paper["slug"],
            "arxiv_id": paper["arxiv_id"] if paper["has_arxiv"] else None,
            "nips_id": None,
            "openreview_id": None,
            "title": paper["title"],
            "abstract": paper["abstract"],
            "short_abstract": None,
            "url_abs": f"http://arxiv.org/abs/{paper['arxiv_id']}v1",
            "url_pdf": f"http://arxiv.org/pdf/{paper['arxiv_id']}v1.pdf",
            "proceeding": None,
            "authors": list(paper["authors"]),
            "tasks": ["Image Classification"],
            "date": paper["date"],
            "conference_url_abs": None,
            "conference_url_pdf": None,
            "conference": None,
            "reproduces_paper": None,
            "methods": [],
        }
        for paper in World(paper_count=papers).papers()
    ]
