"""Dumps of Stack Overflow made up for tests, and what an XML parser counts in them."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import py7zr
from lxml import etree

from fw_pipeline.catalog.frameworks import TAGS
from fw_pipeline.sources.stackoverflow.monthly_questions import names_of
from fw_pipeline.sources.stackoverflow.posts_xml import Posts

HEAD = '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<posts>\n'
TAIL = "</posts>"
WHO = "stackoverflow (dump)"
QUOTED = {'"': "&quot;", "\n": "&#xA;"}
TRICKY = 'How to read Tags=" and PostTypeId="1" & <row Id="7" />'
"""A title that looks like attributes once it is in a row, and a row once it is not."""


def row(number: int, kind: int, made: str, tags: Iterable[str] = (), *, bars: bool = True, **more: str) -> str:
    """Write a row as the dump has it; tags with bars, or in angle brackets as before 2024."""
    said = ("|" + "|".join(tags) + "|") if bars else "".join(f"<{tag}>" for tag in tags)
    values = {"Id": str(number), "PostTypeId": str(kind), "CreationDate": made, "Body": f"<p>{TRICKY}</p>\n"}
    values |= {"OwnerUserId": "5", "Title": "Tags=", **({"Tags": said} if tags else {}), "AnswerCount": "0", **more}
    return "  <row " + "".join(f'{name}="{escape(text, QUOTED)}" ' for name, text in values.items()) + "/>\n"


def posts_xml(*, until: str = "2023-06-30T23:59:58.123", bars: bool = True) -> str:
    """Write a dump of eighteen months: every tag and pair of the catalogue, answers, wikis, planted rows."""
    rows, number = [], 0
    for month in [f"{year}-{at:02d}" for year in (2022, 2023) for at in range(1, 13)][:18]:
        for index, tag in enumerate(TAGS):
            number += 3
            made = f"{month}-{index % 28 + 1:02d}T{index % 24:02d}:59:59.{index:03d}"
            wanted = [*tag.tagged.split(";"), *(("python", "pytorch") if index % 5 == 0 else ())][: 5 - index % 2]
            rows.append(
                row(number, 1, made, dict.fromkeys(wanted), bars=bars, Title=TRICKY if index % 3 else "ends in Tags=")
            )
            rows.append(row(number + 1, 2, made, ParentId=str(number)))
            rows.append(row(number + 2, 1 if index % 7 == 0 else 5, made, ["c#", "größe"], bars=bars))
    rows.append(row(number + 3, 1, until, ["tensorflow", "pytorch"], bars=bars))
    rows.append(row(1_000_000_001, 1, "2023-06-01T01:00:00.100", ["tensorflow", "keras"], bars=bars))
    rows.append(row(1_000_000_010, 2, "2023-06-01T01:03:15.100"))
    return HEAD + "".join(rows) + TAIL


def judged(xml: bytes, wanted: Iterable[str]) -> Counter[tuple[str, str]]:
    """Count by month and tag, and pair of tags, as an XML parser sees the file."""
    found: Counter[tuple[str, str]] = Counter()
    known = set(wanted)
    for _, element in etree.iterparse(io.BytesIO(xml), tag="row"):
        if element.get("PostTypeId") == "1" and int(element.get("Id")) < 10**9:
            month = element.get("CreationDate")[:7]
            tags = sorted(known & set(re.split(r"[|<>]+", element.get("Tags") or "")))
            found.update([(month, "*"), *((month, tag) for tag in tags)])
            found.update((month, ";".join(pair)) for pair in combinations(tags, 2))
        element.clear()
    return found


def scanned(xml: bytes, wanted: Iterable[str], size: int) -> Counter[tuple[str, str]]:
    """Count the same by the scanner, fed with so many bytes at a time."""
    posts = Posts(frozenset(wanted))
    for start in range(0, len(xml), size):
        posts.feed(xml[start : start + size])
    posts.finish()
    found: Counter[tuple[str, str]] = Counter()
    for at, (site, sets) in posts.by_month().items():
        found[f"{at:%Y-%m}", "*"] += site
        for names, count in sets.items():
            pairs = (";".join(pair) for pair in combinations(sorted(names), 2))
            for tagged in (*names, *pairs):
                found[f"{at:%Y-%m}", tagged] += count
    return found


def blocks(megabytes: int) -> Iterator[bytes]:
    """Yield a dump of some size without ever having the whole of it."""
    yield HEAD.encode()
    many = "".join(row(i, 1 + i % 2, f"2022-{i % 12 + 1:02d}-01T00:00:00.000", ["keras", f"t{i}"]) for i in range(2000))
    block = many.encode()
    for _ in range(megabytes * 2**20 // len(block)):
        yield block
    yield TAIL.encode()


def packed(folder: Path, name: str = "Posts.xml", **more: Any) -> Path:
    """Put the dump beside into an archive, behind another file, as the publisher does."""
    target = folder / "stackoverflow.com-Posts.7z"
    with py7zr.SevenZipFile(target, "w", **more) as archive:
        archive.writestr("<badges>" + "x" * 5000 + "</badges>", "Badges.xml")
        archive.write(folder / "Posts.xml", name)
    return target


def expected(xml: bytes, *months: str) -> dict[tuple[str, str], int]:
    """Return what the rows must say of some months."""
    found = judged(xml, names_of(TAGS))
    tagged = ("*", *(tag.tagged for tag in TAGS))
    return {(month, it): found[month, ";".join(sorted(it.split(";")))] for month in months for it in tagged}
