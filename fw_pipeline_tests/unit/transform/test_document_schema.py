"""The JSON schemas that editors use: they are what the code makes, and every document fits its schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from fw_pipeline.transform.document_schema import DOCUMENTS, FOLDER, schema, text

SQL = FOLDER.parent
KINDS = {"claims": "claim", "marts": "model", "meta": "model", "staging": "model", "seeds": "seed"}


def loaded(path: Path) -> Any:
    """Return a document as an editor sees it: dates are texts."""
    return json.loads(json.dumps(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader), default=str))


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_schema_in_the_repository_is_the_one_that_the_code_makes(kind: str) -> None:
    remedy = "run: python -m fw_pipeline.transform.document_schema"
    assert (FOLDER / f"{kind}.schema.json").read_text(encoding="utf-8") == text(kind), remedy


@pytest.mark.parametrize("folder", [*KINDS, ""])
def test_every_document_fits_its_schema(folder: str) -> None:
    validator = jsonschema.Draft202012Validator(schema(KINDS.get(folder, "shared")))
    documents = sorted((SQL / folder).glob("*.yml"))
    assert documents
    assert {path.name: [wrong.message for wrong in validator.iter_errors(loaded(path))] for path in documents} == {
        path.name: [] for path in documents
    }


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.update(grian=["month"]),
        lambda document: document["claim"].update(kind="perhaps"),
        lambda document: document["claim"]["definitions"][0].update(threshold="two"),
        lambda document: document["claim"]["definitions"][0].pop("least_n"),
        lambda document: document["expectations"].append({"type": "expect_nothing", "reason": "none"}),
        lambda document: document.update(examples=[]),
        lambda document: document.update(owner=None),
    ],
)
def test_what_the_code_refuses_an_editor_marks(spoil: Callable[[Any], None]) -> None:
    document = loaded(SQL / "claims" / "c02_twice_the_questions.yml")
    spoil(document)
    assert list(jsonschema.Draft202012Validator(schema("claim")).iter_errors(document))


def test_keys_are_explained() -> None:
    definition = schema("claim")["$defs"]["Definition"]["properties"]
    assert definition["says"]["description"].startswith("What the value says, as a clause")
    assert definition["upper"] == {"type": "number"}
    assert "description" in schema("seed")["properties"]["rows_from"]
