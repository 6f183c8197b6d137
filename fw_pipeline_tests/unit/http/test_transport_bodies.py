"""Packed bodies: every byte comes out, and a body without its end never passes for a whole one."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator

import pytest
import urllib3

from fw_pipeline.http import Transient
from fw_pipeline.http.transport import decoded

TEXT = b'{"items":[]}' * 50


def _bare(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKED = {
    "gzip": gzip.compress(TEXT, mtime=0),
    "x-gzip": gzip.compress(TEXT[:100], mtime=0) + gzip.compress(TEXT[100:], mtime=0),
    "deflate": zlib.compress(TEXT),
    "deflate ": _bare(TEXT),
    "": TEXT,
    "identity": TEXT,
}


def _pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


def _whole(body: bytes, encoding: str, size: int = 1 << 16) -> bytes:
    return b"".join(decoded(_pieces(body, size), encoding.strip()))


@pytest.mark.parametrize("size", [1, 2, 7, 1 << 16])
@pytest.mark.parametrize("encoding", PACKED)
def test_a_body_comes_out_whole_however_it_arrives(encoding: str, size: int) -> None:
    assert _whole(PACKED[encoding], encoding, size) == TEXT


@pytest.mark.parametrize("encoding", [name for name in PACKED if name not in {"", "identity", "x-gzip"}])
def test_a_packed_body_cut_off_anywhere_is_asked_for_again(encoding: str) -> None:
    for length in range(1, len(PACKED[encoding])):
        with pytest.raises(Transient, match="cut off or damaged"):
            _whole(PACKED[encoding][:length], encoding)


def test_a_damaged_checksum_is_noticed() -> None:
    damaged = PACKED["gzip"][:-8] + b"\0" * 8
    with pytest.raises(Transient, match="cut off or damaged"):
        _whole(damaged, "gzip")


def test_nothing_is_lost_where_a_piece_ends() -> None:
    """What is left within the unpacker when its input is used up still has to come out."""
    for size in range((1 << 16) - 300, (1 << 16) + 300):
        body = b"a" * size
        assert _whole(gzip.compress(body, mtime=0), "gzip") == _whole(_bare(body), "deflate") == body


def test_a_bomb_comes_out_in_small_pieces() -> None:
    bomb = gzip.compress(b" " * 2**24, mtime=0)
    first = next(decoded(iter([bomb]), "gzip"))
    assert len(first) <= 1 << 16


def test_urllib3_still_takes_a_body_without_its_end_for_a_whole_one() -> None:
    """Why bodies are unpacked here: where this fails, urllib3 may do it (see the decision in `docs/adr`)."""
    cut_off = io.BytesIO(PACKED["gzip"][:-8])
    headers = {"Content-Encoding": "gzip"}
    response = urllib3.HTTPResponse(cut_off, headers, preload_content=False)
    assert response.read(1 << 16, decode_content=True) == TEXT
