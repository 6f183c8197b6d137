"""The models of a page are the same, read column by column or row by row, whatever form the rows have."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from fw_pipeline.sources.huggingface.hub_models import LISTED, _by_column, _by_row, models_of

NORMAL = {
    "_id": "621ffdc136468d709f17e000",
    "id": "owner/model",
    "createdAt": "2022-10-03T11:12:13.456Z",
    "library_name": "keras",
    "tags": ["PyTorch", "keras", "license:mit", "Keras"],
    "downloads": 7,
    "likes": 0,
    "gated": False,
    "private": False,
}
FORMS: dict[str, list[Any]] = {
    "_id": [None, "", " ", 7, "\ud800", "a\0b", []],
    "id": [None, "", " ", True, "ß/İ", "\ud800", {}],
    "createdAt": [
        *(
            None,
            "",
            "yesterday",
            3.5,
            True,
            1700000000,
            10**30,
            " 2022-10-03T11:12:13.456Z",
            "2022-10-03",
            "20221003T1112Z",
        ),
        *(
            "0001-01-01T00:00:00.000Z",
            "1989-12-31T23:59:59.999Z",
            "1990-01-01T00:00:00.000Z",
            "2100-01-01T00:00:00.000Z",
        ),
        *(
            "2022-02-29T00:00:00.000Z",
            "2022-10-03T23:59:60.000Z",
            "2022-10-03T24:00:00.000Z",
            "2022-10-31T23:00:00-05:00",
        ),
        *("2022-10-03T11:12:13Z", "2022-10-03T11:12:13", "2022-10-03 11:12:13.4Z", "2022-10-03T11:12:13,456Z"),
        *(
            "2022-10-03T11:12:13.1234567Z",
            "2022-10-03T11:12:13.123456+00:00",
            "2022-10-03T11:12Z",
            "2022-W40-1T00:00:00Z",
        ),
    ],
    "library_name": [None, "", " ", 7, "PyTorch", "\u00a0", "\ud800", []],
    "tags": [
        None,
        [],
        ["PyTorch", "PYTORCH", "", "a;b"],
        ["pytorch", 7],
        ["keras", None],
        "keras",
        {},
        ["\u212aeras", "\ud800"],
    ],
    "downloads": [None, 10**12, 10**12 + 1, -1, 2.5, 2.0, "7", " 7 ", "x", True, 10**30, []],
    "likes": [None, 10**12, 10**12 + 1, -1, 2.5, "7", True],
    "gated": [None, True, "auto", "", "a\nb", "x" * 99, 0, 1, 2.5, [1]],
    "private": [None, True, "no", 0, 1, []],
}


@pytest.mark.parametrize(("field", "value"), [(name, value) for name, values in FORMS.items() for value in values])
def test_a_row_that_is_read_by_column_is_read_the_same_by_itself(field: str, value: object) -> None:
    row = json.loads(json.dumps({**NORMAL, field: value}))
    by_row = _by_row([row])
    found = models_of([NORMAL, row, NORMAL])
    assert found.public.height == 2 + by_row.public.height
    assert found.public.slice(1, by_row.public.height).equals(by_row.public)
    assert [cause.partition(": ")[2] for _, _, cause in found.faults] == [
        cause.partition(": ")[2] for _, _, cause in by_row.faults
    ]
    if (by_column := _by_column([row])) is not None:
        assert by_column.public.equals(by_row.public)
        assert (by_column.created, by_column.faults) == (by_row.created, by_row.faults) == (by_row.created, ())


def test_a_page_of_rows_in_many_forms_is_read_the_same_both_ways() -> None:
    chance = random.Random(7)
    usual = {name: [it for it in forms if _by_column([{**NORMAL, name: it}])] for name, forms in FORMS.items()}
    odd = {name: forms for name, forms in usual.items() if forms}
    rows = [{**NORMAL, **{name: chance.choice(odd[name]) for name in odd if chance.random() < 0.3}} for _ in range(500)]
    rows += [{name: row[name] for name in ("_id", "id", "createdAt")} for row in rows[:9]]
    by_column, by_row = _by_column(rows), _by_row(rows)
    assert by_column is not None
    assert by_column.public.schema == by_row.public.schema == LISTED
    assert by_column.public.equals(by_row.public)
    assert 0 < by_column.public.height < len(rows)
    assert by_column.created == by_row.created


def test_a_page_as_the_hub_gives_it_is_read_by_column() -> None:
    rows: list[dict[str, Any]] = [NORMAL, {**NORMAL, "_id": "b", "gated": "auto", "private": True}]
    rows += [{**NORMAL, "_id": "c", "tags": None, "library_name": "", "gated": "manual"}]
    found = _by_column(rows)
    assert found is not None
    moment = datetime(2022, 10, 3, 11, 12, 13, 456000, UTC)
    month = moment.date().replace(day=1)
    assert found.public.rows() == [
        (NORMAL["_id"], "owner/model", moment, "keras", "keras;pytorch", "no", 7, 0, month, False),
        ("c", "owner/model", moment, None, "", "manual", 7, 0, month, True),
    ]
    assert found.created == ((1, moment), (2, moment), (3, moment))
    assert models_of([]).public.is_empty()


def test_half_a_character_is_no_name() -> None:
    (fault,) = models_of([{**NORMAL, "id": "\ud800"}]).faults
    assert fault.cause.startswith("model 1 of the page, ")
    assert fault.cause.endswith("field id is '\\ud800', not a text")
