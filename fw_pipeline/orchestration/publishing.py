"""The two last assets: the file that users open, and the page that readers open. Neither moves on an unproven build."""

from collections.abc import Mapping, Sequence
from typing import Any

from dagster import AssetsDefinition, MaterializeResult, MetadataValue, ResourceParam, asset

from fw_pipeline import report
from fw_pipeline.contract import Reason
from fw_pipeline.expectations import Expectation
from fw_pipeline.orchestration.checks import prove
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.raw_assets import failed
from fw_pipeline.raw import written_aside
from fw_pipeline.warehouse import query

Rules = Mapping[str, Sequence[Expectation]]


def publish_asset(rules: Rules, deps: Sequence[Sequence[str]]) -> AssetsDefinition:
    """Return the asset `publish`: it replaces the published file when every blocking rule held on this very build."""

    @asset(
        key=["publish"],
        deps=[list(parts) for parts in deps],
        group_name="published",
        kinds={"duckdb"},
        owners=["team:fw_pipeline"],
        tags={"layer": "published"},
        description="The DuckDB file that users open. Replaced as a whole; readers keep the version they have open.",
    )
    def publish(pipeline: ResourceParam[Pipeline]) -> MaterializeResult[Any]:
        try:
            _prove_all(pipeline, rules)
            size = pipeline.warehouse.publish()
        except Reason as reason:
            raise failed([reason]) from None
        pipeline.progress("publish", str(pipeline.settings.published))
        return MaterializeResult(metadata={"path": MetadataValue.path(str(pipeline.settings.published)), "bytes": size})

    return publish


def report_asset() -> AssetsDefinition:
    """Return the asset `report`: one page, self-contained, made from the published file."""

    @asset(
        key=["report"],
        deps=[["publish"]],
        group_name="published",
        kinds={"altair"},
        owners=["team:fw_pipeline"],
        tags={"layer": "published"},
        description="The page with the verdict on every claim and the article's figure drawn anew from the data.",
    )
    def page(pipeline: ResourceParam[Pipeline]) -> MaterializeResult[Any]:
        folder = pipeline.settings.data_dir / "report"
        try:
            files = report.build(lambda sql: query(pipeline.settings.published, sql))
            for name, content in files.items():
                with written_aside(folder / name) as stream:
                    stream.write(content)
        except Reason as reason:
            raise failed([reason]) from None
        pipeline.progress("report", str(folder / "index.html"))
        return MaterializeResult(metadata={"path": MetadataValue.path(str(folder / "index.html"))})

    return page


def _prove_all(pipeline: Pipeline, rules: Rules) -> None:
    """Check what no run has checked since it was built, then refuse to go on unless every blocking rule holds."""
    required = {name: _blocking(found) for name, found in rules.items()}
    with pipeline.writing() as writer:
        for relation, unchecked in writer.unchecked(required).items():
            prove(writer, relation, [rule for rule in rules[relation] if rule.name in unchecked])
        broken = writer.broken(required)
    if broken:
        remedy = "nothing was published; mend it and run again"
        raise failed([Reason(relation, f"rule {rule} does not hold: {why}", remedy) for relation, rule, why in broken])


def _blocking(rules: Sequence[Expectation]) -> tuple[str, ...]:
    return tuple(rule.name for rule in rules if rule.severity == "critical")
