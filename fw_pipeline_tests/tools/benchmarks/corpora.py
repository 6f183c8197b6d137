"""What the sides of a comparison with others work on, made up: `python -m ...corpora hub|posts|archive FOLDER NUMBER`.

The same number makes the same data. Fields and the sizes of rows are like those of the real services.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl

from fw_pipeline.catalog.frameworks import PAPER_NAMES, TAGS
from fw_pipeline.sources.huggingface.hub_counts import FORMATS, OLDEST
from fw_pipeline.sources.stackoverflow.monthly_questions import names_of
from fw_pipeline_tests.support.dumps import HEAD, TAIL, row

UNTIL = datetime(2023, 7, 1, 6, tzinfo=UTC)
"""Creation of the newest model."""

_LIBRARIES = ("transformers", "diffusers", "keras", "timm", "sentence-transformers", "stable-baselines3", "peft", None)
_OTHER_TAGS = ("region:us", "license:apache-2.0", "endpoints_compatible", "autotrain_compatible", "text-generation")
_MONTHS = tuple(f"{year}-{month:02d}" for year in range(2016, 2023) for month in range(1, 13))


def hub(folder: Path, number: int) -> None:
    """Write so many models, oldest first, one line each."""
    rnd, step = Random(7), (UNTIL - OLDEST) / number
    with (folder / "models.ndjson").open("w", encoding="utf-8") as out:
        for at in range(number):
            made = OLDEST + at * step
            library = rnd.choice(_LIBRARIES)
            tags = [*rnd.sample(FORMATS, rnd.randrange(3)), *rnd.sample(_OTHER_TAGS, 4), "dataset:wikipedia"]
            model = {
                "_id": f"{int(made.timestamp()):08x}{at:016x}",
                "id": f"owner-{at % 9973}/a-model-with-a-name-{at}",
                "createdAt": f"{made:%Y-%m-%dT%H:%M:%S}.{made.microsecond // 1000:03d}Z",
                **({"library_name": library} if library else {}),
                "tags": [*([library] if library else []), *tags, *(f"arxiv:{rnd.randrange(9999)}" for _ in range(3))],
                "downloads": int(rnd.paretovariate(0.6)) % 10**7,
                "likes": rnd.randrange(40),
                "gated": rnd.random() < 0.02 and "auto",
                "private": False,
            }
            out.write(json.dumps(model, separators=(",", ":")) + "\n")
    (folder / "kept.json").write_text(json.dumps(list(FORMATS)), encoding="utf-8")


def posts(folder: Path, number: int) -> None:
    """Write a Posts.xml of at least so many rows, of about 1.1 kB each, a third of them questions."""
    rnd, names = Random(7), names_of(TAGS)
    others = [f"other-{at}" for at in range(400)]
    body = "<p>How do I get a tensor of shape (3, 4) into <code>model.fit</code> &amp; why is it slow?</p>\n" * 8
    rows = []
    for at in range(8400):
        made = f"{_MONTHS[at % len(_MONTHS)]}-{at % 28 + 1:02d}T{at % 24:02d}:59:59.{at % 1000:03d}"
        tags = dict.fromkeys([*rnd.sample(names, rnd.choice((0, 0, 0, 0, 1, 2))), *rnd.sample(others, 3)])
        rows.append(row(at + 1, 1 if at % 3 == 0 else 2, made, tags if at % 3 == 0 else (), Body=body))
    block = "".join(rows)
    with (folder / "Posts.xml").open("w", encoding="utf-8") as out:
        out.write(HEAD)
        for _ in range(-(-number // len(rows))):
            out.write(block)
        out.write(TAIL)
    (folder / "tags.json").write_text(json.dumps(sorted(names)), encoding="utf-8")


def archive(folder: Path, number: int) -> None:
    """Write the two files of an archive of so many papers; half of them have repositories, some have several."""
    rnd, known = Random(7), [it.name for it in PAPER_NAMES]
    days = [date(2015, 11, 1) + timedelta(days=at) for at in range(3500)]
    papers, links = [], []
    for at in range(number):
        url = f"https://paperswithcode.com/paper/a-paper-{at}"
        day = rnd.choice(days).isoformat() if rnd.random() < 0.98 else None
        authors = [f"Author {rnd.randrange(50_000)}" for _ in range(rnd.randrange(1, 7))]
        arxiv = f"{at % 2400:04d}.{at:05d}"
        papers.append((url, arxiv, f"A Paper on Something {at}", "We show that it works. " * 40, authors, day))
        for _ in range(rnd.choice((0, 0, 0, 1, 1, 3))):
            repository = f"https://github.com/Owner{rnd.randrange(90_000)}/Code-{at}{rnd.choice(('', '.git', '/'))}"
            links.append((url, papers[-1][2], arxiv, repository, rnd.random() < 0.4, rnd.choice([*known, "none"])))
    names = ["paper_url", "arxiv_id", "title", "abstract", "authors", "date"]
    pl.DataFrame(papers, schema=names, orient="row").write_parquet(folder / "papers.parquet")
    names = ["paper_url", "paper_title", "paper_arxiv_id", "repo_url", "is_official", "framework"]
    pl.DataFrame(links, schema=names, orient="row").write_parquet(folder / "links.parquet")
    frameworks = {it.name: it.framework for it in PAPER_NAMES}
    (folder / "frameworks.json").write_text(json.dumps(frameworks), encoding="utf-8")


if __name__ == "__main__":
    _, what, place, count = sys.argv
    {"hub": hub, "posts": posts, "archive": archive}[what](Path(place), int(count))
