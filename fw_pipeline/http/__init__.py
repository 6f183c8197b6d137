"""Polite HTTP for every provider, which imports it from this package; nothing here knows a source.

What the package promises, and where each promise is kept:

* Evidence first: a body is on disk, verbatim, before anybody parses it (`cache`, `client`).
* Replay: what an unfinished fetch kept is read again, not asked for again; what proved unfit never is (`cache`).
* The server's hints are obeyed: `Retry-After`, `RateLimit`, resets, `backoff`; a wait beyond our patience ends the
  fetch and says until when (`response`, `retry`, `session`).
* One rate for all processes of a machine, where a service asks for it (`rate_limit`).
* A bound on time, size, tries, redirects, pages and requests (`retry.Limits`, `decoding`, `session`).
* A body without its end is never taken for a whole one (`decoding`); a broken download resumes where it ended, if the
  server still has the same file (`downloads`).
* No secret leaves: not in evidence, logs, errors or their chains, nor to another host (`redaction`, `transport`).
* One clear line per failure, which names source, month, cause and remedy; a failure is never a number (`session`).

The way of a request: `client` looks into the `cache`, else `session` waits for a turn, `transport` sends, `decoding`
reads the body, the `cache` keeps it, the `response` is checked and given to the reader of the provider.
"""

from fw_pipeline.http.client import HttpClient
from fw_pipeline.http.json_fields import needed, optional, rows, text, texts, truth, utc_date, utc_moment, whole_number
from fw_pipeline.http.rate_limit import RateLimit
from fw_pipeline.http.response import Response, next_link, strict_json
from fw_pipeline.http.response_errors import InvalidResponse, Throttled, Transient, seconds_in
from fw_pipeline.http.retry import Limits

__all__ = [
    "HttpClient",
    "InvalidResponse",
    "Limits",
    "RateLimit",
    "Response",
    "Throttled",
    "Transient",
    "needed",
    "next_link",
    "optional",
    "rows",
    "seconds_in",
    "strict_json",
    "text",
    "texts",
    "truth",
    "utc_date",
    "utc_moment",
    "whole_number",
]
