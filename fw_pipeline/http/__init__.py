"""Polite HTTP for every provider, which imports it from this package; nothing here knows a source.

What the package promises, and where each promise is kept:

* Evidence first: a body is on disk, verbatim, before anybody parses it (`cache`, `client`).
* Replay: what an unfinished fetch kept is read again, not asked for again; what proved unfit never is (`cache`).
* The server's hints are obeyed: `Retry-After`, `RateLimit`, resets, `backoff`; a wait beyond our patience ends the
  fetch and says until when (`response`, `retry`, `session`).
* One rate for all processes of a machine, or of all machines, where a service asks for it (`session`, `pace`).
* A bound on time, size, tries, redirects, pages and requests (`retry.Limits`, `transport`, `session`).
* A body without its end is never taken for a whole one (`transport`); a broken download resumes where it ended, if the
  server still has the same file (`downloads`).
* JSON is read strictly, and every field is what its model declares: what is missing, mistyped, absurd or there twice
  is a fault that names the field (`json_fields`).
* No secret leaves: not in evidence, logs, errors or their chains, nor to another host (`redaction`, `transport`).
* One clear line per failure, which names source, month, cause and remedy; a failure is never a number (`session`).

The way of a request: `client` looks into the `cache`, else `session` waits for a turn, `transport` sends and reads the
body, the `cache` keeps it, the `response` is checked and given to the reader of the provider.
"""

from fw_pipeline.http.client import HttpClient
from fw_pipeline.http.json_fields import (
    Count,
    Seconds,
    Text,
    Votes,
    needed,
    optional,
    rows,
    strict_json,
    text,
    truth,
    utc_date,
    utc_moment,
    whole_number,
)
from fw_pipeline.http.response import Response, next_link
from fw_pipeline.http.retry import InvalidResponse, Limits, Throttled, Transient, seconds_in
from fw_pipeline.http.session import RateLimit

__all__ = [
    "Count",
    "HttpClient",
    "InvalidResponse",
    "Limits",
    "RateLimit",
    "Response",
    "Seconds",
    "Text",
    "Throttled",
    "Transient",
    "Votes",
    "needed",
    "next_link",
    "optional",
    "rows",
    "seconds_in",
    "strict_json",
    "text",
    "truth",
    "utc_date",
    "utc_moment",
    "whole_number",
]
