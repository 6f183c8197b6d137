"""The data dump: every month, tag and pair in one pass, judged by an XML parser; nothing from half a file."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import py7zr
import pytest
from lxml import etree

from fw_pipeline.contract import TABLES
from fw_pipeline.frameworks import TAGS
from fw_pipeline.sources.stackoverflow.dump import PROVIDER, dump
from fw_pipeline.sources.stackoverflow.dump_files import _with_signs_of_life
from fw_pipeline.sources.stackoverflow.figures import names_of
from fw_pipeline.sources.stackoverflow.posts import NotPosts, Posts
from fw_pipeline_tests.questions_live import FEW, NOW, Desk, lines, statuses
from fw_pipeline_tests.real_answers import REAL, real_answers

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


@real_answers
def test_the_real_planted_rows_are_left_out(tmp_path: Path) -> None:
    planted = (REAL / "stackexchange" / "dump_planted_rows_2025-06-30.xml").read_text(encoding="utf-8")
    rows = "".join(re.findall(r"  <row.*?/>\n", planted))
    desk = Desk(tmp_path / "data", dump(FEW))
    file = tmp_path / "Posts.xml"
    real = row(4, 1, "2025-06-30T23:59:00.000", ["tensorflow", "c++"]) + row(5, 1, "2025-06-02T00:00:00", ["pytorch"])
    file.write_text(HEAD + rows + real + TAIL, encoding="utf-8")
    now = datetime(2025, 7, 2, tzinfo=UTC)
    assert not desk.run("2025-06", "2025-06", now=now, path=str(file)).failures
    assert desk.figures()["2025-06", "*"] == 2
    assert any("1 planted questions were left out" in line for line in desk.log)
    file.write_text(planted, encoding="utf-8")
    assert "it holds no question" in lines(desk.run("2025-06", "2025-06", now=now, path=str(file)))[0]


def blocks(megabytes: int) -> Iterator[bytes]:
    """Yield a dump of some size without ever having the whole of it."""
    yield HEAD.encode()
    many = "".join(row(i, 1 + i % 2, f"2022-{i % 12 + 1:02d}-01T00:00:00.000", ["keras", f"t{i}"]) for i in range(2000))
    block = many.encode()
    for _ in range(megabytes * 2**20 // len(block)):
        yield block
    yield TAIL.encode()


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


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "Posts.xml").write_text(posts_xml(), encoding="utf-8")
    return Desk(tmp_path / "data", PROVIDER)


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


@pytest.mark.parametrize("kind", ["plain", "7z", "7z in a folder", "7z by bzip2"])
def test_a_range_of_months_comes_from_one_file(desk: Desk, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "Posts.xml"
    if kind == "7z in a folder":
        path = packed(tmp_path, "stackoverflow.com/Posts.xml")
    elif kind == "7z by bzip2":
        path = packed(tmp_path, filters=[{"id": py7zr.FILTER_BZIP2}])
    elif kind == "7z":
        path = packed(tmp_path)
    got = desk.run("2022-11", "2023-06", path=str(path))
    assert not got.failures
    months = ["2022-11", "2022-12", *(f"2023-{month:02d}" for month in range(1, 7))]
    assert desk.figures() == expected((tmp_path / "Posts.xml").read_bytes(), *months)
    rows = desk.rows()
    assert rows.columns[: len(TABLES["stackoverflow"].schema)] == TABLES["stackoverflow"].schema.names()
    said = rows.select("method", "origin", "observed_on", "provider").unique().row(0)
    assert said == ("counted", "Stack Exchange data dump", date(2023, 6, 30), "dump")
    evidence = json.loads(_evidence(desk))
    assert (evidence["file"], evidence["bytes"]) == (path.name, path.stat().st_size)
    assert any("no request: reads " + path.name in line for line in desk.log)


def _evidence(desk: Desk) -> bytes:
    written = desk.written()
    return written[written.index(b'{"bytes"') :].split(b"\n")[0]


def test_a_dump_on_standard_input_is_read_once_as_it_comes(desk: Desk, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from fw_pipeline.sources.stackoverflow.dump import PROVIDER\n"
        "from fw_pipeline_tests.questions_live import Desk\n"
        "desk = Desk(Path(sys.argv[1]), PROVIDER)\n"
        "got = desk.run('2023-05', '2023-06', path='-')\n"
        "print('\\n'.join([*desk.log, *map(str, got.failures)]))\n"
    )
    command = [sys.executable, "-c", program, str(desk.data)]

    def run(body: bytes) -> str:
        root = Path(__file__).parents[1]
        done = subprocess.run(command, input=body, capture_output=True, check=True, cwd=root, env={**os.environ})
        return done.stdout.decode()

    xml = (tmp_path / "Posts.xml").read_bytes()
    assert "reads standard input once" in run(xml)
    assert desk.figures() == expected(xml, "2023-05", "2023-06")
    assert json.loads(_evidence(desk))["bytes"] == len(xml)
    assert "standard input is a 7z archive" in run(packed(tmp_path).read_bytes())
    assert "standard input is not a whole Posts.xml: it is empty" in run(b"")


def test_the_month_in_which_the_dump_ends_has_no_figure(tmp_path: Path) -> None:
    file = tmp_path / "Posts.xml"
    file.write_text(posts_xml(until="2023-06-30T22:59:00.000"), encoding="utf-8")
    desk = Desk(tmp_path / "data", PROVIDER)
    now = datetime(2023, 9, 3, tzinfo=UTC)
    got = desk.run("2023-05", "2023-08", now=now, path=str(file))
    assert statuses(got) == {"2023-05": "present", **dict.fromkeys(("2023-06", "2023-07", "2023-08"), "failed")}
    assert len(lines(got)) == 1
    said, _, remedy = lines(got)[0].partition("; ")
    assert said == f"{WHO} 2023-06 to 2023-08: the last question in the dump is of 2023-06-30 22:59 UTC"
    assert remedy == "take a newer dump, or the provider api for these months"
    file.write_text(posts_xml(until="2023-08-31T23:30:00.000"), encoding="utf-8")
    got = desk.run("2023-05", "2023-08", now=now, path=str(file))
    assert statuses(got)["2023-07"] == "refused"
    assert "2023-07: the dump holds no question of this month" in lines(got)[0]


def test_a_tag_that_occurs_nowhere_has_no_figure_and_a_pair_that_never_met_has_zero(tmp_path: Path) -> None:
    file = tmp_path / "Posts.xml"
    both = row(1, 1, "2023-06-05T00:00:00", ["tensorflow"]) + row(2, 1, "2023-06-30T23:59:59.9", ["c++"])
    file.write_text(HEAD + both + row(3, 1, "2023-06-07T00:00:00.000") + TAIL, encoding="utf-8")
    desk = Desk(tmp_path / "data", dump(FEW))
    assert not desk.run("2023-06", "2023-06", path=str(file)).failures
    assert desk.figures() == {("2023-06", "*"): 3, ("2023-06", "tensorflow"): 1, ("2023-06", "tensorflow;c++"): 0}
    assert any("tags that occur nowhere in the dump: pytorch" in line for line in desk.log)
    assert any("1 questions without a tag" in line for line in desk.log)


def test_the_dump_of_another_site_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "Posts.xml"
    file.write_text(HEAD + row(1, 1, "2023-07-01T00:00:00", ["history"]) + TAIL, encoding="utf-8")
    said = lines(Desk(tmp_path / "data", PROVIDER).run("2023-06", "2023-06", path=str(file)))
    assert "it is one of another site; set FW_PROVIDERS=stackoverflow=dump:PATH" in said[0]


BROKEN: dict[str, tuple[Any, str]] = {
    "empty": (lambda _: b"", "it is empty"),
    "cut off within a row": (lambda it: it[:9000], "it breaks off after"),
    "cut off between two rows": (lambda it: it[:9000].rpartition(b"  <row")[0], "it breaks off after"),
    "cut off within the end": (lambda it: it[:-3], "it breaks off after"),
    "cut off within the head": (lambda it: it[:30], "it does not begin as Posts.xml does"),
    "a piece lost in the middle": (lambda it: it[:9000] + it[30_000:].partition(b"\n")[2], "row .* is damaged"),
    "a page": (lambda _: b"<!doctype html><html>Log in</html>" * 500, "does not begin as Posts.xml does, but with"),
    "another table": (lambda it: it.replace(b"<posts>", b"<users>"), "does not begin as Posts.xml does"),
    "rows of another table": (lambda it: it.replace(b"PostTypeId", b"UserId"), "row 1 has no PostTypeId"),
    "other quotes": (lambda it: it.replace(b'PostTypeId="1"', b"PostTypeId='1'"), "row 1 has no PostTypeId"),
    "rubbish among the rows": (lambda it: it[:9000].rpartition(b"  <row")[0] + b"junk" + it[9000:], "is damaged"),
    "an element among the rows": (lambda it: it.replace(b"</posts>", b"<users></posts>"), "something else than a row"),
    "text after the end": (lambda it: it + b"<posts>", "it goes on after its end"),
    "gzip": (lambda _: b"\x1f\x8b\x08\x00", "it is a gzip file"),
    "zip": (lambda _: b"PK\x03\x04" + b"0" * 50, "it is a zip archive"),
    "utf-16": (lambda it: it.decode("utf-8-sig").encode("utf-16"), "it is UTF-16"),
    "latin": (lambda it: it.replace(b'"utf-8"', b'"iso-8859-1"'), "it is written in 'iso-8859-1', not in UTF-8"),
    "a tag format to come": (
        lambda it: it.replace(b'Tags="|', b'Tags="'),
        "tags are written '.*; known are |a|b| and <a><b>",
    ),
    "no dates": (lambda it: it.replace(b"CreationDate", b"CreatedAt"), "question in row 1 lacks Id or CreationDate"),
    "a date of no month": (lambda it: it.replace(b'"2022-01-', b'"2022-13-'), "'2022-13', which is no month"),
    "a last date of no day": (lambda it: it.replace(b"2023-06-30T23", b"2023-06-31T23"), "which is no date"),
    "a number that is none": (lambda it: it.replace(b' Id="3"', b' Id="x"'), "lacks Id or CreationDate"),
    "a far future": (lambda it: it.replace(b"2023-06-30T23", b"2023-07-30T23"), "2023-07-30, which lies in the future"),
    "a row without end": (lambda it: it.replace(b"</posts>", b"  <row " + b"x" * (17 << 20)), "is longer than 16 MiB"),
    "binary": (lambda _: os.urandom(9000), "does not begin as Posts.xml does"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_is_not_whole_gives_one_line_and_no_figure_and_then_heals(
    desk: Desk, tmp_path: Path, kind: str
) -> None:
    change, said = BROKEN[kind]
    file = tmp_path / "Posts.xml"
    good = file.read_bytes()
    file.write_bytes(change(good))
    got = desk.run("2023-05", "2023-06", path=str(file))
    assert len(lines(got)) == 1
    assert re.search(said, lines(got)[0])
    assert not desk.figures()
    file.write_bytes(good)
    assert not desk.run("2023-05", "2023-06", path=str(file)).failures
    assert desk.figures() == expected(good, "2023-05", "2023-06")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda it: it[: len(it) // 2], "cannot be unpacked: Bad7zFile"),
        (lambda it: it[:-1], "cannot be unpacked: Bad7zFile"),
        (lambda it: it[:200] + bytes(64) + it[264:], "cannot be unpacked: (LZMAError|CrcError|Bad7zFile)"),
        (lambda it: it[:6], "cannot be unpacked"),
    ],
)
def test_a_damaged_archive_gives_one_line_and_no_figure(desk: Desk, tmp_path: Path, spoil: Any, said: str) -> None:
    path = packed(tmp_path)
    good = path.read_bytes()
    path.write_bytes(spoil(good))
    got = desk.run("2023-06", "2023-06", path=str(path))
    assert re.search(said, lines(got)[0])
    assert not desk.figures()
    path.write_bytes(good)
    assert not desk.run("2023-06", "2023-06", path=str(path)).failures


def test_an_archive_without_the_file_or_with_two_of_them_is_refused(desk: Desk, tmp_path: Path) -> None:
    said = lines(desk.run("2023-06", "2023-06", path=str(packed(tmp_path, "Users.xml"))))[0]
    assert "stackoverflow.com-Posts.7z holds Badges.xml, Users.xml, not one Posts.xml" in said
    with py7zr.SevenZipFile(tmp_path / "two.7z", "w") as archive:
        archive.write(tmp_path / "Posts.xml", "a/Posts.xml")
        archive.write(tmp_path / "Posts.xml", "b/Posts.xml")
    said = lines(desk.run("2023-06", "2023-06", path=str(tmp_path / "two.7z")))[0]
    assert "two.7z holds a/Posts.xml, b/Posts.xml, not one Posts.xml" in said
    locked = packed(tmp_path, password="sesame")
    assert "is locked with a password" in lines(desk.run("2023-06", "2023-06", path=str(locked)))[0]


def test_what_cannot_be_opened_says_what_to_name(desk: Desk, tmp_path: Path) -> None:
    remedy = "set FW_PROVIDERS=stackoverflow=dump:PATH"
    for path, said in ((tmp_path, "is a folder"), (tmp_path / "none.xml", "none.xml cannot be read: No such file")):
        line = lines(desk.run("2023-06", "2023-06", path=str(path)))[0]
        assert said in line
        assert remedy in line
    assert f"no dump is named; {remedy}" in lines(desk.run("2023-06", "2023-06"))[0]


def test_the_reach_and_the_plan_are_told_without_a_dump(desk: Desk, tmp_path: Path) -> None:
    fetch = desk.fetch("2023-06", "2023-06")
    assert str(PROVIDER.reach(fetch).window) == "2015-11 to 2023-06"
    assert PROVIDER.plan(fetch).requests == 0
    assert "the dump that FW_PROVIDERS names" in PROVIDER.plan(fetch).text
    named = desk.fetch("2023-06", "2023-06", path=str(tmp_path / "Posts.xml"))
    assert "reads Posts.xml of 0.0 GB for its checksum" in PROVIDER.plan(named).text
    assert PROVIDER.reach(named).window.end == date(NOW.year, NOW.month, 1)


def test_a_log_of_a_long_scan_shows_that_it_is_alive() -> None:
    said: list[str] = []
    feed = _with_signs_of_life(lambda _: None, said.append)
    block = bytes(1 << 28)
    for _ in range(40):
        feed(block)
    assert said == [f"stackoverflow (dump): {gigabytes} GB of Posts.xml are counted" for gigabytes in (5, 10)]


def test_a_scanner_that_was_told_nothing_knows_nothing() -> None:
    with pytest.raises(NotPosts, match="it is empty"):
        Posts(frozenset()).finish()
