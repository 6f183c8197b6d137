"""The body of a response, read piece by piece: within a time and a size, unpacked, and never without its end.

Nothing here sends a request. urllib3 unpacks in bounded pieces too, but takes a body without its end for a whole one.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import requests

from fw_pipeline.http.response_errors import NETWORK_ERRORS, InvalidResponse, Transient, network_fault
from fw_pipeline.http.retry import Limits

if TYPE_CHECKING:
    from zlib import _Decompress as Decoder

_PIECE = 1 << 16


def whole_body(response: requests.Response, limits: Limits) -> bytes:
    """Return an unpacked body.

    Raises:
        Transient: it breaks off, drips too slowly, or its packing is damaged.
        InvalidResponse: it is larger than allowed once unpacked (nothing larger is ever held), or packed in a way
            not asked for.
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
    try:
        for piece in pieces:
            rest = piece
            while rest:  # of one member; another may follow
                if decoder is None or decoder.eof:
                    decoder = zlib.decompressobj(_deflate_bits(rest) if encoding == "deflate" else zlib.MAX_WBITS + 16)
                out = decoder.decompress(rest, _PIECE)
                yield out
                while not decoder.eof and (decoder.unconsumed_tail or len(out) == _PIECE):
                    out = decoder.decompress(decoder.unconsumed_tail, _PIECE)
                    yield out
                rest = decoder.unused_data
    except zlib.error:
        damaged = True
    else:
        damaged = decoder is not None and not decoder.eof
    if damaged:
        raise Transient(f"the {encoding} packing of the answer is cut off or damaged")


def _deflate_bits(start: bytes) -> int:
    """Say how zlib reads a body: `deflate` comes with its wrapper from some servers, and bare from others."""
    wrapped = start[0] & 0x0F == zlib.DEFLATED and (len(start) == 1 or int.from_bytes(start[:2], "big") % 31 == 0)
    return zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS
