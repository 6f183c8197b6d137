"""The Hugging Face Hub: listings from either end with a cursor in the Link header, rate limits, files with ranges."""

from __future__ import annotations

import base64
import io
import json
import operator
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import polars as pl

from fw_pipeline_tests.support.fake_services import pwc
from fw_pipeline_tests.support.fake_services.files import file_response
from fw_pipeline_tests.support.fake_services.messages import Request, Response, as_json, as_text
from fw_pipeline_tests.support.fake_services.world import World

_WINDOW = 300
_SORTS = ("createdAt", "downloads", "likes", "lastModified", "trendingScore")
_EXPANDABLE = frozenset(
    {"author", "cardData", "config", "createdAt", "disabled", "downloads", "downloadsAllTime", "gated", "gguf", "likes"}
    | {"inference", "lastModified", "library_name", "mask_token", "model-index", "pipeline_tag", "private", "sha"}
    | {"resourceGroup", "safetensors", "siblings", "spaces", "tags", "transformersInfo", "trendingScore", "widgetData"}
    | {"evalResults", "inferenceProviderMapping"}
)
_LISTED = (
    *("_id", "id", "likes", "trendingScore", "private", "downloads", "tags", "pipeline_tag", "library_name"),
    *("createdAt", "modelId"),
)
_REFUSED = (
    "We had to rate limit your IP (192.0.2.7). To continue using our service, create a HF account or login to your "
    "existing account, and make sure you pass a HF_TOKEN if you're using the API."
)
_RENAMED = {"bert-base-uncased": "google-bert/bert-base-uncased"}
_COMMIT = "0f2c6d2b8f7e4b1f9a3d5c7e9b1a3c5d7e9f1b3d"
_PARQUET = "/datasets/cfahlgren1/hub-stats/resolve/main/models.parquet"


def answer(request: Request, world: World) -> Response:
    """Answer one request."""
    if "/datasets/pwc-archive/" in request.path:
        return pwc.on_the_hub(request, world)
    if request.path == _PARQUET:
        body = models_parquet(world.model_count)
        made = file_response(request, body, kind="application/octet-stream", changed=world.today)
        return Response(made.status, {**made.headers, "X-Repo-Commit": _COMMIT}, made.body)
    opens, left = _quota(world)
    limits = {
        "RateLimit": f'"api";r={max(0, left)};t={opens}',
        "RateLimit-Policy": f'"fixed window";"api";q={world.hub_quota};w={_WINDOW}',
        "X-Request-Id": "Root=1-6a2742a7-56f28d890e8337da364087e0",
    }
    if left < 0:
        made = as_text(_REFUSED, 429)
    elif request.path == "/api/models":
        made = _models(request, world)
    elif request.path.startswith("/api/models/"):
        made = _model(request, world, request.path.removeprefix("/api/models/"))
    else:
        made = _error(404, "Sorry, we can't find the page you are looking for.")
    return Response(made.status, {**made.headers, **limits}, made.body)


def _quota(world: World) -> tuple[int, int]:
    now = time.monotonic()
    if now >= world.moments.get("hub window", 0.0):
        world.moments["hub window"] = now + _WINDOW
        world.counters["hub"] = 0
    return int(world.moments["hub window"] - now), world.hub_quota - world.count("hub")


def _error(status: int, message: str) -> Response:
    made = as_json({"error": message}, status)
    return Response(status, {**made.headers, "X-Error-Message": message}, made.body)


def _model(request: Request, world: World, name: str) -> Response:
    if name in _RENAMED:
        # the Hub names a path of its own host; here the service is mounted below a path
        target = f"{request.base_url}/api/models/{_RENAMED[name]}"
        text = f"Temporary Redirect. Redirecting to /api/models/{_RENAMED[name]}"
        return Response(307, {"Location": target, "Content-Type": "text/plain; charset=utf-8"}, text.encode())
    if name in _RENAMED.values():
        return as_json({"_id": "621ffdc036468d709f174338", "id": name, "tags": ["transformers", "pytorch", "tf"]})
    found = next((model for model in world.models() if model["id"] == name), None)
    return _error(404, "Repository not found") if found is None else as_json(found)


