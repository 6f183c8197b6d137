"""Documentation is held to the code: what it lists exists, what exists is listed, and its queries run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fw_pipeline import definitions
from fw_pipeline.report.answer import answer
from fw_pipeline.settings import OBJECT_STORE, known
from fw_pipeline.sources import SETTINGS, SOURCES
from fw_pipeline.transform.seeds import seeds
from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.relations import models

ROOT = Path(__file__).parents[2]
README, LIVE, TABLES = (
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/live.md", "docs/tables.md")
)


@pytest.mark.parametrize("source", SOURCES)
def test_the_guide_lists_every_provider_with_its_own_description(source: str) -> None:
    for provider in SOURCES[source].providers.values():
        live = " (live)" if provider.name in SOURCES[source].live.split("+") else ""
        row = f"| {source} | `{provider.name}`{live} | {provider.answers} | {provider.cost} | {provider.needs} | "
        assert f"{row}{provider.cannot_see} |" in LIVE, provider.name


def test_every_setting_is_in_the_example_file_and_no_other() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = set(re.findall(r"^#?([A-Z][A-Z_]+)=", text, re.MULTILINE))
    assert {name for name in listed if not name.startswith(OBJECT_STORE)} == known()
    for name, setting in SETTINGS.items():
        given = "" if setting.of_files else setting.default
        assert f"# {setting.meaning}\n#{name}={given}\n" in text, name


def test_every_asset_group_and_source_of_the_guide_exists() -> None:
    keys = {key.to_user_string() for key in definitions.defs().resolve_asset_graph().get_all_asset_keys()}
    for source in SOURCES:
        assert f"raw/{source}" in keys
        assert f"`raw/{source}`" in TABLES
    for folder in ("staging", "marts", "claims", "meta"):
        assert any(key.startswith(f"{folder}/") for key in keys)
        assert f"`{folder}/*`" in TABLES
    assert {"publish", "report"} <= keys


def test_every_table_that_is_listed_is_published(recorded_once: Path) -> None:
    published = query(
        recorded_once / "warehouse.duckdb", "select schema_name || '.' || table_name as t from duckdb_tables()"
    )
    tables = set(published["t"])
    named = set(re.findall(r"`((?:marts|meta|raw|staging)\.[a-z_]+)`", README + TABLES))
    assert named
    assert named <= tables


def test_every_query_of_the_readme_runs(recorded_once: Path) -> None:
    blocks = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
    assert blocks
    for statement in (part for block in blocks for part in block.split(";") if part.strip()):
        assert query(recorded_once / "warehouse.duckdb", statement).height > 0, statement


def test_the_readme_says_what_the_figures_answer(recorded_once: Path) -> None:
    found = answer(lambda statement: query(recorded_once / "warehouse.duckdb", statement))
    assert " ".join((found.question, *found.sentences)) in " ".join(README.split())


def test_every_command_of_the_readme_is_one(tmp_path: Path) -> None:
    named = set(re.findall(r"fw-pipeline ([a-z]+)", README))
    shown = fw_pipeline(tmp_path, "--help").out
    for command in named:
        assert re.search(rf"^  {command} ", shown, re.MULTILINE), command
    for command in re.findall(r"^  ([a-z]+) ", shown, re.MULTILINE):
        assert command in named, command


def test_every_link_to_a_file_of_the_repository_leads_somewhere() -> None:
    for page in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *ROOT.glob("docs/**/*.md"),
        ROOT / "data/recorded/README.md",
    ]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_column_and_table_of_the_glossary_exists() -> None:
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    columns = {column for model in models() for column in model.doc.columns}
    columns |= {column for seed in seeds() for column in seed.columns}
    terms = re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE)
    assert len(terms) > 15
    assert set(terms) <= columns
    tables = {model.name for model in models()} | {f"meta.{seed.name}" for seed in seeds()}
    assert set(re.findall(r"`((?:marts|meta)\.[a-z_]+)`", text)) <= tables


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs/adr").glob("0*.md"):
        assert page.name in listed


def test_no_setting_or_secret_has_a_value_in_a_tracked_example() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert all(line.startswith("#") or not line.strip() for line in text.splitlines())
