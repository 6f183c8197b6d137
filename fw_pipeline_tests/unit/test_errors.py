"""Errors: one line that names what, month, cause and remedy, with its parts intact across a process border."""

from __future__ import annotations

import pickle
from datetime import date

import pytest

from fw_pipeline.errors import MonthRejected, PipelineError, SourceError
from fw_pipeline.months import Window


@pytest.mark.parametrize("kind", [PipelineError, MonthRejected, SourceError])
def test_an_error_is_one_line_that_names_what_month_cause_and_remedy(kind: type[PipelineError]) -> None:
    error = kind("stackoverflow api", "HTTP 503\nwith a page", "try again later", month=date(2023, 1, 1))
    assert str(error) == "stackoverflow api 2023-01: HTTP 503 with a page; try again later"


def test_a_range_of_months_and_no_month_are_written_as_such() -> None:
    year = Window(date(2022, 1, 1), date(2023, 1, 1))
    assert str(PipelineError("pypi", "down", "wait", month=year)) == "pypi 2022-01 to 2022-12: down; wait"
    assert str(PipelineError("pypi", "down", "wait")) == "pypi: down; wait"


def test_an_error_survives_a_process_border_with_its_kind_and_parts() -> None:
    error = MonthRejected("papers arxiv", "no entries", "report it", month=date(2020, 5, 1))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is MonthRejected
    assert (again.subject, again.cause, again.remedy, again.month, str(again)) == (
        error.subject,
        error.cause,
        error.remedy,
        error.month,
        str(error),
    )


def test_a_cause_of_any_length_is_cut() -> None:
    assert len(str(PipelineError("x", "y" * 100_000, "z" * 100_000))) < 2_000
