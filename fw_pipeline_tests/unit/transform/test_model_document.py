"""What the document of a model or a claim must say: each way to get one wrong is one line that names the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from fw_pipeline_tests.support.model_files import CLAIM, DOC, one, put, refused


@pytest.mark.parametrize(
    ("doc", "words"),
    [
        ("description: [", "not valid YAML"),
        ("", "expected keys with values here"),
        (DOC.replace("grain: [month]", ""), "lacks grain"),
        (DOC + "tests: []\n", "unknown key tests"),
        (DOC + "owner: a\nowner: b\n", "the key owner stands there twice"),
        (DOC.replace("type: DATE, description", "description"), "columns.month: lacks type"),
        (DOC.replace("type: DATE,", "type: DATE, nulable: true,"), "unknown key nulable"),
        (DOC.replace("type: DATE,", "type: DATE, nullable: perhaps,"), "neither true nor false"),
        (DOC.replace("grain: [month]", "grain: [day]"), "the grain names day, which is no column"),
        (
            DOC.replace("expectations: []", "expectations: [{type: expect_x, column: month}]"),
            "lacks its type or reason",
        ),
        (DOC.replace("given: {}", "given: {meta.months: []}"), "gives meta.months, which the SQL does not read"),
        (DOC.replace("expect: []", "expect: [{day: 1}]"), "expects day, which is no column"),
        (DOC.replace("expect: []", "expect: [1]"), "examples.1.expect.1: 1 is not a row; write rows as"),
        (DOC.partition("  - {name")[0], "has nothing in examples; write a value, or leave the key out"),
        (DOC.replace("expectations: []", "expectations: none"), "expectations: is not a list; write a list"),
        (DOC.replace("description: What it is.", "description: 7"), "description: is not a text; write a sentence"),
        (DOC.replace("given: {}", "given: []"), "given: expected names with values here"),
        (DOC.partition("  - {name")[0] + "  []\n", "examples: is empty; write at least one"),
        (DOC + CLAIM, "unknown key claim"),
    ],
)
def test_a_document_that_is_wrong_is_refused(tmp_path: Path, doc: str, words: str) -> None:
    put(tmp_path, "staging/x", doc=doc)
    line = refused(tmp_path)
    assert words in line
    assert "staging" in line


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("", "lacks claim"),
        (CLAIM.replace("rule: at least", "rule: roughly"), "'roughly' is not known; one of: at least"),
        (CLAIM.replace("threshold: 1.75", "threshold: some"), "'some' is not a number"),
        (CLAIM.replace("least_n: 30", "least_n: -1"), "-1 is not a count"),
        (CLAIM.replace("rule: at least", "rule: between"), "`upper` goes with the rule `between`"),
        (CLAIM.replace("kind: measured", "kind: not_measurable"), "says not_measurable without a reason"),
        (CLAIM.partition("  definitions:")[0] + "  definitions: []\n", "is measured by no definition"),
        (CLAIM.replace(", threshold_reason: r", ""), "lacks threshold_reason"),
        (CLAIM + CLAIM.partition("  definitions:\n")[2], "defines one formula twice"),
        (CLAIM.replace("  judged_by: its own chart\n", ""), "does not say what it is judged by"),
        (CLAIM.replace("{value} x", "x"), "is of the headline and says nothing"),
        (CLAIM.replace("headline: true", "headline: true, due: null"), "has nothing in due; write a value, or leave"),
        (CLAIM.replace("headline: true", "headline: true, due: soon"), "'soon' is no day; write a day, as 2028-01-01"),
        (CLAIM.replace("headline: true", "headline: true, due: 2028-01-01 00:00:00"), "is no day; write a day, as"),
        (CLAIM.replace("headline: true", "headline: 1"), "definitions.1.headline: 1 is neither true nor false"),
        (CLAIM.replace("1.75", ".inf"), "definitions.1.threshold: inf is not a number"),
    ],
)
def test_a_claim_without_its_terms_is_refused(tmp_path: Path, claim: str, words: str) -> None:
    put(tmp_path, "claims/c02_x", "select month from meta.months", DOC + claim)
    line = refused(tmp_path)
    assert words in line
    assert "claims/c02_x.yml" in line


def test_a_claim_says_what_decides_it(tmp_path: Path) -> None:
    claim = one(tmp_path, "select month from meta.months", DOC + CLAIM, "claims/c02_x").doc.claim
    assert claim is not None
    assert (claim.id, claim.sources, claim.kind) == ("C2", ("stackoverflow",), "measured")
    assert (claim.definitions[0].rule, claim.definitions[0].threshold, claim.definitions[0].least_n) == (
        "at least",
        1.75,
        30,
    )
