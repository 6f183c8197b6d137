"""A dump that is not whole, not of this site, or not there: one line, no figure, and healed by the right file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import py7zr
import pytest

from fw_pipeline.sources.stackoverflow.posts_dump import PROVIDER
from fw_pipeline_tests.support.dumps import (
    expected,
    packed,
    posts_xml,
)
from fw_pipeline_tests.support.questions_live import Desk, lines


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "Posts.xml").write_text(posts_xml(), encoding="utf-8")
    return Desk(tmp_path / "data", PROVIDER)


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
