"""The verdicts on the command line: on all claims, on one, and as of a month."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.command import called


def test_verdicts_answer_as_a_table_as_json_and_as_csv(recorded_once: Path) -> None:
    table = called(recorded_once, "verdicts")
    assert (table.status, "C2" in table.out) == (0, True)
    assert "last: refuted 2023-05" in table.out, "the last verdict that figures carried"
    as_json = json.loads(called(recorded_once, "verdicts", "--format", "json").out)
    as_csv = list(csv.DictReader(io.StringIO(called(recorded_once, "verdicts", "--format", "csv").out)))
    assert [row["claim"] for row in as_json] == [row["claim"] for row in as_csv]
    assert {row["verdict"] for row in as_json} <= {
        "supported", "refuted", "mixed", "not_yet", "came_true", "insufficient_data", "not_measurable",
    }  # fmt: skip
    last = next(row for row in as_json if row["claim"] == "C2")
    assert (last["verdict"], last["carried_verdict"], last["carried_measured"]) == (
        "insufficient_data", "refuted", "2023-05-01",
    )  # fmt: skip


def test_the_verdicts_fit_80_columns_and_say_what_decided_without_contradicting_themselves(
    recorded_once: Path,
) -> None:
    lines = called(recorded_once, "verdicts").out.splitlines()
    assert lines[1].split() == ["claim", "title", "verdict", "figures", "of", "why"]
    assert max(map(len, lines)) <= 80
    headlines = json.loads(called(recorded_once, "verdicts", "--format", "json").out)
    for row in headlines:
        [line] = [line for line in lines if line.split()[:1] == [row["claim"]]]
        agreeing = {"supported": "sources_for", "came_true": "sources_for", "refuted": "sources_against"}
        if row["verdict"] in agreeing:
            cast = sum(len(row[f"sources_{vote}"]) for vote in ("for", "against", "mixed"))
            assert f"{len(row[agreeing[row['verdict']]])} of {cast} source" in line
            assert row["measured"][:7] in line
        else:
            assert " of " not in line.partition("not ")[2], line
    [predicted] = [line for line in lines if line.startswith("C25 ")]
    assert "came true        2026-06     1 of 1 source; since" in predicted


def test_one_claim_begins_with_quote_sentence_and_the_verdicts_of_then_and_now(recorded_once: Path) -> None:
    told = called(recorded_once, "verdicts", "--claim", "C2").out
    assert max(map(len, told.splitlines())) <= 80
    first = " ".join(told.partition("By each definition")[0].split())
    as_of = query(recorded_once / "warehouse.duckdb", "select max(as_of) from marts.headline_verdicts").item()
    last = f"{as_of:%Y-%m}"  # the last month that was closed when the run was made
    assert first.startswith(
        "C2 Twice as many questions on TensorFlow as on PyTorch "
        'said "almost twice as many questions about StackOverflow every month as PyTorch" '
        "in short No verdict: the last figures that decide are of May 2023, when it was refuted: 1.02 questions"
    )
    assert (
        " 2023-01 refuted by figures of 2023-01; 1 of 1 source (the article appeared in this month)"
        f" {last} not enough data; last: refuted 2023-05 judged by The article speaks of" in first
    )
    then = called(recorded_once, "verdicts", "--claim", "C2", "--as-of", "2023-01").out
    assert "in short   Refuted: 1.33 questions on TensorFlow for each one on PyTorch" in then
    assert then.count("refuted by figures of 2023-01") == 1
    assert "votes      against stackoverflow" in then
    models = called(recorded_once, "verdicts", "--claim", "C11", "--as-of", "2025-04").out
    assert "\N{GREATER-THAN OR EQUAL TO} 0.9316" in models
    assert "A sample: " in models, "what keeps a definition from deciding is a note below"


def test_a_figure_that_is_too_old_is_shown_and_said_to_be(recorded_once: Path) -> None:
    record = json.loads(called(recorded_once, "verdicts", "--claim", "C2", "--format", "json").out)
    assert {(row["as_of"], row["verdict"], row["counts"]) for row in record} == {("2023-05-01", "refuted", False)}
    assert "refuted (old)" in called(recorded_once, "verdicts", "--claim", "C2").out


def test_verdicts_as_of_a_month_are_those_of_that_month(recorded_once: Path) -> None:
    def headline(as_of: str) -> str:
        found = json.loads(called(recorded_once, "verdicts", "--as-of", as_of, "--format", "json").out)
        return str(next(row["verdict"] for row in found if row["claim"] == "C2"))

    assert headline("2022-06") == "supported"
    assert headline("2023-01") == "refuted"
    never = called(recorded_once, "verdicts", "--as-of", "2014-01", "--claim", "C2", "--explain")
    assert (never.status, never.out) == (1, "")
    assert "claim 2014-01: no verdict is given as of this month; choose a month from 2015-11 to" in never.err
