"""Bodies that were sent packed, unpacked piece by piece, with their ends checked.

Nothing here reads from the network or limits a size.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fw_pipeline.http.response_errors import InvalidResponse, Transient

if TYPE_CHECKING:
    from zlib import _Decompress as Unpacker

_CHUNK = 1 << 16


def unpacked(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield a body unpacked, in pieces of bounded size, so that a caller can stop before a huge one is there.

    Raises:
        Transient: the packing is damaged, or ends before its end.
        InvalidResponse: it is packed in a way that was not asked for.
    """
    if encoding in {"", "identity"}:
        yield from chunks
        return
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise InvalidResponse(f"answered packed as {encoding}, which was not asked for")
    unpacker: Unpacker | None = None
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                if unpacker is None or unpacker.eof:
                    unpacker = zlib.decompressobj(_window_bits(encoding, rest))
                yield from _inflated(unpacker, rest)
                rest = unpacker.unused_data
    except zlib.error:
        damaged = True
    else:
        damaged = unpacker is not None and not unpacker.eof
    if damaged:
        raise Transient(f"the {encoding} packing of the answer is cut off or damaged")


def _inflated(unpacker: Unpacker, packed: bytes) -> Iterator[bytes]:
    piece = unpacker.decompress(packed, _CHUNK)
    yield piece
    while not unpacker.eof and (unpacker.unconsumed_tail or len(piece) == _CHUNK):
        piece = unpacker.decompress(unpacker.unconsumed_tail, _CHUNK)
        yield piece


def _window_bits(encoding: str, start: bytes) -> int:
    """Say how zlib reads a body: `deflate` comes with its wrapper from some servers, and bare from others."""
    if encoding != "deflate":
        return zlib.MAX_WBITS + 16
    wrapped = start[0] & 0x0F == zlib.DEFLATED and (len(start) == 1 or int.from_bytes(start[:2], "big") % 31 == 0)
    return zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS
