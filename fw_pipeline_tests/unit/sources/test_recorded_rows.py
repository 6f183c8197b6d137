"""Bad recorded figures: a bad row harms its own month alone, a bad file its own source, and each says where."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from fw_pipeline.errors import SourceError
from fw_pipeline.months import Window, parse_month
from fw_pipeline_tests.support.recorded_files import Answer, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench.at(tmp_path)


def assert_unharmed(answer: Answer, whole: Answer, *, but: set[date | None]) -> None:
    """Hold that all other months came out as from the shipped file."""
    assert set(answer.months) == set(whole.months) - but
    assert all(rows.equals(whole.months[month]) for month, rows in answer.months.items())
    assert answer.gaps == whole.gaps


# --- One bad row refuses its month, and no other


PAPERS_2022 = "2022-05-01,nine venues,ICLR,"
HUB_2024 = '2024-05-01,"recent and trending, open licence",,[],'


@pytest.mark.parametrize(
    ("source", "old", "new", "month", "told"),
    [
        ("stackoverflow", "2022-03-01,keras,", "2022-03-01,keras,-5,m,o,\n", "2022-03", "questions: -5 is negative"),
        ("stackoverflow", "2022-03-01,keras,", "2022-03-01,keras,7.5,m,o,\n", "2022-03", "'7.5' is not a whole number"),
        ("stackoverflow", "2022-03-01,keras,", "2022-03-01,keras,NaN,m,o,\n", "2022-03", "'NaN' is not a whole"),
        ("stackoverflow", "2022-03-01,keras,", "2022-03-01,keras,1_000,m,o,\n", "2022-03", "'1_000' is not a whole"),
        ("stackoverflow", "2022-03-01,keras,", "2022-03-01,keras,\u0667,m,o,\n", "2022-03", "is not a whole number"),
        ("stackoverflow", "2022-03-01,keras,", "2022-03-01,keras,,m,o,\n", "2022-03", "questions: empty"),
        ("stackoverflow", "2022-03-01,keras,", f"2022-03-01,keras,{2**63},m,o,\n", "2022-03", "is too large"),
        ("stackoverflow", "2022-03-01,keras,", "2022-03-01,kears,5,m,o,\n", "2022-03", "unknown name 'kears'"),
        ("stackoverflow", "2022-03-01,keras,", "2022-03-01,,5,m,o,\n", "2022-03", "tagged: empty"),
        ("stackoverflow", "2022-03-01,keras,", "2022-03-01,keras,5,,o,\n", "2022-03", "method: empty"),
        (
            "stackoverflow",
            "2022-03-01,keras,",
            "2022-03-01,keras,5,m,o,2022-99-01\n",
            "2022-03",
            "observed_on: '2022-99",
        ),
        ("stackoverflow", "2022-03-01,keras,", "2022-03-01,keras,5,m,o,,more\n", "2022-03", "has not as many cells"),
        ("stackoverflow", "2022-03-01,keras,", "2022-03-01,keras,5\n", "2022-03", "'2022-03-01,keras,5' has not as"),
        ("stackoverflow", "2022-03-01,keras,", "2022-03-01,*,5,m,o,\n", "2022-03", "key: (2022-03-01, *) is in line"),
        ("pypi", "2021-07-01,jax,pip,", "2021-07-01,jaxx,pip,o,5,2021-07-01,31,m,\n", "2021-07", "unknown name 'jaxx'"),
        (
            "pypi",
            "2021-07-01,jax,pip,",
            "2021-07-01,jax,conda,o,5,2021-07-01,31,m,\n",
            "2021-07",
            "unknown name 'conda'",
        ),
        ("pypi", "2021-07-01,jax,pip,", "2021-07-01,jax,pip,o,5,,31,m,\n", "2021-07", "window_start: empty"),
        ("pypi", "2021-07-01,jax,pip,", f"2021-07-01,jax,pip,o,5,2021-07-01,{2**31},m,\n", "2021-07", "is too large"),
        ("papers", PAPERS_2022 + "pytorch,", PAPERS_2022 + "torhc,,5,,m,o,\n", "2022-05", "unknown name 'torhc'"),
        ("papers", PAPERS_2022 + "pytorch,", PAPERS_2022 + "*;pytorch,,5,,m,o,\n", "2022-05", "has * beside names"),
        (
            "papers",
            PAPERS_2022 + "pytorch,",
            PAPERS_2022 + "tensorflow;jax,,5,,m,o,\n",
            "2022-05",
            "is not a sorted list",
        ),
        ("papers", PAPERS_2022 + "pytorch,", PAPERS_2022 + "jax;jax,,5,,m,o,\n", "2022-05", "is not a sorted list"),
        (
            "papers",
            PAPERS_2022 + "pytorch,",
            PAPERS_2022 + "pytorch,yes,5,,m,o,\n",
            "2022-05",
            "neither true nor false",
        ),
        (
            "papers",
            PAPERS_2022 + "pytorch,",
            "2022-05-01,ten venues,ICLR,pytorch,,5,,m,o,\n",
            "2022-05",
            "'ten venues'",
        ),
        ("papers", PAPERS_2022 + "pytorch,", PAPERS_2022 + ",,5,,m,o,\n", "2022-05", "frameworks: empty"),
        (
            "huggingface",
            HUB_2024,
            HUB_2024.replace("[]", "pytorhc") + "5,,,m,o,\n",
            "2024-05",
            "unknown name 'pytorhc'",
        ),
        ("huggingface", HUB_2024, HUB_2024.replace(",,[]", ", x,[]") + "5,,,m,o,\n", "2024-05", "has space around it"),
    ],
)
def test_a_bad_row_refuses_its_month_and_no_other(  # noqa: PLR0917
    bench: Bench, source: str, old: str, new: str, month: str, told: str
) -> None:
    whole = bench.ask(source)
    line = bench.edit(source, old, new)
    answer = bench.ask(source)
    assert answer.failed is None
    (refusal,) = answer.refused
    assert refusal.month == parse_month(month)
    assert told in str(refusal)
    assert f"{source} (recorded) {month}: {source}.csv line {line}, " in str(refusal)
    assert str(refusal).endswith("; correct the line, or restore the file from the repository")
    assert "\n" not in str(refusal)
    assert_unharmed(answer, whole, but={parse_month(month)})


def test_one_bad_row_does_not_hide_another(bench: Bench) -> None:
    first = bench.edit("stackoverflow", "2022-03-01,keras,", "2022-03-01,keras,-5,m,o,\n")
    second = bench.edit("stackoverflow", "2022-03-01,pytorch,", "2022-03-01,pytorch,x,m,o,2022\n")
    bench.edit("stackoverflow", "2022-03-01,tensorflow,", "2022-03-01,tensorflow,y,m,o,\n")
    other = bench.edit("stackoverflow", "2023-01-01,keras,", "2023-01-01,kerras,5,m,o,\n")
    march, january = bench.ask("stackoverflow").refused
    assert f"line {first}, questions" in march.cause
    assert f"line {second}, questions: 'x'" in march.cause
    assert f"line {second}, observed_on: '2022'" in march.cause
    assert march.cause.endswith("and 1 more")
    assert january.month == date(2023, 1, 1)
    assert f"line {other}" in january.cause


def test_a_bad_row_outside_the_asked_months_does_not_disturb(bench: Bench) -> None:
    bench.edit("stackoverflow", "2022-03-01,keras,", "2022-03-01,keras,-5,m,o,\n")
    answer = bench.ask("stackoverflow", Window.of(date(2023, 1, 1), date(2023, 2, 1)))
    assert answer.failed is None
    assert answer.refused == []
    assert set(answer.months) == {date(2023, 1, 1), date(2023, 2, 1)}


# --- A row whose month cannot be told fails the source, after the months that are good


@pytest.mark.parametrize(
    ("source", "old", "new", "told"),
    [
        ("stackoverflow", "2022-03-01,keras,", "2022-13-01,keras,5,m,o,\n", "'2022-13-01' is not a date"),
        ("stackoverflow", "2022-03-01,keras,", "2022-02-30,keras,5,m,o,\n", "'2022-02-30' is not a date"),
        ("stackoverflow", "2022-03-01,keras,", "2022-03,keras,5,m,o,\n", "'2022-03' is not a date"),
        ("stackoverflow", "2022-03-01,keras,", "2022-03-15,keras,5,m,o,\n", "'2022-03-15' is not the first day"),
        ("stackoverflow", "2022-03-01,keras,", ",keras,5,m,o,\n", "month: empty"),
        ("stackoverflow", "2022-03-01,keras,", "2026-11-01,keras,5,m,o,\n", "2026-11-01 lies after 2026-10"),
        ("stackoverflow", "2022-03-01,keras,", "2015-10-01,keras,5,m,o,\n", "2015-10-01 lies before 2015-11"),
        ("stackoverflow", "2022-03-01,keras,", "keras\n", "'keras' has not as many"),
        ("huggingface", HUB_2024, HUB_2024.replace("2024-05-01", "2014-05-01") + "5,,,m,o,\n", "lies before 2015-11"),
        ("huggingface", HUB_2024, HUB_2024.replace("2024-05-01", "") + "5,,,m,o,\n", "month: empty"),
        ("huggingface", ",1000 most downloaded,,[],", ",1000 most downloaded,,[],-1,,,m,o,\n", "-1 is negative"),
        ("papers", "2015-06-01,nine venues,CVPR,*,", "2015-06-01,nine venues,CVPR,*,,x,,m,o,\n", "'x' is not a whole"),
        ("papers", "2015-06-01,nine venues,CVPR,*,", "2015-06-01,ten venues,CVPR,*,,1,,m,o,\n", "'ten venues'"),
    ],
)
def test_a_row_without_a_place_fails_the_source_after_the_good_months(
    bench: Bench, source: str, old: str, new: str, told: str
) -> None:
    whole = bench.ask(source)
    line = bench.edit(source, old, new)
    answer = bench.ask(source)
    assert answer.failed is not None
    assert told in str(answer.failed)
    assert f"{source} (recorded): {source}.csv line {line}, " in str(answer.failed)
    assert answer.refused == []
    assert set(answer.months) == set(whole.months) - {None}
    assert None not in answer.months, "figures of which one is unfit must not replace those that are kept"


def test_the_open_month_is_not_recorded(bench: Bench) -> None:
    answer = bench.ask("stackoverflow", now=datetime(2023, 5, 31, 23, 59, tzinfo=UTC))
    assert answer.failed is not None
    assert "2023-05-01 lies after 2023-04, the last month that has ended" in answer.failed.cause
    assert max(month for month in answer.months if month) == date(2023, 4, 1)


# --- A file that is no table fails the source, and nothing comes of it


def truncated(body: bytes) -> bytes:
    return body[: body.rindex(b'"')]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda _: b"", "is empty"),
        (lambda body: body.splitlines(keepends=True)[0], "has no row below its header"),
        (lambda body: body.replace(b"tagged", b"tag", 1), "has the header 'month,tag,questions"),
        (lambda body: body.replace(b"month,tagged", b"tagged,month", 1), "has the header 'tagged,month"),
        (lambda body: body.replace(b"2022-03-01,keras", b"2022-03-01,ker\xe9s"), "is not valid UTF-8"),
        (truncated, "is no CSV table from line"),
        (
            lambda _: b"month,tagged,questions,method,origin,observed_on\nx,keras,5,m,o,\n",
            "no line whose month can be told",
        ),
    ],
)
def test_a_file_that_is_no_table_fails_the_source(bench: Bench, spoil: Callable[[bytes], bytes], told: str) -> None:
    path = bench.folder / "stackoverflow.csv"
    path.write_bytes(spoil(path.read_bytes()))
    answer = bench.ask("stackoverflow")
    assert answer.batches == []
    assert answer.refused == []
    assert told in str(answer.failed)
    assert str(answer.failed).startswith("stackoverflow (recorded): stackoverflow.csv ")
    assert str(answer.failed).endswith("; restore it from the repository")
    with pytest.raises(SourceError, match=re.escape(told)):
        bench.reach("stackoverflow")


def test_an_invalid_byte_is_found_at_its_line(bench: Bench) -> None:
    line = bench.edit("stackoverflow", "2022-03-01,keras,", "2022-03-01,ker@s,5,m,o,\n")
    path = bench.folder / "stackoverflow.csv"
    path.write_bytes(path.read_bytes().replace(b"ker@s", b"ker\xe9s"))
    assert f"stackoverflow.csv line {line} is not valid UTF-8" in str(bench.ask("stackoverflow").failed)


def test_a_missing_file_is_named_and_its_folder_is_not(bench: Bench) -> None:
    (bench.folder / "pypi.csv").unlink()
    line = str(bench.ask("pypi").failed)
    assert line == "pypi (recorded): pypi.csv is missing from the recorded figures; restore it from the repository"
    assert bench.ask("stackoverflow").failed is None


def test_a_folder_in_the_place_of_a_file_is_told(bench: Bench) -> None:
    (bench.folder / "pypi.csv").unlink()
    (bench.folder / "pypi.csv").mkdir()
    assert "pypi.csv cannot be read: Is a directory" in str(bench.ask("pypi").failed)


def test_the_same_figures_come_from_a_file_saved_by_a_spreadsheet(bench: Bench) -> None:
    whole = bench.ask("huggingface")
    path = bench.folder / "huggingface.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    again = bench.ask("huggingface")
    assert again.failed is None
    assert again.rows.equals(whole.rows)
