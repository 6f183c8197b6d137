"""Models on the made-up Hub."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

_PILE = datetime(2022, 3, 2, 23, 29, 4, tzinfo=UTC)
"""Everything older than this moment carries it."""

_END = datetime(2023, 7, 1, tzinfo=UTC)

_KINDS: tuple[tuple[int, str | None, tuple[str, ...]], ...] = (
    (30, "transformers", ("transformers", "pytorch")),
    (12, "transformers", ("transformers", "pytorch", "safetensors")),
    (10, "transformers", ("transformers", "safetensors")),
    (6, "transformers", ("transformers", "pytorch", "tf")),
    (4, "transformers", ("transformers", "pytorch", "tf", "jax")),
    (6, "transformers", ("transformers", "tf")),
    (3, "transformers", ("transformers", "jax")),
    (5, "keras", ("keras",)),
    (3, "keras", ("tf-keras", "keras")),
    (8, "diffusers", ("diffusers", "safetensors")),
    (4, "sentence-transformers", ("sentence-transformers", "pytorch")),
    (3, "timm", ("timm", "pytorch")),
    (3, "peft", ("peft",)),
    (2, "onnx", ("onnx",)),
    (1, "ml-agents", ("ml-agents", "onnx", "tensorboard")),
    (10, None, ()),
)


@lru_cache(maxsize=4)
def models(count: int) -> tuple[dict[str, Any], ...]:
    """Return so many models, newest first; a tenth of them is the pile of those that are older than the Hub's dates."""
    chance = random.Random("models")
    span = int((_END - _PILE).total_seconds()) - 2
    pile = count // 10
    moments = [_PILE + timedelta(seconds=chance.randrange(2)) for _ in range(pile)]
    moments += sorted(_PILE + timedelta(seconds=2 + chance.randrange(span)) for _ in range(count - pile))
    made = [_model(number, moment, chance) for number, moment in enumerate(moments)]
    return tuple(sorted(made, key=lambda it: (-_epoch(it), it["_id"])))


def _epoch(model: dict[str, Any]) -> float:
    return datetime.fromisoformat(model["createdAt"]).timestamp()


def _model(number: int, created: datetime, chance: random.Random) -> dict[str, Any]:
    (_, library, tags), *_ = chance.choices(_KINDS, weights=[kind[0] for kind in _KINDS])
    author = f"team-{number % 97}"
    model: dict[str, Any] = {
        "_id": f"62{number:022x}",
        "id": f"{author}/model-{number}",
        "author": author,
        "likes": chance.randrange(500),
        "trendingScore": chance.randrange(50),
        "private": False,
        "gated": chance.choice((False, False, False, "auto", "manual")),
        "disabled": False,
        "downloads": chance.randrange(10**6),
        "downloadsAllTime": 10**6 + number,
        "tags": [*tags, "en", "license:apache-2.0", "region:us"],
        "createdAt": f"{created:%Y-%m-%dT%H:%M:%S}.000Z",
        "lastModified": f"{created + timedelta(days=3):%Y-%m-%dT%H:%M:%S}.000Z",
        "sha": f"{number:040x}",
        "modelId": f"{author}/model-{number}",
    }
    if library is not None:
        model["library_name"] = library
    if chance.random() < 0.8:
        model["pipeline_tag"] = chance.choice(("text-generation", "text-classification", "image-classification"))
    return model
