"""Cells of a CSV file are typed as its columns say, and a bad line is told with its file and number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.catalog.seed_csv import TYPES, read_csv
from fw_pipeline.errors import PipelineError


@dataclass(frozen=True)
class Column:
    """What the cells of a column must be."""

    type: str
    nullable: bool = False
    values: tuple[str, ...] | None = None


def written(folder: Path, text: str) -> Path:
    path = folder / "seeds" / "x.csv"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return path


def test_every_type_is_read_from_its_text_and_an_empty_cell_is_none(tmp_path: Path) -> None:
    cells: dict[str, tuple[str, Any]] = {
        "VARCHAR": (" text", " text"),
        "DATE": ("2020-02-29", date(2020, 2, 29)),
        "DOUBLE": ("1e3", 1000.0),
        "BIGINT": ("-7", -7),
        "BOOLEAN": ("true", True),
        "TIMESTAMP WITH TIME ZONE": ("2023-03-26 08:32:22", datetime(2023, 3, 26, 8, 32, 22, tzinfo=UTC)),
        "VARCHAR[]": ("a;b", ["a", "b"]),
    }
    assert cells.keys() == TYPES.keys()
    lines = [",".join(cells), ",".join(text for text, _ in cells.values()), "," * (len(cells) - 1)]
    rows = read_csv(written(tmp_path, "\n".join(lines)), {kind: Column(kind, nullable=True) for kind in cells})
    assert rows == [{kind: value for kind, (_, value) in cells.items()}, dict.fromkeys(cells)]


@pytest.mark.parametrize(
    ("kind", "cell", "says"),
    [
        ("DATE", "2021-11-31", "x is '2021-11-31', which is not a date, YYYY-MM-DD"),
        ("DOUBLE", "inf", "x is 'inf', which is not a number"),
        ("BIGINT", "1.0", "x is '1.0', which is not a whole number"),
        ("BIGINT", "9" * 19, "which is not a whole number"),
        ("BOOLEAN", "yes", "x is 'yes', which is not true or false"),
        ("TIMESTAMP WITH TIME ZONE", "2020-01-01 00:00:00+01:00", "which is not a time in UTC"),
        ("VARCHAR[]", "a;;b", "x is 'a;;b', which is not a list, a;b"),
        ("VARCHAR", "", "x is empty"),
        ("VARCHAR", "a,b", "has not as many cells as the header, 1"),
    ],
)
def test_a_bad_cell_is_told_with_its_file_and_line(tmp_path: Path, kind: str, cell: str, says: str) -> None:
    path = written(tmp_path, f'x\n"{cell}"\n' if "," not in cell else f"x\n{cell}\n")
    with pytest.raises(PipelineError) as raised:
        read_csv(path, {"x": Column(kind)})
    assert str(raised.value).startswith("seeds/x.csv line 2: ")
    assert says in str(raised.value)
    assert str(raised.value).endswith("; correct the line, or restore the file from the repository")


def test_rows_keep_the_values_the_keys_and_the_rule_that_they_must(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\nx,1\ny,1\n")
    columns = {"a": Column("VARCHAR", values=("x", "y")), "b": Column("BIGINT")}
    assert len(read_csv(path, columns, unique=[["a"], ["a", "b"]])) == 2
    with pytest.raises(PipelineError, match=r"line 3: \(1\) is in line 2 already"):
        read_csv(path, columns, unique=[["a"], ["b"]])
    with pytest.raises(PipelineError, match="line 3: no y here"):
        read_csv(path, columns, rule=lambda row: "no y here" if row["a"] == "y" else None)
    with pytest.raises(PipelineError, match="line 3: a is 'y', not one of: x; correct"):
        read_csv(path, {**columns, "a": Column("VARCHAR", values=("x",))})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (None, "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"", "has the columns '', not 'a'"),
        (b"b\n", "has the columns 'b', not 'a'"),
    ],
)
def test_a_file_that_is_no_such_table_is_to_be_restored(tmp_path: Path, body: bytes | None, says: str) -> None:
    path = written(tmp_path, "")
    path.unlink() if body is None else path.write_bytes(body)
    with pytest.raises(PipelineError) as raised:
        read_csv(path, {"a": Column("VARCHAR")})
    assert says in str(raised.value)
    assert str(raised.value).endswith("; restore it from the repository")
