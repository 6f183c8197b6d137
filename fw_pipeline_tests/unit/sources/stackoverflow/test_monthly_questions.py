"""Counts of questions become months: tags are asked for once each, and what cannot be true is no figure."""

from __future__ import annotations

import re
from datetime import date

from fw_pipeline.catalog.frameworks import TAGS, Tag
from fw_pipeline.sources.stackoverflow.monthly_questions import TABLE, carriers, contradiction, month_rows, names_of


def test_counts_that_cannot_be_true_together_are_told_apart_from_those_that_can() -> None:
    ever = {"tensorflow": 80_000, "java": 1_900_000}
    good = {"*": 120_000, "tensorflow": 739, "pytorch": 0, "tensorflow;java": 12, "jax;java": 3}
    assert contradiction(good, ever) is None
    assert contradiction({"*": 5, "tensorflow": 5}, ever) is None
    cases = [
        ({"*": 0}, "the whole site has no question"),
        ({"*": 5}, "tensorflow has 739 .* the whole site has 5"),
        ({"tensorflow": 120_000}, "the whole site has 120,000"),
        ({"tensorflow": 80_000}, "tensorflow has 80,000 .* it has in all time 80,000"),
        ({"tensorflow;java": 739}, "tensorflow;java has 739 .* tensorflow has 739"),
    ]
    for change, words in cases:
        assert re.search(words, contradiction({**good, **change}, ever) or "")


def test_every_tag_is_asked_for_once_and_what_is_counted_carries_one_that_is_listed() -> None:
    tags = (Tag("java;keras", "keras", "language"), Tag("keras", "keras", "core"), Tag("jax;java", "jax", "language"))
    assert names_of(tags) == ("java", "keras", "jax")
    assert carriers(tags) == ("keras", "jax")
    assert all({*tag.tagged.split(";")} & {*carriers(TAGS)} for tag in TAGS)


MAY, JUNE = date(2023, 5, 1), date(2023, 6, 1)
OF_MAY = {"*": 900, "keras": 7}


def test_rows_of_a_month_are_those_of_the_raw_table() -> None:
    frame = month_rows(MAY, OF_MAY, origin="somebody", observed_on=JUNE)
    assert frame.schema == TABLE.schema
    assert frame.select("month", "tagged", "questions", "method", "observed_on").rows() == [
        (MAY, "*", 900, "counted", JUNE),
        (MAY, "keras", 7, "counted", JUNE),
    ]
