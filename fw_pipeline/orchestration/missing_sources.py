"""Sources of which no month has come in: what is published without them, and what their tables say."""

from __future__ import annotations

from fw_pipeline.orchestration.asset_groups import places
from fw_pipeline.orchestration.asset_metadata import relation_key
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform.context import Pipeline
from fw_pipeline.warehouse import Writer


def absent(writer: Writer) -> tuple[str, ...]:
    """Return the sources of which the working file has no month."""
    return tuple(name for name in SOURCES if writer.is_empty(f"raw.{name}"))


def why_empty(writer: Writer, pipeline: Pipeline, relation: str) -> str | None:
    """Return why a table without rows has none, where a source is the cause whose figures it would hold; else None.

    A table whose sources all have months must have rows: there the emptiness is a defect.
    """
    schema, name = relation_key(relation)
    place = places(pipeline.models).get(relation)
    held = {name} if schema == "raw" else place.sources if place else ()
    if not (lacking := [source for source in absent(writer) if source in held]):
        return None
    return f"no month of {', '.join(lacking)} has come in"
