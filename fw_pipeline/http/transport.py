"""One question and the bytes that come back: connections, redirects, certificates, deadlines, unpacking.

Nothing here retries, keeps, or reads meaning into a body.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import requests
import urllib3

from fw_pipeline.http.decoding import unpacked
from fw_pipeline.http.limits import Limits
from fw_pipeline.http.redaction import Redactor
from fw_pipeline.http.response_errors import Fault, InvalidResponse, Transient

_CHUNK = 1 << 16
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OF_THE_FILE = frozenset({"accept-encoding", "range", "if-range", "if-none-match", "if-modified-since"})
_METHOD_KEPT = frozenset({307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ADDRESS = "check the address of this service in the settings; the service may have moved"


@dataclass(frozen=True, slots=True)
class Question:
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
        params: Mapping[str, Any] | Iterable[tuple[str, Any]] | None,
        headers: Mapping[str, str] | None,
        body: bytes | None,
    ) -> Question:
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
        """Return the request in one canonical line without secrets, by which its answer is found again."""
        parts = urlsplit(self.url)
        pairs = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not redactor.is_secret(*pair))
        url = redactor.address(urlunsplit(parts._replace(query=urlencode(pairs))))
        body = f" body sha256:{hashlib.sha256(self.body).hexdigest()}" if self.body is not None else ""
        part = f" part {self.headers['Range']}" if "Range" in self.headers else ""
        return f"{self.method} {url}{body}{part}"


@contextlib.contextmanager
def opened(
    session: requests.Session, question: Question, limits: Limits, *, sites: tuple[str, ...] = ()
) -> Iterator[requests.Response]:
    """Send a question and yield the answer with its body unread, following redirects within the same site.

    Args:
        session: where connections are kept.
        question: what is asked.
        limits: how long, and how many redirects.
        sites: other hosts, as patterns, that a redirect may lead to; of the headers given for the first host only those
            go there that say which part or version of a file is wanted.

    Raises:
        Transient: the server cannot be reached or breaks off.
        InvalidResponse: the certificate is not valid, or a redirect leads elsewhere or in a circle.
    """
    timeout = (limits.connect_seconds, limits.read_seconds)
    for _ in range(limits.redirects + 1):
        with _network_faults():
            response = session.request(
                question.method,
                question.url,
                headers=question.headers,
                data=question.body,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            )
        if response.status_code not in _REDIRECTS or "location" not in response.headers:
            try:
                yield response
            finally:
                response.close()
            return
        response.close()
        question = _redirected(question, response, sites)
    raise InvalidResponse(
        f"redirected more than {limits.redirects} times within {urlsplit(question.url).hostname}", _ADDRESS
    )


def header_names_lowered(response: requests.Response) -> dict[str, str]:
    """Return the headers of an answer by lower-case name."""
    return {name.lower(): value for name, value in response.headers.items()}


def raw_chunks(response: requests.Response, *, seconds: float) -> Iterator[bytes]:
    """Yield a body as it was sent, packed or not, in pieces as they come.

    Raises:
        Transient: it takes longer than `seconds` in all, or ends before its announced length.
    """
    deadline, got = time.monotonic() + seconds, 0
    while chunk := _next_chunk(response):
        yield chunk
        got += len(chunk)
        if time.monotonic() > deadline:
            raise Transient(f"the answer was still dripping in after {seconds:g} seconds ({got} bytes)")


def _next_chunk(response: requests.Response) -> bytes:
    with _network_faults():
        chunk: bytes = response.raw.read1(_CHUNK, decode_content=False)
    return chunk


def whole_body(response: requests.Response, limits: Limits) -> bytes:
    """Return an unpacked body.

    Raises:
        Transient: it breaks off, drips too slowly, or its packing is damaged.
        InvalidResponse: it is larger than allowed once unpacked (nothing larger is ever held), or packed in a way
            not asked for.
    """
    announced = response.headers.get("content-length", "")
    too_large = InvalidResponse(
        f"the answer is larger than {limits.answer_bytes} bytes", "nothing of it was kept; the service may have changed"
    )
    if announced.isdecimal() and int(announced) > limits.answer_bytes:
        raise too_large
    body = bytearray()
    chunks = raw_chunks(response, seconds=limits.answer_seconds)
    for piece in unpacked(chunks, response.headers.get("content-encoding", "").strip().lower()):
        body += piece
        if len(body) > limits.answer_bytes:
            raise too_large
    return bytes(body)


def _redirected(question: Question, response: requests.Response, sites: tuple[str, ...]) -> Question:
    target = followed(question.url, response.headers["location"])
    here, there = urlsplit(question.url), urlsplit(target)
    if question.method != "GET" and response.status_code not in _METHOD_KEPT:
        raise InvalidResponse(f"a {question.method} was redirected ({response.status_code})", _ADDRESS)
    if same_site(here, there):
        return replace(question, url=target)
    known = there.scheme == "https" and any(fnmatch((there.hostname or "").lower(), site) for site in sites)
    if not known:
        raise InvalidResponse(f"redirected to another site, {there.hostname or 'nowhere'}", _ADDRESS)
    return replace(
        question, url=target, headers={k: v for k, v in question.headers.items() if k.lower() in _OF_THE_FILE}
    )


def followed(url: str, named: str) -> str:
    """Return the address that a server names in its answer from `url`.

    Raises:
        InvalidResponse: it is no address.
    """
    try:
        target = urljoin(url, named)
        urlsplit(target)
    except ValueError:
        target = ""
    if not target:
        raise InvalidResponse("the server names an address that cannot be read", _ADDRESS)
    return target


def same_site(here: SplitResult, there: SplitResult) -> bool:
    """Say whether two addresses are of the same host and port; going over to https is no change of site."""
    try:
        ports = [part.port or _DEFAULT_PORTS.get(part.scheme) for part in (here, there)]
    except ValueError:
        return False
    upgraded = (here.scheme, there.scheme, ports) == ("http", "https", [80, 443])
    return here.hostname == there.hostname and (upgraded or (here.scheme == there.scheme and ports[0] == ports[1]))


@contextlib.contextmanager
def _network_faults() -> Iterator[None]:
    """Turn what the HTTP libraries raise into a fault whose text and chain hold no address."""
    try:
        yield
    except _NETWORK as error:
        fault = _explained(error)
    else:
        return
    raise fault


def _explained(error: BaseException) -> Fault:
    chain = [error]
    for outer in chain:  # grows meanwhile
        chain += (inner for inner in _inner(outer) if inner not in chain)
    texts = " ".join(str(e) for e in chain)
    if "CERTIFICATE_VERIFY_FAILED" in texts or "doesn't match" in texts:
        why = texts.partition("certificate verify failed: ")[2].partition(" (_ssl")[0] or "not the one of this host"
        return InvalidResponse(
            f"the certificate is not valid: {why}", "check the clock of this machine and the address"
        )
    if isinstance(error, requests.exceptions.InvalidHeader | UnicodeError):
        return InvalidResponse(
            "a header cannot be sent", "check the token and FW_CONTACT for characters that are not ASCII"
        )
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema | ValueError):
        return InvalidResponse("the address cannot be asked", _ADDRESS)
    for kinds, cause in _CAUSES:
        if any(isinstance(e, kinds) for e in chain):
            return Transient(cause)
    return Transient(f"the connection failed ({type(chain[-1]).__name__})")


def _inner(error: BaseException) -> Iterator[BaseException]:
    named = (error.__cause__, error.__context__, getattr(error, "reason", None), *error.args)
    yield from (item for item in named if isinstance(item, BaseException))


_NETWORK = (
    *(requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException),
    *(OSError, UnicodeError),
)
_CAUSES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((urllib3.exceptions.NameResolutionError,), "the name of the server cannot be resolved"),
    ((ConnectionRefusedError,), "the server refuses the connection"),
    ((requests.exceptions.ConnectTimeout,), "the server cannot be reached in time"),
    ((TimeoutError, urllib3.exceptions.TimeoutError, requests.exceptions.Timeout), "the server fell silent"),
    ((ConnectionResetError, BrokenPipeError), "the server broke the connection"),
    ((http.client.HTTPException, urllib3.exceptions.ProtocolError), "the answer broke off"),
)
