"""The one asset between two models that SQL cannot make: the forecasts, made of one table and read by others."""

from typing import Any

from dagster import AssetsDefinition, MaterializeResult, MetadataValue, ResourceParam, asset

from fw_pipeline import expectations, forecasts
from fw_pipeline.contract import Reason
from fw_pipeline.expectations import Expectation
from fw_pipeline.models import FORECAST_SERIES, FORECASTS
from fw_pipeline.orchestration.columns import column_schema, relation_key
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.places import Place
from fw_pipeline.orchestration.raw_assets import failed
from fw_pipeline.warehouse import Built, Writer

DESCRIPTION = "Forecasts of the series of C8, C20 and C25, as of each quarter, made with nothing later."
NULLABLE = ("horizon", "forecast", "low", "high", "errors_known", "reason")


def make_forecasts(writer: Writer) -> Built:
    """Make the table of forecasts anew from the series that are there."""
    series = writer.frame(f"from {FORECAST_SERIES} order by all")
    words = {name: meaning for name, (_, meaning) in forecasts.COLUMNS.items()}
    return writer.seed(FORECASTS, forecasts.forecasts(series), description=DESCRIPTION, columns=words)


def rules_for_forecasts() -> tuple[Expectation, ...]:
    """Return the rules on the table of forecasts."""
    kinds = dict.fromkeys(("forecast", "low", "high"), "DOUBLE")
    grain = (*forecasts.KEY, "made_as_of", "horizon")
    return expectations.implied(grain, tuple(forecasts.COLUMNS), nullable=NULLABLE, types=kinds)


def forecasts_asset(place: Place) -> AssetsDefinition:
    """Return the asset that forecasts every series."""

    @asset(
        key=relation_key(FORECASTS),
        deps=[relation_key(FORECAST_SERIES)],
        group_name=place.group,
        kinds={"python", "duckdb"},
        owners=["team:fw_pipeline"],
        tags=place.tags,
        description=DESCRIPTION,
        metadata={
            "dagster/column_schema": column_schema({n: (str(k), words) for n, (k, words) in forecasts.COLUMNS.items()}),
            "dagster/table_name": FORECASTS,
        },
    )
    def build(pipeline: ResourceParam[Pipeline]) -> MaterializeResult[Any]:
        try:
            with pipeline.writing() as writer:
                built = make_forecasts(writer)
        except Reason as reason:
            raise failed([reason]) from None
        pipeline.progress("build", FORECASTS)
        method = MetadataValue.text("exponential smoothing with a damped trend, on logarithms (statsmodels)")
        return MaterializeResult(metadata={"dagster/row_count": built.rows, "method": method})

    return build
