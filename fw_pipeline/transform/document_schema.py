"""The JSON schemas of the documents in `dbt_like_sql/`, by which editors complete, explain and check them.

Written by `python -m fw_pipeline.transform.document_schema` from the classes that read the documents; how an editor
finds them is in `dbt_like_sql/schemas/README.md`.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from inspect import getsource
from typing import Any

from fw_pipeline.paths import SHIPPED_DIR
from fw_pipeline.quality import FAILING_ROWS, TYPES
from fw_pipeline.transform.model_document import ClaimDocument, Shared, TableDocument
from fw_pipeline.transform.seed_document import SeedDocument
from fw_pipeline.transform.yaml_document import Strict

FOLDER = SHIPPED_DIR / "dbt_like_sql" / "schemas"

DOCUMENTS: Mapping[str, type[Strict]] = {
    "model": TableDocument,
    "claim": ClaimDocument,
    "shared": Shared,
    "seed": SeedDocument,
}
"""The class that reads each kind of document."""


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON schema of a kind of document."""
    found = _plain(DOCUMENTS[kind].model_json_schema())
    classes = {each.__name__: each for each in _below(Strict)}
    for name, part in {DOCUMENTS[kind].__name__: found, **found.get("$defs", {})}.items():
        for key, words in _explained(classes[name]).items():
            part["properties"][key]["description"] = words
    if "expectations" in found["properties"]:
        found["properties"]["expectations"]["items"] = _expectation()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def text(kind: str) -> str:
    """Return the schema as it is kept in its file."""
    return json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"


def _below(kind: type[Strict]) -> set[type[Strict]]:
    return {kind}.union(*(_below(each) for each in kind.__subclasses__()))


def _plain(part: Any) -> Any:
    """Leave out titles, which repeat the key, and the null that stands for a key that is left out."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {
        key: _plain(value)
        for key, value in part.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
    }
    some = [one for one in kept.pop("anyOf", []) if one != {"type": "null"}]
    return kept | (some[0] if len(some) == 1 else {"anyOf": some} if some else {})


def _explained(kind: type[Strict]) -> dict[str, str]:
    """Return what is written below each field of a class, and of those that it extends."""
    found: dict[str, str] = {}
    for each in reversed([one for one in kind.__mro__ if one in _below(Strict)]):
        body = ast.parse(getsource(each)).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, below in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                found[field.target.id] = " ".join(str(below.value.value).split())
    return found


def _expectation() -> dict[str, Any]:
    takers: dict[str, list[str]] = {}
    for kind, takes in sorted(TYPES.items()):
        for argument in takes.replace("!", "").split():
            takers.setdefault(argument, []).append(kind)
    return {
        "description": "A rule: a type of Great Expectations with its arguments, or a query for failing rows.",
        "type": "object",
        "required": ["type", "reason"],
        "properties": {
            "type": {"enum": sorted(TYPES), "description": f"{FAILING_ROWS}: `sql` returns the rows that break it."},
            "reason": {"type": "string", "description": "Why the rule holds."},
            "name": {"type": "string", "description": "Needed by a query; else made of the arguments."},
            "severity": {"enum": ["critical", "warning", "info"], "description": "Only a critical rule blocks."},
            **{argument: {"description": f"Of {', '.join(kinds)}."} for argument, kinds in sorted(takers.items())},
        },
        "additionalProperties": False,
    }


def main() -> None:
    """Write every schema to its file."""
    for kind in DOCUMENTS:
        (FOLDER / f"{kind}.schema.json").write_text(text(kind), encoding="utf-8")


if __name__ == "__main__":
    main()
