"""What `make fuzz` found: each input ended in an error that was no refusal, or held a reader up."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.errors import PipelineError
from fw_pipeline.http import InvalidResponse, strict_json, utc_moment
from fw_pipeline.months import parse_month
from fw_pipeline.raw import EvidenceStore, VintageStore
from fw_pipeline.settings import read
from fw_pipeline.settings_values import SettingError
from fw_pipeline.sources.stackoverflow.posts_xml import NotPosts, Posts
from fw_pipeline.text import one_line, shown
from fw_pipeline.transform import project
from fw_pipeline.transform.model_document import read_doc, read_shared
from fw_pipeline.warehouse import scan
from fw_pipeline_tests.support.dumps import HEAD, row
from fw_pipeline_tests.support.relations import FOLDER

NOW = datetime(2023, 7, 5, 6, 0, tzinfo=UTC)


def test_a_number_of_five_thousand_digits_is_refused_and_not_an_error_of_python() -> None:
    with pytest.raises(InvalidResponse, match="a number has too many digits"):
        strict_json('{"total": ' + "9" * 5000 + "}")
    assert strict_json("9" * 400) == int("9" * 400)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_leaves_the_calendar_in_utc_is_refused(text: str) -> None:
    with pytest.raises(InvalidResponse, match=r"field date is .* not a date"):
        utc_moment(text, "date")


def test_a_value_nested_as_deep_as_json_allows_can_be_shown() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    assert len(shown(value)) <= 60
    while isinstance(value, list):  # or its end would be as deep
        value = value.pop()


def test_a_question_with_an_id_of_five_thousand_digits_is_no_question() -> None:
    xml = HEAD + row(1, 1, "2022-01-01T00:00:00.000", ["keras"]).replace('Id="1"', f'Id="{"9" * 5000}"', 1)
    with pytest.raises(NotPosts, match="lacks Id or CreationDate"):
        Posts(frozenset({"keras"})).feed(xml.encode() + b"<row ")


def test_a_refusal_is_one_printable_line_whatever_the_service_said() -> None:
    reason = PipelineError(
        "pypi\x1b[31m", "said \x0e\u202e\x9b2J\nand " + "x" * 10_000, "look\x07 again\r\n", month=None
    )
    assert str(reason).isprintable()
    assert len(str(reason)) < 2000
    assert one_line("a\nb\x00c\u2066d") == "a b c d"


@pytest.mark.parametrize("line", ["FW_DATA_DIR=" + "x" * 300, "FW_DATA_DIR=~nobody-of-that-name/x", "HF_TOKEN=\udcff"])
def test_a_settings_file_that_is_not_utf8_or_names_no_folder_is_a_wrong_setting(tmp_path: Path, line: str) -> None:
    (tmp_path / "env").write_bytes(line.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingError, match=r"FW_DATA_DIR|cannot be read"):
        read({}, dotenv=tmp_path / "env")


@pytest.mark.parametrize(
    "spoilt",
    [
        {"at": "2023-07-05T06:00:00"},  # of no zone
        {"at": "yesterday"},
        {"ref": "../outside"},
        {"ref": "/etc/passwd"},
        {"ref": "evidence/../../outside"},
        {"ref": "evidence/" + "x" * 300},
        {"ref": "evidence/\0"},
        {"ref": 9},
    ],
)
def test_a_note_of_the_journal_that_is_none_is_an_answer_that_is_asked_for_again(
    tmp_path: Path, spoilt: dict[str, Any]
) -> None:
    (tmp_path / "outside").write_text("not evidence", encoding="utf-8")
    store = EvidenceStore(tmp_path / "data", "pypi", "pypistats", run_id="r1", now=NOW)
    kept = store.keep("GET x", b"body", name="x")
    journal = store.folder / "requests.ndjson"
    note = {"request": "GET x", "ref": kept.ref, "at": NOW.isoformat()} | spoilt
    journal.write_text(f"{json.dumps({'begun': NOW.isoformat()})}\n{json.dumps(note)}\n" + "[" * 100_000)
    again = EvidenceStore(tmp_path / "data", "pypi", "pypistats", run_id="r2", now=NOW)
    assert again.folder == store.folder
    assert again.find("GET x") is None


@pytest.mark.parametrize("begun", ['"2023-07-05T06:00:00"', '"soon"', "9" * 5000, "null"])
def test_a_journal_that_began_at_no_time_is_not_gone_on_with(tmp_path: Path, begun: str) -> None:
    folder = tmp_path / "evidence" / "pypi" / "pypistats" / "r1"
    folder.mkdir(parents=True)
    (folder / "requests.ndjson").write_text(f'{{"begun": {begun}}}\n')
    assert EvidenceStore(tmp_path, "pypi", "pypistats", run_id="r2", now=NOW).folder.name == "r2"


@pytest.mark.parametrize(
    "name",
    [
        "2023-01/2023-r.parquet",
        "2023-13/20230705T060000000000Z-r.parquet",
        "lost+found/20230705T060000000000Z-r.parquet",
        "2023-01-01/20230705T060000000000Z-r.parquet",
        "0000-01/20230705T060000000000Z-r.parquet",
        "2023-01/20230705T060000000000Z.parquet.bak",
        "2023-01/soon.statement.json",
        "notes/20230705T060000000000Z.statement.json",
        "2023-01/2023\udcff.parquet",
    ],
)
def test_a_file_of_somebody_else_among_the_vintages_is_left_alone(tmp_path: Path, name: str) -> None:
    path = tmp_path / "raw" / "pypi" / name
    path.parent.mkdir(parents=True)
    path.touch()
    store = VintageStore(tmp_path)
    assert (store.vintages("pypi"), store.statements("pypi")) == ([], [])
    assert store.listing("pypi")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'{"provider": "p"}', b"[" * 100_000, b'{"status": "ok"}'])
def test_a_damaged_statement_is_named_with_the_remedy(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "raw" / "pypi" / "2023-01" / "20230705T060000000000Z.statement.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(body)
    with pytest.raises(StorageError, match=r"^pypi 2023-01: .*20230705T060000000000Z.*; delete that file"):
        VintageStore(tmp_path).statements("pypi")


LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))


@pytest.mark.parametrize(
    "document",
    [
        "a: &a [*a]",
        "&a {a: *a}",
        LAUGHS,
        LAUGHS.replace("a59:", "expectations:"),
        "a: 2022-13-45",
        "a: " + "9" * 5000,
        "[" * 5000,
        "\x00",
    ],
)
def test_a_document_that_turns_in_circles_or_grows_without_end_is_refused(tmp_path: Path, document: str) -> None:
    path = tmp_path / "x.yml"
    path.write_text(document, encoding="utf-8")
    with pytest.raises(PipelineError, match=r"not valid YAML|expected keys|lacks"):
        read_doc(path, is_claim=False)


@pytest.mark.parametrize("threshold", [".nan", ".inf", "1" + "0" * 400, "true"])
def test_a_threshold_that_is_no_number_is_refused(tmp_path: Path, threshold: str) -> None:
    true = (FOLDER / "claims" / "c02_twice_the_questions.yml").read_text(encoding="utf-8")
    lines = [f"{line.split(':')[0]}: {threshold}" if " threshold:" in line else line for line in true.splitlines()]
    shared = read_shared(FOLDER / "claims.yml")
    path = tmp_path / "c.yml"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(PipelineError, match=r"threshold: .* is not a number"):
        read_doc(path, is_claim=True, shared=shared, yields=shared.required)


DEEP = {"(": ")", "[": "]", "case when a then ": " end", "abs(": ")", "not ": "", "- ": ""}


@pytest.mark.parametrize(("opening", "closing"), DEEP.items())
def test_sql_that_is_nested_without_end_is_refused(opening: str, closing: str) -> None:
    with pytest.raises(PipelineError, match=r"^marts/x.sql: (is nested too deeply|not valid SQL)"):
        project._parsed("marts/x.sql", f"select {opening * 100_000}1{closing * 100_000}")


def test_the_year_nought_is_no_month() -> None:
    with pytest.raises(ValueError, match="'0000-01' is not a month"):
        parse_month("0000-01")
    assert parse_month("0001-01") == date(1, 1, 1)


def test_a_packed_file_that_unpacks_to_a_hundred_times_its_size_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.json.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(b'[{"a": "')
        for _ in range(100):
            stream.write(b"x" * 2**20)
        stream.write(b'"}]')
    with pytest.raises(ValueError, match="maximum_object_size"):
        scan("select count(*) from read_json($f)", {"f": str(path)})
