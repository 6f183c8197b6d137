"""One request and what comes back: connections, redirects, certificates, and the bytes of a body up to its end.

Nothing here retries or keeps anything. Every request is sent by itself: no cookie, no password of a `.netrc` file, no
redirect that was not judged here. Bodies are unpacked here, because urllib3 takes one without its end for a whole one.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import requests
from requests.structures import CaseInsensitiveDict

from fw_pipeline.http.redaction import PARAMETERS, Redactor
from fw_pipeline.http.retry import ADDRESS, NETWORK_ERRORS, InvalidResponse, Limits, Transient, network_fault

if TYPE_CHECKING:
    from zlib import _Decompress as Decoder

Params = Mapping[str, Any] | Iterable[tuple[str, Any]]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OF_THE_FILE = frozenset({"accept-encoding", "range", "if-range", "if-none-match", "if-modified-since"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NOBODY = ()
"""Who is logged in. None would take the password of an address."""
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Request:
    """One request, before it is sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    key: str = ""
    """The request in one canonical line without secrets, by which its response is found again."""

    @classmethod
    def of(
        cls,
        method: str,
        url: str,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        redactor: Redactor,
    ) -> Request:
        """Return the request to `url` with `params` added; a list value repeats its parameter, None leaves it out."""
        pairs = params.items() if isinstance(params, Mapping) else params or ()
        flat = [
            (name, str(item))
            for name, value in pairs
            for item in (value if isinstance(value, list | tuple) else (value,))
            if item is not None
        ]
        parts, sent = urlsplit(url)._replace(fragment=""), dict(headers or {})
        query = "&".join(filter(None, (parts.query, urlencode(flat))))
        asked = sorted(
            (name, value)
            for name, value in parse_qsl(query, keep_blank_values=True)
            if not (name in PARAMETERS and value in redactor.values)
        )
        key = f"{method} {redactor.address(urlunsplit(parts._replace(query=urlencode(asked))))}"
        key += f" body sha256:{hashlib.sha256(body).hexdigest()}" if body is not None else ""
        key += f" part {sent['Range']}" if "Range" in sent else ""
        return cls(method, urlunsplit(parts._replace(query=query)), sent, body, key)


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
    fault, timeout = None, (limits.connect_seconds, limits.read_seconds)
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
    cause = f"redirected more than {limits.redirects} times within {urlsplit(request.url).hostname}"
    raise InvalidResponse(cause, ADDRESS)


def _redirected(request: Request, response: requests.Response, sites: tuple[str, ...]) -> Request:
    target = followed(request.url, response.headers["location"])
    if request.method != "GET" and response.status_code not in {307, 308}:
        raise InvalidResponse(f"a {request.method} was redirected ({response.status_code})", ADDRESS)
    if same_site(request.url, target):
        return replace(request, url=target)
    there = urlsplit(target)
    if there.scheme != "https" or not any(fnmatch((there.hostname or "").lower(), site) for site in sites):
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


def same_site(url: str, other: str) -> bool:
    """Say whether two addresses are of the same host and port; a change to https is no change of site."""
    here, there = urlsplit(url), urlsplit(other)
    try:
        ports = [part.port or _DEFAULT_PORTS.get(part.scheme) for part in (here, there)]
    except ValueError:
        return False
    upgraded = (here.scheme, there.scheme, ports) == ("http", "https", [80, 443])
    return here.hostname == there.hostname and (upgraded or (here.scheme == there.scheme and ports[0] == ports[1]))


def whole_body(response: requests.Response, limits: Limits) -> bytes:
    """Return an unpacked body.

    Raises:
        Transient: it breaks off, drips too slowly, or its packing is damaged.
        InvalidResponse: it is larger than allowed (nothing larger is ever held), or packed in a way not asked for.
    """
    announced, body = response.headers.get("content-length", ""), bytearray()
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if not (announced.isdecimal() and int(announced) > limits.answer_bytes):
        for piece in decoded(raw_pieces(response, seconds=limits.answer_seconds), encoding):
            body += piece
            if len(body) > limits.answer_bytes:
                break
        else:
            return bytes(body)
    cause = f"the answer is larger than {limits.answer_bytes} bytes"
    raise InvalidResponse(cause, "nothing of it was kept; the service may have changed")


def raw_pieces(response: requests.Response, *, seconds: float) -> Iterator[bytes]:
    """Yield a body as it was sent, packed or not, in pieces as they come.

    Raises:
        Transient: it takes longer than `seconds` in all, or ends before its announced length.
    """
    deadline, got, fault = time.monotonic() + seconds, 0, None
    while fault is None:
        try:
            piece: bytes = response.raw.read1(_PIECE, decode_content=False)
        except NETWORK_ERRORS as error:
            fault = network_fault(error)
            continue
        if not piece:
            return
        yield piece
        got += len(piece)
        if time.monotonic() > deadline:
            fault = Transient(f"the answer was still dripping in after {seconds:g} seconds ({got} bytes)")
    raise fault


def decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield a body unpacked, in pieces of bounded size, so that a caller can stop before a huge one is there.

    Raises:
        Transient: the packing is damaged, or ends before its end.
        InvalidResponse: it is packed in a way that was not asked for.
    """
    if encoding in {"", "identity"}:
        yield from pieces
        return
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise InvalidResponse(f"answered packed as {encoding}, which was not asked for")
    decoder: Decoder | None = None
    damaged = True
    with contextlib.suppress(zlib.error):
        for rest in pieces:
            while rest:  # of one member; another may follow
                if decoder is None or decoder.eof:
                    decoder = zlib.decompressobj(_deflate_bits(rest) if encoding == "deflate" else zlib.MAX_WBITS + 16)
                out = decoder.decompress(rest, _PIECE)
                yield out
                while not decoder.eof and (decoder.unconsumed_tail or len(out) == _PIECE):
                    out = decoder.decompress(decoder.unconsumed_tail, _PIECE)
                    yield out
                rest = decoder.unused_data  # noqa: PLW2901 - the loop goes through one piece
        damaged = decoder is not None and not decoder.eof
    if damaged:
        raise Transient(f"the {encoding} packing of the answer is cut off or damaged")


def _deflate_bits(start: bytes) -> int:
    """Say how zlib reads a body: `deflate` comes with its wrapper from some servers, and bare from others."""
    wrapped = start[0] & 0x0F == zlib.DEFLATED and (len(start) == 1 or int.from_bytes(start[:2], "big") % 31 == 0)
    return zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS
