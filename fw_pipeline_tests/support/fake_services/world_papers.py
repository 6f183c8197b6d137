"""Papers of the made-up arXiv and of the made-up Papers with Code archive."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

_START, _END = datetime(2022, 1, 1, tzinfo=UTC), datetime(2023, 7, 1, tzinfo=UTC)

_MENTIONS = ((), (), ("PyTorch",), ("PyTorch",), ("TensorFlow",), ("Keras", "TensorFlow"), ("JAX",), ("PyTorch", "JAX"))
_CODE = ("pytorch", "pytorch", "pytorch", "tf", "jax", "none", "mindspore", "paddle", "mxnet", "torch", "caffe2")


@lru_cache(maxsize=4)
def papers(count: int) -> tuple[dict[str, Any], ...]:
    """Return so many papers, oldest first."""
    chance = random.Random("papers")
    span = int((_END - _START).total_seconds() // 60)
    moments = sorted(_START + timedelta(minutes=chance.randrange(span)) for _ in range(count))
    return tuple(_paper(number, moment, chance) for number, moment in enumerate(moments))


def _paper(number: int, published: datetime, chance: random.Random) -> dict[str, Any]:
    named = chance.choice(_MENTIONS)
    made_with = f" Our code uses {' and '.join(named)}." if named else ""
    slug = f"a-study-of-subject-{number}"
    repositories = [
        {
            "repo_url": f"https://github.com/lab-{number}/code-{turn}",
            "is_official": turn == 0 and chance.random() < 0.6,
            "mentioned_in_paper": turn == 0,
            "mentioned_in_github": chance.random() < 0.5,
            "framework": chance.choice(_CODE),
        }
        for turn in range(chance.choice((0, 1, 1, 1, 2, 4)))
    ]
    return {
        "slug": slug,
        "arxiv_id": f"{published:%y%m}.{10000 + number:05d}",
        "has_arxiv": number % 11 != 0,
        "version": 1 + number % 3,
        "title": f"A Study of Subject {number}",
        "abstract": f"We study subject {number} with great care & <some> rigour.{made_with}",
        "published": published,
        "updated": published + timedelta(days=(number % 3) * 20),
        "categories": chance.choice((("cs.LG",), ("cs.LG", "stat.ML"), ("cs.CV", "cs.LG"), ("eess.IV",))),
        "authors": (f"First Author{number % 97}", "José Raúl Romero"),
        "date": None if number % 29 == 0 else f"{published:%Y-%m-%d}",
        "repositories": repositories,
    }
