"""Large files as a static host serves them: with a length, a strong ETag, ranges, and 304 for what has not changed."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime, time
from email.utils import format_datetime

from fw_pipeline_tests.support.fake_services.messages import Request, Response


def file_response(request: Request, body: bytes, *, kind: str, changed: date) -> Response:
    """Return a file, or the part of it that is asked for if it is still the same file."""
    headers = {
        "Content-Type": kind,
        "Accept-Ranges": "bytes",
        "ETag": f'"{hashlib.sha256(body).hexdigest()}"',
        "Last-Modified": format_datetime(datetime.combine(changed, time(), UTC), usegmt=True),
    }
    known, since = request.headers.get("if-none-match"), request.headers.get("if-modified-since")
    if headers["ETag"] in (known or "") or (known is None and since == headers["Last-Modified"]):
        return Response(304, {name: headers[name] for name in ("ETag", "Last-Modified")})
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    same = request.headers.get("if-range", headers["ETag"]) in {headers["ETag"], headers["Last-Modified"]}
    if asked is None or not same or asked.groups() == ("", ""):
        return Response(200, headers, body)
    first, last = asked.groups()
    start = int(first) if first else max(0, len(body) - int(last))
    end = min(int(last), len(body) - 1) if first and last else len(body) - 1
    if start > end:
        return Response(416, {**headers, "Content-Range": f"bytes */{len(body)}"})
    return Response(206, {**headers, "Content-Range": f"bytes {start}-{end}/{len(body)}"}, body[start : end + 1])
