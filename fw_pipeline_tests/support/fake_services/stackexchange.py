"""The Stack Exchange API 2.3: every error is HTTP 400, every answer is packed, what is empty is left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import unquote

from fw_pipeline_tests.support.fake_services.messages import Request, Response, as_json
from fw_pipeline_tests.support.fake_services.world import Question, World

_DEFAULT = frozenset({"items", "has_more", "quota_max", "quota_remaining", "backoff"})
_ERROR_FIELDS = frozenset({"error_id", "error_name", "error_message"})
_BUILT_IN = {"default": _DEFAULT, "withbody": _DEFAULT, "none": frozenset[str](), "total": frozenset({"total"})}
_ERRORS = {
    400: "bad_parameter",
    401: "access_token_required",
    402: "invalid_access_token",
    403: "access_denied",
    404: "no_method",
    405: "key_required",
    406: "access_token_compromised",
    407: "write_failed",
    409: "duplicate_request",
    500: "internal_error",
    502: "throttle_violation",
    503: "temporarily_unavailable",
}
_METHOD_NAMES = frozenset(
    {"filters", "create", "errors", "info", "questions", "search", "advanced", "tags", "synonyms"}
)
_MAX_NAMES, _MAX_PAGE_SIZE, _LAST_OPEN_PAGE = 100, 100, 25

T = TypeVar("T")


class _Wrong(Exception):  # noqa: N818 - an answer of the service
    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number, self.message = number, message


def answer(request: Request, world: World) -> Response:
    """Answer one request."""
    try:
        fields = _answered(request, world)
    except _Wrong as wrong:
        return _packed(
            {"error_id": wrong.number, "error_message": wrong.message, "error_name": _ERRORS[wrong.number]}, 400
        )
    return _packed(fields, 200)


def _packed(fields: dict[str, Any], status: int) -> Response:
    made = as_json(fields, status)
    return Response(made.status, made.headers, made.body, always_packed=True)


def _answered(request: Request, world: World) -> dict[str, Any]:
    parts = [unquote(part) for part in request.path.split("/") if part]
    method = "/".join(part for part in parts if part in _METHOD_NAMES)
    wrapper = _admitted(request, world, method)
    match parts:
        case ["filters", "create"]:
            return {**wrapper, "items": [_new_filter(request, world)]}
        case ["errors", number] if number.isdecimal() and int(number) in _ERRORS:
            raise _Wrong(int(number), "simulated")
        case ["errors"]:
            items = [{"error_id": number, "error_name": name} for number, name in _ERRORS.items()]
            return {**wrapper, "items": items}
        case _:
            _site(request)
            found = _of_site(request, world, parts)
    if world.backoff_every and world.count(f"answers {method}") % world.backoff_every == 0:
        wrapper["backoff"] = world.backoff_seconds
        world.moments[f"backoff {method}"] = time.monotonic() + world.backoff_seconds
    return _filtered(request, world, {**wrapper, **found})


def _admitted(request: Request, world: World, method: str) -> dict[str, Any]:
    key = request.one("key")
    if key and world.known_keys and key not in world.known_keys:
        raise _Wrong(400, "`key` doesn't match a known application")
    quota = world.stackexchange_quota if key else world.keyless_quota
    left = quota - world.count("stackexchange keyed" if key else "stackexchange keyless")
    if left < 0:
        raise _Wrong(502, "too many requests from this IP, more requests available in 33635 seconds")
    if time.monotonic() < world.moments.get(f"backoff {method}", 0.0):
        raise _Wrong(502, "Violation of backoff parameter")
    return {"has_more": False, "quota_max": quota, "quota_remaining": left}


def _of_site(request: Request, world: World, parts: list[str]) -> dict[str, Any]:
    match parts:
        case ["info"]:
            return {"items": [{"total_questions": len(world.questions()), "api_revision": "2026.1"}]}
        case ["questions"]:
            return _listed(request, world, _tagged(request, frozenset.issuperset, world.most_tags))
        case ["search"] if not (request.one("tagged") or request.one("intitle")):
            raise _Wrong(400, "one of tagged or intitle must be set")
        case ["search"] | ["search", "advanced"]:
            return _listed(request, world, _tagged(request, _any_of, world.most_tags))
        case ["tags", names, "info"]:
            if names.count(";") >= _MAX_NAMES:
                raise _Wrong(400, "tags")
            known = [name for name in names.split(";") if world.all_time(name)]
            return _paged(request, known, lambda name: _tag(name, world))
        case ["tags", names, "synonyms"]:
            return _paged(request, [name for name in names.split(";") if name == "tensorflow"], _synonym)
        case _:
            raise _Wrong(404, "no method found with this name")


def _site(request: Request) -> None:
    site = request.one("site")
    if not site:
        raise _Wrong(400, "site is required")
    if site != "stackoverflow":
        raise _Wrong(400, f"No site found for name `{site}`")


def _whole(request: Request, name: str, default: int | None) -> int | None:
    text = request.one(name)
    if not text:
        return default
    if not text.isdecimal():
        raise _Wrong(400, name)
    return int(text)


def _any_of(tags: frozenset[str], wanted: frozenset[str]) -> bool:
    return bool(tags & wanted)


def _tagged(
    request: Request, matches: Callable[[frozenset[str], frozenset[str]], bool], most: int
) -> Callable[[Question], bool]:
    wanted = _tags(request)
    if len(wanted) > most:
        raise _Wrong(400, "tagged")
    first, last = _dates(request)
    return lambda it: first <= it.created <= last and (not wanted or matches(it.tags, wanted))


def _tags(request: Request) -> frozenset[str]:
    return frozenset(filter(None, request.one("tagged").lower().split(";")))


def _dates(request: Request) -> tuple[int, int]:
    first, last = _whole(request, "fromdate", 0), _whole(request, "todate", 2**40)
    assert first is not None
    assert last is not None
    return first, last


def _listed(request: Request, world: World, chosen: Callable[[Question], bool]) -> dict[str, Any]:
    found = [it for it in world.questions() if chosen(it) and not it.tags & world.dead_tags]
    sort, newest_first = request.one("sort", "activity"), request.one("order", "desc") == "desc"
    if sort not in {"activity", "votes", "creation", "hot", "week", "month"}:
        raise _Wrong(400, "sort")
    keys = {"creation": lambda it: it.created, "votes": lambda it: it.number % 9}
    found.sort(key=keys.get(sort, lambda it: it.number * 7919 % 10_007), reverse=newest_first)
    paged = _paged(request, found, _question)
    if not _tags(request):
        paged["total"] += world.crowd_between(*_dates(request))
    return {**paged, "type": "question"}


def _paged(request: Request, found: Sequence[T], shown: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    page, size = _whole(request, "page", 1), _whole(request, "pagesize", 30)
    assert page is not None
    assert size is not None
    if size > _MAX_PAGE_SIZE:
        raise _Wrong(400, "pagesize")
    if page < 1:
        raise _Wrong(400, "page")
    if page > _LAST_OPEN_PAGE and not request.one("key"):
        raise _Wrong(403, "page above 25 requires access token or app key")
    return {
        "items": [shown(it) for it in found[(page - 1) * size : page * size]],
        "has_more": page * size < len(found),
        "total": len(found),
        "page": page,
        "page_size": size,
    }


def _question(question: Question) -> dict[str, Any]:
    return {
        "tags": sorted(question.tags),
        "owner": {"user_type": "registered", "display_name": "O&#39;Brien", "account_id": question.number % 1000},
        "is_answered": question.number % 2 == 0,
        "view_count": question.number % 997,
        "answer_count": question.number % 4,
        "score": question.number % 9 - 2,
        "last_activity_date": question.created + 60,
        "creation_date": question.created,
        "question_id": question.number,
        "content_license": "CC BY-SA 4.0",
        "link": f"https://stackoverflow.com/questions/{question.number}/how",
        "title": "How do I use &quot;this&quot;?",
        **({"closed_date": question.created + 3600} if question.number % 11 == 0 else {}),
    }


def _tag(name: str, world: World) -> dict[str, Any]:
    return {
        "has_synonyms": name == "tensorflow",
        "is_moderator_only": False,
        "is_required": False,
        "count": world.all_time(name),
        "name": name,
    }


def _synonym(to_tag: str) -> dict[str, Any]:
    return {
        "creation_date": 1450000000,
        "last_applied_date": 1650000000,
        "applied_count": 50,
        "to_tag": to_tag,
        "from_tag": "tf",
    }


def _new_filter(request: Request, world: World) -> dict[str, Any]:
    base = request.one("base", "default")
    if base not in _BUILT_IN:
        raise _Wrong(400, "base")
    included = {name.removeprefix(".") for name in request.one("include").split(";") if name}
    excluded = {name.removeprefix(".") for name in request.one("exclude").split(";") if name}
    fields = (_BUILT_IN[base] | included) - excluded
    name = "!*(" + sha256(",".join(sorted(fields)).encode()).hexdigest()[:12] + ".~"
    world.filters[name] = fields
    return {
        "filter": name,
        "included_fields": [field if "." in field else f".{field}" for field in sorted(fields)],
        "filter_type": "safe",
    }


def _filtered(request: Request, world: World, answer: dict[str, Any]) -> dict[str, Any]:
    name = request.one("filter", "default")
    fields = _BUILT_IN.get(name) or world.filters.get(name)
    if fields is None and name != "none":
        raise _Wrong(400, "Invalid filter specified")
    shown = {field: value for field, value in answer.items() if field in (fields or ())}
    if name not in _BUILT_IN and answer.get("type") == "question" and "items" in shown:
        shown["items"] = [
            {field: value for field, value in item.items() if f"question.{field}" in (fields or ())}
            for item in shown["items"]
        ]
    return shown
