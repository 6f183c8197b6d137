"""The provider `clickhouse`: ClickHouse's copy of the data dump of April 2024, every month, tag and pair at once.

One question goes to the public engine that holds it; or the copy's Parquet files are read, as `parquet` says. Here the
counts become months; how the engine says no is in `fw_pipeline.sources.clickhouse`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, TypeVar

from fw_pipeline.contract import (
    FIRST_MONTH,
    WHOLE_SITE,
    Batch,
    Fetch,
    MonthRefused,
    Plan,
    Provider,
    Reach,
    SourceFailed,
    Window,
    last_closed_month,
)
from fw_pipeline.frameworks import TAGS, Tag
from fw_pipeline.sources.clickhouse import SETTINGS, refuse_exceptions, result_rows, text_array
from fw_pipeline.sources.stackoverflow.dump_counts import DumpCounts, dump_batches
from fw_pipeline.sources.stackoverflow.figures import names_of
from fw_pipeline.sources.stackoverflow.parquet import counted_in_files, plan_of_files
from fw_pipeline.web import Answer, Pace, Unfit, Web, needed, rows, utc_date, whole_number

T = TypeVar("T")

NAME = "clickhouse"

LAST_MONTH = date(2024, 3, 1)
"""The last whole month of the dump of April 2024, which is what was copied."""

_SUBJECT = f"stackoverflow ({NAME})"
_OTHER_WAYS = (
    "the public copy may be gone: read its Parquet files with FW_PROVIDERS=stackoverflow=clickhouse:FILES, a dump with "
    "stackoverflow=dump:PATH, or ask stackoverflow=api"
)
_TRIES = 6

COUNTS = """
WITH arrayFilter(tag -> tag != '', splitByChar('|', translate(Tags, '<>', '||'))) AS tags
SELECT month, tagged, questions, last
FROM (
    SELECT toStartOfMonth(toDateTime(CreationDate, 'UTC')) AS month, '*' AS tagged, count() AS questions,
        max(toUnixTimestamp(toDateTime(CreationDate, 'UTC'))) AS last
    FROM stackoverflow.posts
    WHERE PostTypeId = 'Question'
    GROUP BY month
    UNION ALL
    SELECT toStartOfMonth(toDateTime(CreationDate, 'UTC')) AS month,
        arrayJoin(arrayFilter(one -> hasAll(tags, splitByChar(';', one)), {wanted:Array(String)})) AS tagged,
        count() AS questions, max(toUnixTimestamp(toDateTime(CreationDate, 'UTC'))) AS last
    FROM stackoverflow.posts
    WHERE PostTypeId = 'Question' AND hasAny(tags, {names:Array(String)})
    GROUP BY month, tagged
)
ORDER BY month, tagged
"""
