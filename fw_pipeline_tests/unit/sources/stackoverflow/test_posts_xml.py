"""The scan of Posts.xml counts what an XML parser counts, however the file is cut and written, in little memory."""

from __future__ import annotations

import re
import tracemalloc
from typing import Any

import pytest
from lxml import etree

from fw_pipeline.catalog.frameworks import TAGS
from fw_pipeline.sources.stackoverflow.monthly_questions import names_of
from fw_pipeline.sources.stackoverflow.posts_xml import NotPosts, Posts
from fw_pipeline_tests.support.dumps import (
    blocks,
    judged,
    posts_xml,
    scanned,
)
from fw_pipeline_tests.support.real_answers import REAL, real_answers


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 18, 1 << 26])
@pytest.mark.parametrize("bars", [True, False])
def test_the_scan_counts_what_an_xml_parser_counts_wherever_the_pieces_are_cut(size: int, bars: bool) -> None:
    xml = posts_xml(bars=bars).encode()
    xml = xml[:20_000].rpartition(b"  <row")[0] + b"</posts>\n" if size == 1 else xml
    assert scanned(xml, names_of(TAGS), size) == judged(xml, names_of(TAGS))


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.replace("\n", "\r\n"),
        lambda it: it.replace("/>\n", "/>"),
        lambda it: it.replace("\ufeff", ""),
        lambda it: it.replace('<?xml version="1.0" encoding="utf-8"?>\n', ""),
        lambda it: it.replace("<posts>", "<!DOCTYPE posts SYSTEM 'posts.dtd'>\n<posts>"),
        lambda it: it + "\n \n",
        lambda it: it.replace(" />", "/>"),
        lambda it: it.replace("&#xA;", "\n"),
        lambda it: it.replace(" OwnerUserId", "\n    OwnerUserId"),
        lambda it: re.sub(r'( Id="\d+")( PostTypeId="\d")', r"\2\1", it),
        lambda it: re.sub(r'( Body="[^"]*")(.*?)( Title="[^"]*")', r"\3\2\1", it),
    ],
)
def test_the_same_file_written_otherwise_counts_the_same(change: Any) -> None:
    xml = change(posts_xml()).encode()
    assert scanned(xml, names_of(TAGS), 4096) == judged(posts_xml().encode(), names_of(TAGS))


@real_answers
@pytest.mark.parametrize("file", ["dump_posts_angle_tags.xml", "dump_posts_pipe_tags_2024Q1.xml"])
def test_real_rows_are_counted_as_an_xml_parser_counts_them(file: str) -> None:
    xml = (REAL / "stackexchange" / file).read_bytes()
    if not xml.rstrip().endswith(b"</posts>"):  # the first rows of a file
        with pytest.raises(NotPosts, match="breaks off"):
            scanned(xml, (), 1000)
        xml += b"</posts>"
    tags = set(re.findall(r"[a-z0-9.+#-]+", " ".join(etree.fromstring(xml).xpath("//@Tags"))))
    assert tags
    found = judged(xml, tags)
    assert sum(count for (_, tagged), count in found.items() if tagged != "*") > 0
    for size in (13, 100_000):
        assert scanned(xml, tags, size) == found


def test_memory_does_not_grow_with_the_file() -> None:
    peaks = []
    for megabytes in (4, 16):
        posts = Posts(frozenset(names_of(TAGS)))
        tracemalloc.start()
        for block in blocks(megabytes):
            posts.feed(block)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        posts.finish()
        assert sum(posts.questions.values()) == posts.rows // 2
    assert peaks[1] < peaks[0] * 1.1 < 8 * 2**20


def test_a_scanner_that_was_told_nothing_knows_nothing() -> None:
    with pytest.raises(NotPosts, match="it is empty"):
        Posts(frozenset()).finish()
