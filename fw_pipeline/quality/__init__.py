"""Rules on data: those that a table's documentation implies, those it declares, and the one place that runs them.

Great Expectations runs every rule. Nothing here reads SQL or yml files, asks a database, or knows Dagster.
"""

from fw_pipeline.quality.rule_sources import declared, for_raw, implied
from fw_pipeline.quality.rules import AT_LEAST_ONE_ROW, FAILING_ROWS, ON_THE_ORDER, TYPES, Expectation
from fw_pipeline.quality.runner import NO_ROWS, Outcome, rejected_months, validate

__all__ = [
    "AT_LEAST_ONE_ROW",
    "FAILING_ROWS",
    "NO_ROWS",
    "ON_THE_ORDER",
    "TYPES",
    "Expectation",
    "Outcome",
    "declared",
    "for_raw",
    "implied",
    "rejected_months",
    "validate",
]
