"""One request and the response that comes back: connections, redirects and certificates.

Nothing here retries, keeps, or reads a body. Every request is sent by itself: no cookie, no password of a `.netrc`
file, and no redirect that was not judged here.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import requests
from requests.structures import CaseInsensitiveDict

from fw_pipeline.http.redaction import Redactor
from fw_pipeline.http.response_errors import ADDRESS, NETWORK_ERRORS, InvalidResponse, network_fault
from fw_pipeline.http.retry import Limits

Params = Mapping[str, Any] | Iterable[tuple[str, Any]]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OF_THE_FILE = frozenset({"accept-encoding", "range", "if-range", "if-none-match", "if-modified-since"})
_METHOD_KEPT = frozenset({307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NOBODY = ()
"""Who is logged in. None would take the password of an address."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, before it is sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        method: str,
        url: str,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Request:
        """Return the request to `url` with `params` added; a list value repeats its parameter, None leaves it out."""
        pairs = params.items() if isinstance(params, Mapping) else params or ()
        flat = [
            (name, str(item))
            for name, value in pairs
            for item in (value if isinstance(value, list | tuple) else (value,))
            if item is not None
        ]
        parts = urlsplit(url)
        query = "&".join(filter(None, (parts.query, urlencode(flat))))
        return cls(method, urlunsplit(parts._replace(query=query, fragment="")), dict(headers or {}), body)

    def key(self, redactor: Redactor) -> str:
        """Return the request in one canonical line without secrets, by which its response is found again."""
        parts = urlsplit(self.url)
        pairs = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not redactor.is_secret(*pair))
        url = redactor.address(urlunsplit(parts._replace(query=urlencode(pairs))))
        body = f" body sha256:{hashlib.sha256(self.body).hexdigest()}" if self.body is not None else ""
        part = f" part {self.headers['Range']}" if "Range" in self.headers else ""
        return f"{self.method} {url}{body}{part}"


def polite_session(contact: str) -> requests.Session:
    """Return a session, which holds the connections, that says who we are in every request."""
    try:
        name = f"fw-pipeline/{version('fw-pipeline')}"
    except PackageNotFoundError:  # run from a checkout
        name = "fw-pipeline"
    said = contact.strip().encode("ascii", "replace").decode()
    session = requests.Session()
    session.headers["User-Agent"] = f"{name} (+{said})" if said else name
    session.headers["Accept-Encoding"] = "gzip, deflate"
    return session


@contextlib.contextmanager
def opened(
    session: requests.Session, request: Request, limits: Limits, *, sites: tuple[str, ...] = ()
) -> Iterator[requests.Response]:
    """Send a request and yield the response with its body unread, following redirects within the same site.

    Args:
        session: where connections are kept.
        request: what is asked.
        limits: how long, and how many redirects.
        sites: other hosts, as patterns, that a redirect may lead to; of the headers given for the first host only those
            go there that say which part or version of a file is wanted.

    Raises:
        Transient: the server cannot be reached or breaks off.
        InvalidResponse: the certificate is not valid, or a redirect leads elsewhere or in a circle.
    """
    timeout, fault = (limits.connect_seconds, limits.read_seconds), None
    for _ in range(limits.redirects + 1):
        headers = CaseInsensitiveDict({**session.headers, **request.headers})
        asked = requests.Request(request.method, request.url, headers, data=request.body, auth=_NOBODY)
        try:
            prepared = asked.prepare()
            route = session.merge_environment_settings(  # its proxies and certificates
                request.url, proxies={}, stream=True, verify=None, cert=None
            )
            response = session.get_adapter(request.url).send(prepared, timeout=timeout, **route)  # type: ignore[arg-type]
        except NETWORK_ERRORS as error:
            fault = network_fault(error)
        if fault is not None:
            raise fault  # not inside the handler: the error may name an address with a key
        with response:
            if response.status_code not in _REDIRECTS or "location" not in response.headers:
                yield response
                return
        request = _redirected(request, response, sites)
    raise InvalidResponse(
        f"redirected more than {limits.redirects} times within {urlsplit(request.url).hostname}", ADDRESS
    )


def _redirected(request: Request, response: requests.Response, sites: tuple[str, ...]) -> Request:
    target = followed(request.url, response.headers["location"])
    if request.method != "GET" and response.status_code not in _METHOD_KEPT:
        raise InvalidResponse(f"a {request.method} was redirected ({response.status_code})", ADDRESS)
    if same_site(request.url, target):
        return replace(request, url=target)
    there = urlsplit(target)
    known = there.scheme == "https" and any(fnmatch((there.hostname or "").lower(), site) for site in sites)
    if not known:
        raise InvalidResponse(f"redirected to another site, {there.hostname or 'nowhere'}", ADDRESS)
    return replace(request, url=target, headers={k: v for k, v in request.headers.items() if k.lower() in _OF_THE_FILE})


def followed(url: str, named: str) -> str:
    """Return the address that a server names in its response from `url`.

    Raises:
        InvalidResponse: it is no address.
    """
    try:
        target = urljoin(url, named)
        urlsplit(target)
    except ValueError:
        target = ""
    if not target:
        raise InvalidResponse("the server names an address that cannot be read", ADDRESS)
    return target


def next_page(url: str, named: str) -> str:
    """Return the address of the next page that the page at `url` names.

    Raises:
        InvalidResponse: it is no address, or lies on another site.
    """
    target = followed(url, named)
    if not same_site(url, target):
        raise InvalidResponse(f"the next page lies on another site, {urlsplit(target).hostname}")
    return target


def same_site(url: str, other: str) -> bool:
    """Say whether two addresses are of the same host and port; a change to https is no change of site."""
    here, there = urlsplit(url), urlsplit(other)
    try:
        ports = [part.port or _DEFAULT_PORTS.get(part.scheme) for part in (here, there)]
    except ValueError:
        return False
    upgraded = (here.scheme, there.scheme, ports) == ("http", "https", [80, 443])
    return here.hostname == there.hostname and (upgraded or (here.scheme == there.scheme and ports[0] == ports[1]))