def _models(request: Request, world: World) -> Response:
    sort = request.one("sort", "trendingScore")
    if sort not in _SORTS:
        return _error(400, f"Invalid sort parameter: {sort}")
    ascending = request.one("direction") == "1" and world.hub_direction != "ignored"
    if ascending and (sort != "createdAt" or world.hub_direction == "refused"):
        return _error(400, f"Sorting by {sort} in ascending direction is not supported")
    limit = request.one("limit", str(world.hub_page_cap))
    if not limit.isdecimal() or int(limit) < 1:
        return _error(400, "Invalid limit parameter")
    wanted = request.all("expand", "expand[]")
    if unknown := [name for name in wanted if name not in _EXPANDABLE]:
        return _error(400, f"Invalid expand parameter: {unknown[0]}")
    tags = frozenset(request.all("filter"))
    found = [model for model in world.models() if tags <= frozenset(model["tags"])]
    if author := request.one("author"):
        found = [model for model in found if model["author"] == author]
    found.sort(key=lambda model: model["_id"])
    found.sort(key=lambda model: model[sort], reverse=not ascending)
    rest = iter(found)
    if cursor := request.one("cursor"):
        try:
            value, key = _decoded(cursor, sort)
        except (ValueError, KeyError, TypeError, IndexError):
            return _error(400, "Invalid cursor")
        beyond = operator.gt if ascending else operator.lt
        rest = (model for model in found if beyond(model[sort], value) or (model[sort] == value and model["_id"] > key))
    size = min(int(limit), world.hub_page_cap)
    page = list(islice(rest, size))
    headers = {"ETag": 'W/"a27-vndQfbspAL31"'}
    if next(rest, None) is not None:
        query = [pair for pair in request.query if pair[0] != "cursor"]
        query.append(("cursor", _encoded(page[-1], sort, "$gt" if ascending else "$lt")))
        headers["Link"] = f'<{request.base_url}/api/models?{urlencode(query)}>; rel="next"'
    made = as_json([_shown(model, wanted, full=request.one("full") == "true") for model in page])
    return Response(made.status, {**made.headers, **headers}, made.body)


def _shown(model: dict[str, Any], wanted: Iterable[str], *, full: bool) -> dict[str, Any]:
    keys = ("_id", "id", *wanted) if wanted else tuple(model) if full else _LISTED
    return {key: model[key] for key in keys if key in model}


def _encoded(model: dict[str, Any], sort: str, beyond: str) -> str:
    value = {"$date": model[sort]} if sort == "createdAt" else model[sort]
    condition = {"$or": [{sort: value, "_id": {"$gt": model["_id"]}}, {sort: {beyond: value}}]}
    return base64.b64encode(json.dumps(condition, separators=(",", ":")).encode()).decode()


def _decoded(cursor: str, sort: str) -> tuple[Any, str]:
    same, _ = json.loads(base64.b64decode(cursor, validate=True))["$or"]
    value = same[sort]
    return value["$date"] if isinstance(value, dict) else value, same["_id"]["$gt"]


OLDER_MODELS = 150_000
"""Models of the pile that only the daily dump has: it is as large as a real one would have to be."""


@lru_cache(maxsize=2)
def models_parquet(count: int) -> bytes:
    """Return the daily dump of the Hub as a Parquet file, with the columns of the real one that matter."""
    moment = pl.Datetime("ms", "UTC")
    dates: dict[str, Any] = {
        "_id": pl.String,
        "id": pl.String,
        "author": pl.String,
        "createdAt": moment,
        "lastModified": moment,
    }
    numbers = {"downloads": pl.Int64, "downloadsAllTime": pl.Int64, "likes": pl.Int64, "trendingScore": pl.Float64}
    texts = {"pipeline_tag": pl.String, "library_name": pl.String, "tags": pl.List(pl.String), "cardData": pl.String}
    columns = {**dates, **numbers, **texts}
    rows = []
    for model in World(model_count=count).models():
        row = {name: model.get(name) for name in columns}
        row |= {name: datetime.fromisoformat(model[name]).astimezone(UTC) for name in ("createdAt", "lastModified")}
        row["trendingScore"] = float(model["trendingScore"])
        rows.append(row)
    older = pl.select(
        pl.format("61{}", pl.int_range(OLDER_MODELS)).alias("_id"),
        pl.format("older/{}", pl.int_range(OLDER_MODELS)).alias("id"),
        pl.lit(datetime(2022, 3, 2, 23, 29, 4, tzinfo=UTC)).alias("createdAt").cast(moment),
        pl.lit(0, pl.Int64).alias("downloads"),
        pl.lit(0, pl.Int64).alias("likes"),
        pl.lit([], pl.List(pl.String)).alias("tags"),
    )
    out = io.BytesIO()
    pl.concat([pl.DataFrame(rows, schema=columns), older], how="diagonal").write_parquet(out)
    return out.getvalue()
