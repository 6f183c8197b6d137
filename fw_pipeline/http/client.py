"""The HTTP client of every provider: kept before parsed, asked once, waited for, bounded, and silent about secrets.

Nothing here knows what a response means; a provider says so with the function `read` that it passes.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from types import TracebackType
from typing import TypeVar

from fw_pipeline.contract import Evidence, FetchContext
from fw_pipeline.http.cache import ResponseCache
from fw_pipeline.http.downloads import Download
from fw_pipeline.http.redaction import Redactor
from fw_pipeline.http.response import Response, next_link, next_page
from fw_pipeline.http.retry import FAULTS, InvalidResponse, Limits, Throttled
from fw_pipeline.http.session import RateLimit, RateLimiter, Session, tell_wait
from fw_pipeline.http.transport import Params, Request, polite_session, whole_body

T = TypeVar("T")
Classify = Callable[[Response], None]


class HttpClient(contextlib.AbstractContextManager["HttpClient"]):
    """Asks one host, for one fetch of one provider. Use it in a `with` statement.

    Every method looks for a kept response first and replays it without asking; else it asks, keeps the body verbatim,
    and only then calls `read`, which parses and validates. `read` returns anything, or raises `Throttled`, `Transient`
    or `InvalidResponse`; the kept response is then rejected, so that it is never replayed, and the request is repeated
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
        rate: RateLimit,
        budget: int,
        host_label: str,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare a session; nothing is sent yet.

        Args:
            fetch: whose evidence, options, secrets and log are used.
            rate: least seconds between requests.
            budget: how many requests may be sent in all, repetitions included.
            host_label: subject of every error, such as `stackoverflow api`.
            limits: bounds; those of the fetch's options when None.
            clock: gives Unix seconds.
            sleep: waits so many seconds.
        """
        bounds = limits or Limits.of(fetch.options)
        own = rate if bounds.pace is None else replace(rate, seconds=bounds.pace)
        self._redactor = Redactor(fetch.secrets)
        told = partial(tell_wait, fetch=fetch, label=host_label, redactor=self._redactor, clock=clock)
        shared = fetch.pace(own.shared.stem) if own.shared else None
        limiter = RateLimiter(own, clock, sleep, bounds.patience, told, shared, bounds.longest)
        connections = polite_session(fetch.options.get("contact", ""))
        self._session = Session(fetch, host_label, budget, bounds, self._redactor, limiter, connections)
        self._cache = ResponseCache(fetch.evidence, self._redactor, clock)
        self.replayed = 0
        """Responses that were there already."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connections."""
        self._session.connections.close()

    def __repr__(self) -> str:
        """Show whom it asks, and no header."""
        return f"HttpClient({self._session.label}, asked={self.asked}, replayed={self.replayed})"

    @property
    def asked(self) -> int:
        """Requests sent so far, repetitions included."""
        return self._session.asked

    def hold(self, seconds: float, why: str = "") -> None:
        """Send nothing for `seconds` from now: what a server asks for in a good answer, such as `backoff`."""
        self._session.limiter.hold(seconds, why)

    def get(
        self,
        url: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        name: str,
        read: Callable[[Response], T],
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
        request = Request.of("GET", url, params, sent, redactor=self._redactor)
        check = partial(Response.check, statuses=statuses, accept=accept)
        judges: tuple[Classify, ...] = (classify, check) if classify else (check,)
        return self._session.patiently(partial(self._attempt, request, name, judges, read), month)

    def post(
        self,
        url: str,
        *,
        params: Params | None = None,
        body: str,
        name: str,
        read: Callable[[Response], T],
        classify: Classify | None = None,
    ) -> T:
        """Ask with POST a question that changes nothing; the arguments are those of `get`, and the body."""
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        request = Request.of("POST", url, params, headers, body.encode(), redactor=self._redactor)
        judges = (classify, Response.check) if classify else (Response.check,)
        return self._session.patiently(partial(self._attempt, request, name, judges, read), None)

    def pages(
        self,
        first_url: str,
        params: Params | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        name: str,
        read: Callable[[Response], T],
        next_url: Callable[[Response], str | None] = next_link,
        classify: Classify | None = None,
        accept: tuple[str, ...] = (),
    ) -> Iterator[T]:
        """Yield what `read` makes of each page, as long as `next_url` names a next one and the caller wants more.

        A page is kept as `<name>-00001` and so on. A next address on another site, or one that was asked before, makes
        the page unfit; more pages than `Limits.pages` end the fetch.
        """
        url, seen = Request.of("GET", first_url, params, redactor=self._redactor).url, set[str]()

        def page(response: Response) -> tuple[T, str | None]:
            seen.add(self._key(url))
            result, named = read(response), next_url(response)
            if named is None:
                return result, None
            following = next_page(url, named)
            if self._key(following) in seen:
                raise InvalidResponse("the next page is one that was there already")
            return result, following

        for number in range(1, self._session.limits.pages + 1):
            part = f"{name}-{number:05d}"
            result, following = self.get(url, headers=headers, name=part, read=page, classify=classify, accept=accept)
            yield result
            if following is None:
                return
            url = following
        cause = f"the listing has more than {self._session.limits.pages} pages"
        raise self._session.failed(cause, "the service may have changed, or ask for a shorter range")

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
        What the last fetch kept is not downloaded again where the server says that it has not changed (ETag or date).

        Args:
            url: absolute address.
            headers: added to ours. Secrets may be among them.
            name: of the evidence file; ends in .gz, .parquet, .7z or .zst, as the file does.
            read: makes the result of the kept file (its `path` and `ref`); raises `InvalidResponse` where it is unfit.
            classify: looks at an answer that is not the file, before anything else.
            sites: hosts, as patterns such as `*.hf.co`, to which the service is known to redirect its files.

        Raises:
            ValueError: the name ends otherwise: the evidence store would pack the file, and nothing could read it.
        """
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        request = Request.of("GET", url, None, sent, redactor=self._redactor)
        wanted = Download(self._session, self._cache, request, name, classify, sites)
        if (kept := wanted.found()) is not None:
            with contextlib.suppress(*FAULTS):  # an unfit file is rejected, and asked for anew
                result = wanted.read(kept, read)
                self.replayed += 1
                return result
        return self._session.patiently(lambda: wanted.read(wanted.fetched(), read), None)

    def head_of(self, url: str) -> Mapping[str, str]:
        """Return the headers kept with the download of `url` (`last-modified`, `etag`, ...), by lower-case name."""
        return self._cache.head_of(self._key(url))[1]

    def _attempt(self, request: Request, name: str, judges: tuple[Classify, ...], read: Callable[[Response], T]) -> T:
        """Return what `read` makes of the response to a request: of the kept one, or of a new one, kept first."""
        session, response = self._session, self._cache.find(request.key)
        if response is None:
            with session.exchange(request) as sent:
                body = whole_body(sent, session.limits)
            headers = {header.lower(): value for header, value in sent.headers.items()}
            response = self._cache.keep(request.key, name, sent.status_code, headers, body)
        try:
            for judge in judges:
                judge(response)
            result = read(response)
        except Exception as fault:
            self._cache.reject(response, str(fault))
            if response.replayed and isinstance(fault, FAULTS):
                return self._attempt(request, name, judges, read)  # what was kept is unfit: it is asked for anew
            if isinstance(fault, Throttled):
                session.limiter.hold(fault.wait_seconds or 0, fault.cause)
            raise
        finally:
            if "ratelimit" in response.headers and not response.replayed:
                session.limiter.hold(response.spent_wait() or 0, "the quota is spent until then")
        self.replayed += response.replayed
        return result

    def _key(self, url: str) -> str:
        return Request.of("GET", url, redactor=self._redactor).key
