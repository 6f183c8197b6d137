"""The provider `clickhouse`: ClickHouse's copy of the data dump of April 2024, every month, tag and pair at once.

One question goes to the public engine that holds it; or the copy's Parquet files are read, as `posts_parquet` says.
Here the counts become months; how the engine says no is in `fw_pipeline.sources.clickhouse_http`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from itertools import groupby

from fw_pipeline.catalog.frameworks import TAGS, Tag
from fw_pipeline.contract import WHOLE_SITE, Availability, Batch, CostEstimate, FetchContext, Provider
from fw_pipeline.errors import MonthRejected
from fw_pipeline.http import HttpClient, InvalidResponse, RateLimit, Response, needed, text, utc_date, whole_number
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month
from fw_pipeline.sources.clickhouse_http import CLICKPY_URL, SETTINGS, refuse_exceptions, result_rows, text_array
from fw_pipeline.sources.stackoverflow.monthly_questions import DumpCounts, Told, batches, carriers, names_of
from fw_pipeline.sources.stackoverflow.posts_parquet import counted, plan_of

NAME = "clickhouse"
SUBJECT = f"stackoverflow ({NAME})"

LAST_MONTH = date(2024, 3, 1)
"""The last whole month of the dump of April 2024, which is what was copied."""

OTHER_WAYS = (
    "read the copy's Parquet files with FW_PROVIDERS=stackoverflow=clickhouse:FILES, a dump with "
    "stackoverflow=dump:PATH, or ask stackoverflow=api"
)

_TOLD = Told(
    SUBJECT,
    origin="Stack Exchange data dump of April 2024, as ClickHouse copied it",
    what="the copy",
    anew=OTHER_WAYS,
    later="take the provider api for these months",
)
_TRIES = 6

COUNTS = """
WITH arrayFilter(tag -> tag != '', splitByChar('|', translate(Tags, '<>', '||'))) AS tags,
    toDateTime(CreationDate, 'UTC') AS created
SELECT month, tagged, questions, last
FROM (
    SELECT toStartOfMonth(created) AS month, '*' AS tagged, count() AS questions, max(toUnixTimestamp(created)) AS last
    FROM stackoverflow.posts
    WHERE PostTypeId = 'Question' AND CreationDate >= {first:DateTime('UTC')}
    GROUP BY month
    UNION ALL
    SELECT toStartOfMonth(created) AS month,
        arrayStringConcat(arrayJoin(arrayFilter(one -> hasAll(tags, one), {wanted:Array(Array(String))})), ';')
            AS tagged,
        count() AS questions, max(toUnixTimestamp(created)) AS last
    FROM stackoverflow.posts
    WHERE PostTypeId = 'Question' AND CreationDate >= {first:DateTime('UTC')}
        AND hasAny(tags, {carriers:Array(String)})
    GROUP BY month, tagged
    UNION ALL
    SELECT min(toStartOfMonth(created)) AS month, arrayJoin(arrayIntersect(tags, {others:Array(String)})) AS tagged,
        count() AS questions, max(toUnixTimestamp(created)) AS last
    FROM stackoverflow.posts
    WHERE PostTypeId = 'Question' AND CreationDate >= {first:DateTime('UTC')}
    GROUP BY tagged
)
ORDER BY month, tagged
"""
"""The questions of every month: of the whole site, and by tag or pair of tags. Tags are written `|a|b|` or `<a><b>`.

Tags that are wanted in pairs only are counted over all months, so that one that does not exist is told from a zero.
"""

_COLUMNS = frozenset({"month", "tagged", "questions", "last"})


def clickhouse(tags: tuple[Tag, ...] = TAGS) -> Provider:
    """Return the provider that counts some tags, and the whole site, in ClickHouse's copy of the dump."""
    return Provider(
        name=NAME,
        source="stackoverflow",
        reach=_reach,
        fetch=partial(_fetch, tags),
        plan=_plan,
        answers=f"every month from {FIRST_MONTH:%Y-%m} to {LAST_MONTH:%Y-%m}, all tags and pairs and the whole site, "
        "as the dump of April 2024 has them",
        cost="1 request for all months; none with your own Parquet files, some hundreds for files at an address",
        needs="nothing, or the Parquet files of the copy: stackoverflow=clickhouse:FILES, paths or addresses",
        cannot_see="questions deleted before April 2024, and anything later",
        settings=(CLICKPY_URL,),
    )


