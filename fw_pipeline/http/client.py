"""Polite HTTP for every provider: kept before parsed, asked once, waited for, bounded, and silent about secrets.

Nothing here knows what an answer means; a provider says so with the function `read` that it passes.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from fw_pipeline.contract import Evidence, FetchContext
from fw_pipeline.http.cache import Archive
from fw_pipeline.http.downloads import Download
from fw_pipeline.http.json_fields import needed, optional, rows, text, texts, utc_date, utc_moment, whole_number
from fw_pipeline.http.limits import Limits
from fw_pipeline.http.pagination import Trail
from fw_pipeline.http.rate_limit import Pace
from fw_pipeline.http.request import Inquiry, Judge
from fw_pipeline.http.response import Answer, next_link, strict_json
from fw_pipeline.http.response_errors import FAULTS, InvalidResponse, Throttled, Transient, seconds_in
from fw_pipeline.http.session import Host
from fw_pipeline.http.transport import Question
from fw_pipeline.text import one_line, shown

__all__ = [
    "Answer",
    "InvalidResponse",
    "Limits",
    "Pace",
    "Throttled",
    "Transient",
    "Web",
    "needed",
    "next_link",
    "one_line",
    "optional",
    "rows",
    "seconds_in",
    "shown",
    "strict_json",
    "text",
    "texts",
    "utc_date",
    "utc_moment",
    "whole_number",
]

T = TypeVar("T")
Params = Mapping[str, Any] | Iterable[tuple[str, Any]]
Classify = Callable[[Answer], None]


class Web:
    """Asks one host, for one fetch of one provider. Use it in a `with` statement.

    Every method looks for a kept answer first and replays it without asking; else it asks, keeps the body verbatim, and
    only then calls `read`, which parses and validates. `read` returns anything, or raises `Throttled`, `Transient` or
    `InvalidResponse`; the kept answer is then rejected, so that it is never replayed, and the request is repeated
    (first two) or refused (last).

    Every method raises:
        MonthRejected: the answer for `month` is unfit; the other months are unharmed.
        SourceError: the provider cannot go on: retries used up, a wait longer than our patience (it says until when),
            the request budget spent, or an unfit answer to a request that was for no one month.

    Options of the fetch that it reads: `contact` (for the User-Agent), `pace` (seconds between requests instead of the
    provider's own, for a mirror), `scratch` (a folder for unfinished downloads), and every field of `Limits`.
    """

    def __init__(
        self,
        fetch: FetchContext,
        *,
        pace: Pace,
        budget: int,
        host_label: str,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare a session; nothing is sent yet.

        Args:
            fetch: whose keeper, options, secrets and log are used.
            pace: least seconds between requests.
            budget: how many requests may be sent in all, repetitions included.
            host_label: subject of every error, such as `stackoverflow api`.
            limits: bounds; those of the fetch's options when None.
            clock: gives Unix seconds.
            sleep: waits so many seconds.
        """
        bounds = limits or Limits.of(fetch.options)
        own = pace.changed(fetch.options)
        self._host = Host(fetch, pace=own, budget=budget, label=host_label, limits=bounds, clock=clock, sleep=sleep)
        self._archive = Archive(fetch.keeper, self._host.redactor, clock)
        self._scratch = fetch.options.get("scratch")
        self._label = host_label
        self.replayed = 0
        """Answers that were there already."""

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connections."""
        self._host.session.close()

    def __repr__(self) -> str:
        """Show whom it asks, and no header."""
        return f"Web({self._label}, asked={self.asked}, replayed={self.replayed})"

    @property
    def asked(self) -> int:
        """Requests sent so far, repetitions included."""
        return self._host.asked

    def hold(self, seconds: float, why: str = "") -> None:
        """Send nothing for `seconds` from now: what a server asks for in a good answer, such as `backoff`."""
        self._host.turns.hold(seconds, why)

    def get(
        self,
        url: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        name: str,
        read: Callable[[Answer], T],
        month: date | None = None,
        classify: Classify | None = None,
        accept: tuple[str, ...] = (),
        statuses: Collection[int] = (200,),
    ) -> T:
        """Ask with GET and return what `read` makes of the answer.

        Args:
            url: absolute address; a query in it is kept.
            params: added to the query; a list repeats its parameter, None leaves it out. Secrets may be among them.
            headers: added to ours. Secrets may be among them.
            name: of the evidence file, without the content hash; unlike that of any other request of the fetch.
            read: makes the result of the answer.
            month: the one month that the request is for; an unfit answer then refuses that month only.
            classify: looks at every answer before anything else, whatever its status, and raises what it knows better.
            accept: content types that will do, the best first; any when empty.
            statuses: that `read` is called for.
        """
        sent = {**({"Accept": ", ".join(accept)} if accept else {}), **(headers or {})}
        question = Question.of("GET", url, params, sent, None)
        return self._answered(question, name, read, month, Judge(classify, statuses, accept))

    def post(
        self,
        url: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | str,
        name: str,
        read: Callable[[Answer], T],
        month: date | None = None,
        classify: Classify | None = None,
        accept: tuple[str, ...] = (),
        statuses: Collection[int] = (200,),
    ) -> T:
        """Ask with POST a question that changes nothing; the arguments are those of `get`, and the body."""
        sent = {"Content-Type": "text/plain; charset=utf-8", **({"Accept": ", ".join(accept)} if accept else {})}
        raw = body.encode() if isinstance(body, str) else body
        question = Question.of("POST", url, params, {**sent, **(headers or {})}, raw)
        return self._answered(question, name, read, month, Judge(classify, statuses, accept))

    def pages(
        self,
        first_url: str,
        params: Params | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        name: str,
        read: Callable[[Answer], T],
        next_url: Callable[[Answer], str | None] = next_link,
        classify: Classify | None = None,
        accept: tuple[str, ...] = (),
    ) -> Iterator[T]:
        """Yield what `read` makes of each page, as long as `next_url` names a next one and the caller goes on.

        A page is kept as `<name>-00001` and so on. A next address on another site, or one that was asked before, makes
        the page unfit; more pages than `Limits.pages` end the fetch.
        """
        url, trail = Question.of("GET", first_url, params, None, None).url, Trail(self._request)
        for number in range(1, self._host.limits.pages + 1):
            turned, page = partial(trail.turned, url, read, next_url), f"{name}-{number:05d}"
            result, following = self.get(url, headers=headers, name=page, read=turned, classify=classify, accept=accept)
            yield result
            if following is None:
                return
            url = following
        cause = f"the listing has more than {self._host.limits.pages} pages"
        raise self._host.failed(cause, "the service may have changed, or ask for a shorter range")

    def download(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        name: str,
        read: Callable[[Evidence], T],
        classify: Classify | None = None,
        sites: tuple[str, ...] = (),
    ) -> T:
        """Fetch a large file, keep it as evidence, and return what `read` makes of the kept file.

        It is streamed to disk; a broken download is resumed where it ended, if the server still has the same file.
        What the last fetch kept is not downloaded again where the server says that it has not changed (its ETag, or its
        date of change).

        Args:
            url: absolute address.
            headers: added to ours. Secrets may be among them.
            name: of the evidence file; ends in .gz, .parquet, .7z or .zst, as the file does.
            read: makes the result of the kept file (its `path` and `ref`); raises `InvalidResponse` where it
                is not fit.
            classify: looks at an answer that is not the file, before anything else.
            sites: hosts, as patterns such as `*.hf.co`, to which the service is known to redirect its files.

        Raises:
            ValueError: the name ends otherwise: the keeper would pack the file, and nothing could read it in place.
        """
        question = Question.of("GET", url, None, {"Accept-Encoding": "identity", **(headers or {})}, None)
        judge = Judge(classify, (200,), ())
        wanted = Download(self._host, self._archive, question, name, judge, sites, self._scratch)
        if (kept := wanted.found()) is not None:
            with contextlib.suppress(*FAULTS):  # an unfit file is rejected, and asked for anew
                result = wanted.read(kept, read)
                self.replayed += 1
                return result
        return self._host.patiently(lambda: wanted.read(wanted.fetched(), read), None)

    def head_of(self, url: str) -> Mapping[str, str]:
        """Return the headers kept with the download of `url` (`last-modified`, `etag`, ...), by lower-case name."""
        return self._archive.head_of(self._request(url))[1]

    def _answered(
        self, question: Question, name: str, read: Callable[[Answer], T], month: date | None, judge: Judge
    ) -> T:
        inquiry = Inquiry(self._host, self._archive, question, name, judge)
        if (found := inquiry.replayed(read)) is not None:
            self.replayed += 1
            return found[0]
        return inquiry.asked(read, month)

    def _request(self, url: str) -> str:
        return Question.of("GET", url, None, None, None).key(self._host.redactor)
