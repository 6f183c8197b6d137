"""The public ClickHouse of ClickPy: a real engine behind the limits of the user `demo`."""

from __future__ import annotations

import re
import time
from email.utils import formatdate

from fw_pipeline_tests.support.fake_services.clickhouse import engine
from fw_pipeline_tests.support.fake_services.messages import Request, Response, as_json
from fw_pipeline_tests.support.fake_services.world import World

_NO_SETTINGS = frozenset({"user", "password", "query", "database", "default_format", "wait_end_of_query", "query_id"})
_FIXED = frozenset({"max_execution_time", "max_result_rows", "max_result_bytes", "max_rows_to_read", "readonly"})
_STATUS = {60: 404, 81: 404, 62: 400, 47: 400, 36: 400, 452: 400, 164: 500, 516: 403}
_KINDS = {"JSON": "application/json; charset=UTF-8", "JSONEachRow": "application/x-ndjson; charset=UTF-8"}


def answer(request: Request, world: World) -> Response:
    """Answer one request."""
    if request.path not in {"/", ""}:
        return Response(
            404, {"Content-Type": "text/plain; charset=UTF-8"}, b"There is no handle " + request.path.encode()
        )
    sql = "\n".join(filter(None, (request.one("query"), request.body.decode("utf-8", "replace")))).strip().rstrip(";")
    asked = re.search(r"\bFORMAT\s+(\w+)", sql, re.IGNORECASE)
    form = asked[1] if asked else request.one("default_format", "TabSeparated")
    if request.one("user", "default") != "demo" or request.one("password"):
        return _exception(516, "demo: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)", form)
    if not re.match(r"\s*(select|with|show|describe|exists)\b", sql, re.IGNORECASE):
        return _exception(164, "demo: Cannot execute query in readonly mode. (READONLY)", form)
    settings = {
        name: value for name, value in request.query if name not in _NO_SETTINGS and not name.startswith("param_")
    }
    for name in settings:
        if name in _FIXED:
            message = f"Setting {name} shouldn't be greater than the limit of the user. (SETTING_CONSTRAINT_VIOLATION)"
            return _exception(452, message, form)
    parameters = {name.removeprefix("param_"): value for name, value in request.query if name.startswith("param_")}
    settings = {
        "result_overflow_mode": "break",
        "read_overflow_mode": "break",
        "output_format_json_quote_64bit_integers": str(int(world.quoted_integers)),
        **settings,
        "max_result_rows": str(world.clickpy_rows),
    }
    began = time.monotonic()
    failure, body = engine().run(sql, form, settings=settings, parameters=parameters, world=world)
    if failure is not None:
        return _exception(*failure, form)
    elapsed = f'{{"read_rows":"1","elapsed_ns":"{int((time.monotonic() - began) * 1e9)}"}}'
    headers = {
        "Content-Type": _KINDS.get(form, "text/tab-separated-values; charset=UTF-8"),
        "X-ClickHouse-Format": form,
        "X-ClickHouse-Timezone": "UTC",
        "X-ClickHouse-Summary": elapsed,
        "Date": formatdate(usegmt=True),
    }
    return Response(200, headers, body)


def _exception(code: int, message: str, form: str) -> Response:
    text = f"Code: {code}. DB::Exception: {message} (version 26.9.2.1 (official build))"
    headers = {"X-ClickHouse-Exception-Code": str(code), "X-ClickHouse-Format": form}
    if form == "JSON":
        return as_json({"exception": text}, _STATUS.get(code, 500), **headers)
    kind = {"Content-Type": "text/plain; charset=UTF-8"}
    return Response(_STATUS.get(code, 500), {**kind, **headers}, f"{text}\n".encode())