def _reach(fetch: FetchContext) -> Availability:
    return Availability(
        Window.of(FIRST_MONTH, min(LAST_MONTH, last_closed_month(fetch.now))),
        before=f"the first month kept is {FIRST_MONTH:%Y-%m}, when TensorFlow was released",
        after=f"the copy is of the dump of April 2024: its last whole month is {LAST_MONTH:%Y-%m}",
    )


def _plan(fetch: FetchContext) -> CostEstimate:
    if fetch.options.get("path"):
        return plan_of(fetch)
    return CostEstimate(1, "1 request for all months, tags and pairs together; no key is needed")


def _fetch(tags: tuple[Tag, ...], fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
    counts = counted(fetch, tags, SUBJECT) if fetch.options.get("path") else _asked(fetch, tags)
    yield from batches(fetch, counts, tags, _TOLD)


def _asked(fetch: FetchContext, tags: tuple[Tag, ...]) -> DumpCounts:
    names, some = names_of(tags), carriers(tags)
    wanted = dict.fromkeys((*((name,) for name in some), *(tuple(tag.tagged.split(";")) for tag in tags)))
    given = {
        "wanted": f"[{','.join(text_array(one) for one in wanted)}]",
        "carriers": text_array(some),
        "others": text_array(tuple(name for name in names if name not in some)),
        "first": f"{FIRST_MONTH} 00:00:00",
    }
    params = {"user": "demo", **SETTINGS, **{f"param_{key}": value for key, value in given.items()}}
    url = f"{fetch.options[CLICKPY_URL.name]}/"
    with HttpClient(fetch, rate=RateLimit(1.0), budget=_TRIES, host_label=SUBJECT) as web:
        return web.post(
            url, params=params, body=COUNTS.strip(), name="questions", read=partial(_read, names), classify=_judge
        )


def _judge(answer: Response) -> None:
    """Let an answer pass that holds no exception; what is refused for good has other ways to the same figures."""
    try:
        refuse_exceptions(answer)
    except InvalidResponse as refused:
        cause = refused.cause
    else:
        return
    raise InvalidResponse(cause, OTHER_WAYS)


def _read(names: tuple[str, ...], answer: Response) -> DumpCounts:
    """Read the answer to `COUNTS`.

    Raises:
        Transient, InvalidResponse: it is none, or not all of it.
    """
    try:
        found, notes = result_rows(answer, _COLUMNS)
    except InvalidResponse as refused:
        raise InvalidResponse(refused.cause, OTHER_WAYS) from None
    counts: dict[tuple[date, str], int] = {}
    last = 0
    for row in found:
        key = (needed(row, "month", utc_date), needed(row, "tagged", text))
        if key in counts:
            raise InvalidResponse(f"{key[1]} is there twice for {key[0]:%Y-%m}", OTHER_WAYS)
        counts[key] = needed(row, "questions", whole_number)
        last = max(last, needed(row, "last", whole_number))
    site = {month: count for (month, tagged), count in counts.items() if tagged == WHOLE_SITE}
    if not site:
        raise InvalidResponse("the table holds no question", OTHER_WAYS)
    by_month = groupby(sorted(counts), key=lambda it: it[0])
    return DumpCounts(
        site=site,
        tagged={month: {tagged: counts[month, tagged] for _, tagged in keys} for month, keys in by_month},
        found=frozenset(names).intersection(tagged for _, tagged in counts),
        last=datetime.fromtimestamp(last, UTC),
        evidence=(answer.evidence.ref,),
        notes=notes,
    )


PROVIDER = clickhouse()
"""The provider, for every tag of the catalogue."""
