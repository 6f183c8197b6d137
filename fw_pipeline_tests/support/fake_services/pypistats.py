"""pypistats.org: the last 180 days, both mirror series unless one is asked for, errors as pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from fw_pipeline_tests.support.fake_services.messages import Request, Response, as_json, as_text
from fw_pipeline_tests.support.fake_services.world import PACKAGE_NAMES, World

_DAYS = 180
_SERIES = {"with_mirrors": True, "without_mirrors": False}
_SPLITS = {"python_major": ("2", "3", "null"), "python_minor": ("3.10", "3.11", "null"), "system": ("Linux", "Darwin")}


def answer(request: Request, world: World) -> Response:
    """Answer one request."""
    if world.count("pypistats") > world.pypistats_quota:
        return as_text('<a href="/api/#etiquette">429 RATE LIMIT EXCEEDED</a>', 429, "text/html; charset=utf-8")
    found = re.fullmatch(r"/packages/([^/]+)/(recent|overall|python_major|python_minor|system)", request.path)
    if found is None:
        return _missing()
    package, endpoint = re.sub(r"[._]", "-", found[1]), found[2]
    known = package in PACKAGE_NAMES
    if not known and endpoint in {"recent", "overall"}:
        return _missing()
    data: list[dict[str, Any]] | dict[str, int]
    if endpoint == "recent":
        data = _recent(world, package, request.one("period"))
    elif endpoint == "overall":
        wanted = {"true": ("with_mirrors",), "false": ("without_mirrors",)}.get(request.one("mirrors"), tuple(_SERIES))
        data = [row for series in wanted for row in _rows(world, package, series, mirrors=_SERIES[series])]
    else:
        rows = [] if not known else [row for c in _SPLITS[endpoint] for row in _rows(world, package, c, mirrors=False)]
        data = sorted(rows, key=lambda row: (row["category"], row["date"]))
    return as_json({"data": data, "package": package, "type": f"{endpoint}_downloads"})


def _missing() -> Response:
    return as_text("404", 404, "text/html; charset=utf-8")


def _window(world: World) -> Iterator[date]:
    return (world.today - timedelta(days=back) for back in range(_DAYS, 0, -1))


def _rows(world: World, package: str, category: str, *, mirrors: bool) -> list[dict[str, Any]]:
    return [
        {"category": category, "date": f"{day}", "downloads": count}
        for day in _window(world)
        if (count := world.downloads(package, day, mirrors=mirrors)) is not None
    ]


def _recent(world: World, package: str, period: str) -> dict[str, int]:
    spans = {"last_day": 1, "last_month": 30, "last_week": 7}
    wanted = {f"last_{period}": spans[f"last_{period}"]} if f"last_{period}" in spans else spans
    days = list(_window(world))
    return {
        name: sum(world.downloads(package, day, mirrors=False) or 0 for day in days[-span:])
        for name, span in wanted.items()
    }
