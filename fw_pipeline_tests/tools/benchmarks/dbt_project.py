"""The SQL models as a project of dbt, so that dbt can build the same tables: `python -m ...dbt_project DATA FOLDER`.

DATA is a data folder with a published file; FOLDER gets the project, and a DuckDB file with everything that the models
read and that none of them makes. The SQL is the models' own, to the letter: what each reads stands above it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from fw_pipeline.transform import MEASUREMENTS, Model
from fw_pipeline.transform.claims import build_steps, measurement_columns
from fw_pipeline_tests.tools.benchmarks.bare import models

PROJECT = {
    "name": "same_tables",
    "version": "1.0.0",
    "profile": "duckdb",
    "models": {"+materialized": "table"},
    "flags": {"send_anonymous_usage_stats": False},
}
PROFILE = {
    "type": "duckdb",
    "path": "{{ env_var('FW_DATA_DIR') }}/warehouse.duckdb",
    "threads": 1,
    "settings": {"TimeZone": "UTC"},
}
SCHEMA_NAME = """{% macro generate_schema_name(custom_schema_name, node) %}{{ custom_schema_name }}{% endmacro %}
"""
"""A model's schema is called as we call it, without that of the profile before it."""


def project(known: Sequence[Model]) -> dict[str, str]:
    """Return the files of the project by their paths: each model and its `not_null` tests, one per column.

    Raises:
        ValueError: a model's SQL has what dbt would take for its own marks.
    """
    steps = dict(build_steps(known))
    reads = {model.name: model.upstream for model in known}
    reads[MEASUREMENTS] = tuple(model.name for model in known if model.doc.claim)
    filled = {model.name: [it for it, column in model.doc.columns.items() if not column.nullable] for model in known}
    filled[MEASUREMENTS] = [it for it, column in measurement_columns(known).items() if not column.nullable]
    files = {
        "dbt_project.yml": _yaml(PROJECT),
        "profiles.yml": _yaml({"duckdb": {"target": "here", "outputs": {"here": PROFILE}}}),
        "macros/generate_schema_name.sql": SCHEMA_NAME,
        "models/tests.yml": _yaml(
            {
                "models": [
                    {"name": _named(name), "columns": [{"name": it, "data_tests": ["not_null"]} for it in columns]}
                    for name, columns in filled.items()
                ]
            }
        ),
    }
    for name, sql in steps.items():
        if any(mark in sql for mark in ("{{", "{%", "{#")):
            raise ValueError(f"{name} has what dbt would take for Jinja")
        schema, _, table = name.partition(".")
        above = [f"{{{{ config(schema='{schema}', alias='{table}') }}}}"]
        above += [f"-- depends_on: {{{{ ref('{_named(it)}') }}}}" for it in reads[name] if it in steps]
        files[f"models/{_named(name)}.sql"] = "\n".join([*above, sql])
    return files


def write(data: Path, folder: Path, known: Sequence[Model]) -> None:
    """Write the project, and the DuckDB file that it begins with."""
    for name, content in project(known).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    published = str(data / "warehouse.duckdb").replace("'", "''")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute(f"attach '{published}' as published (read_only)")
        connection.execute("copy from database published to warehouse")
        for name, _ in build_steps(known):
            connection.execute(f"drop table {name}")
        connection.execute("detach published")


def _named(relation: str) -> str:
    """Return a name of which dbt has only one: it knows no schemas in references."""
    return relation.replace(".", "__")


def _yaml(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2)  # JSON is YAML


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]), models())
