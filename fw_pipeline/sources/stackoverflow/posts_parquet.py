"""Questions counted in the copy's Parquet files: three columns of them, on disk or piece by piece from an address.

How only the needed parts of a file at an address are fetched is in `remote_parquet`.
"""

from __future__ import annotations

import glob
import re
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from fw_pipeline.catalog.frameworks import Tag
from fw_pipeline.contract import WHOLE_SITE, CostEstimate, FetchContext
from fw_pipeline.errors import SourceError
from fw_pipeline.months import FIRST_MONTH
from fw_pipeline.sources.stackoverflow.monthly_questions import DumpCounts, carriers, names_of
from fw_pipeline.sources.stackoverflow.remote_parquet import Fetched, fetched
from fw_pipeline.text import one_line

NAME_THEM = (
    "set FW_PROVIDERS=stackoverflow=clickhouse:FILES to the Parquet files of the posts: paths or addresses, several "
    "with ; between, * for any name"
)
COLUMNS = ("PostTypeId", "CreationDate", "Tags")
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_KIND: Mapping[str, str] = MappingProxyType(
    {**dict.fromkeys(_WHOLE, "PostTypeId = 1"), "VARCHAR": "PostTypeId in ('1', 'Question')"}
)
"""The condition that a post is a question, by the type of the column."""
_MOMENT: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "CreationDate::timestamp"),
        "TIMESTAMP WITH TIME ZONE": "timezone('UTC', CreationDate)",
        "VARCHAR": "timezone('UTC', CreationDate::timestamptz)",
        **dict.fromkeys(("UINTEGER", "INTEGER", "BIGINT"), "make_timestamp(CreationDate::bigint * 1000000)"),
    }
)
"""The bare UTC timestamp of a post, by the type of the column: ClickHouse writes a DateTime as seconds."""
_TAGS: Mapping[str, str] = MappingProxyType({"VARCHAR": "Tags", "BLOB": "decode(Tags)"})

# Read once for each part, and never held: sixty million posts are more than memory should take.
_SQL = """
with questions as not materialized (
    select
        date_trunc('month', {moment})::date as month,
        {moment} as created,
        translate({tags}, '<>', '||') as tags
    from read_parquet($files)
    where {kind} and {moment} >= $first
),

carrying as not materialized (
    select
        month,
        list_filter($wanted, lambda one: list_has_all(string_split(tags, '|'), string_split(one, ';'))) as found
    from questions
    where regexp_matches(tags, $carriers)
)

select month, '*' as tagged, count(*) as questions, max(created) as last
from questions
group by all
union all
select month, tagged, count(*) as questions, null as last
from (select month, unnest(found) as tagged from carrying)
group by all
union all
select null as month, one as tagged, count(*) as questions, null as last
from questions
cross join (select unnest($others) as one)
where contains(tags, '|' || one || '|')
group by all
order by all
"""


def plan_of(fetch: FetchContext) -> CostEstimate:
    """Return what it costs to read the files that the options name."""
    parts = _parts(fetch)
    addresses = [it for it in parts if _is_address(it)]
    if not addresses:
        return CostEstimate(0, f"no request: reads {', '.join(Path(it).name for it in parts)}, three columns of them")
    return CostEstimate(
        None, f"some requests for each part of {len(addresses)} addresses, for three columns alone; no key is needed"
    )


def counted(fetch: FetchContext, tags: Sequence[Tag], subject: str) -> DumpCounts:
    """Count the questions of every month in the files that the options name.

    Raises:
        SourceError: there are none, or they are no posts in Parquet.
    """
    found: list[Fetched] = []
    place = Path(fetch.options.get("scratch") or tempfile.gettempdir())
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fw-pipeline-posts-", dir=place) as folder:
        for part in _parts(fetch):
            if _is_address(part):
                found += fetched(fetch, part, COLUMNS, Path(folder), subject)
            else:
                local = _local(part, subject)
                found += [Fetched(it, (fetch.evidence.keep_file(f"posts {it.name}", it).ref,)) for it in local]
        return _counted(fetch, tags, found, subject)


def _counted(fetch: FetchContext, tags: Sequence[Tag], files: Sequence[Fetched], subject: str) -> DumpCounts:
    literal = [glob.escape(str(it.path)) for it in files]
    names, some = names_of(tags), carriers(tags)
    given = {
        "files": literal,
        "first": datetime.combine(FIRST_MONTH, datetime.min.time()),
        "wanted": list(dict.fromkeys((*some, *(tag.tagged for tag in tags)))),
        "carriers": rf"\|({'|'.join(map(re.escape, some))})\|",
        "others": [name for name in names if name not in some],
    }
    try:
        described = fetch.scan(
            "select column_name, column_type from (describe select * from read_parquet($files))", {"files": literal}
        )
        rows = fetch.scan(_sql(dict(described.iter_rows()), subject), given).rows()
    except ValueError as broken:
        cause = one_line(str(broken).replace(f"{files[0].path.parent}/", ""), 200)
        raise SourceError(subject, f"the Parquet files cannot be read: {cause}", NAME_THEM) from None
    site = {month: count for month, tagged, count, _ in rows if tagged == WHOLE_SITE}
    if not site:
        raise SourceError(subject, f"the Parquet files hold no question since {FIRST_MONTH:%Y-%m}", NAME_THEM)
    return DumpCounts(
        site=site,
        tagged={one: {tagged: count for month, tagged, count, _ in rows if month == one} for one in site},
        found=frozenset(names).intersection(tagged for _, tagged, _, _ in rows),
        last=max(last for _, _, _, last in rows if last is not None).replace(tzinfo=UTC),
        evidence=tuple(ref for it in files for ref in it.refs),
    )


def _sql(types: Mapping[str, str], subject: str) -> str:
    chosen = {}
    for name, (column, known) in {
        "kind": ("PostTypeId", _KIND),
        "moment": ("CreationDate", _MOMENT),
        "tags": ("Tags", _TAGS),
    }.items():
        if column not in types:
            raise SourceError(subject, f"the Parquet files have no column {column}: they hold no posts", NAME_THEM)
        if types[column] not in known:
            cause = f"the column {column} of the Parquet files is {one_line(types[column], 40)}"
            raise SourceError(subject, f"{cause}, none of {', '.join(known)}", NAME_THEM)
        chosen[name] = known[types[column]]
    return _SQL.format(**chosen)


def _parts(fetch: FetchContext) -> list[str]:
    return [part.strip() for part in fetch.options["path"].split(";") if part.strip()]


def _local(named: str, subject: str) -> list[Path]:
    place = Path(named).expanduser()
    if place.is_dir():
        place = place / "*.parquet"
    found = [place] if place.is_file() else [Path(it) for it in sorted(glob.glob(str(place)))]  # noqa: PTH207 - any folder
    if not found:
        raise SourceError(subject, f"there is no file {one_line(named, 200)}", NAME_THEM)
    return found


def _is_address(named: str) -> bool:
    return re.match(r"https?://", named, re.IGNORECASE) is not None
