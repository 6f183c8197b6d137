"""The provider `api`: monthly counts from the Stack Exchange API 2.3, one request a tag and month.

Here is what is asked for and in which order; how it is asked is in `site`, which counts cannot be true in `figures`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial

from fw_pipeline.contract import WHOLE_SITE, Batch, Fetch, MonthRefused, Plan, Provider, SourceFailed
from fw_pipeline.frameworks import TAGS, Tag
from fw_pipeline.sources.stackoverflow.figures import contradiction, month_rows, names_of, reach_of
from fw_pipeline.sources.stackoverflow.site import NAMES_A_CALL, SUBJECT, Site
from fw_pipeline.web import Pace, Web

NAME = "api"

_ORIGIN = "Stack Exchange API"
_KEYED, _KEYLESS = 10_000, 300
"""Requests a day with and without a key."""

_PACE = 0.1
"""Seconds between requests: a third of the thirty a second from which on the service shuts a client out."""

_LATER = "run again; if it stays so, look at the kept evidence: the service may have changed"


def api(tags: tuple[Tag, ...] = TAGS) -> Provider:
    """Return the provider that counts some tags, and the whole site.

    A tag that the site does not know answers with a total of 0, like a tag without questions. So every tag is looked up
    first, and one without any question in all time ends the fetch before a count is asked for.
    """
    each = len(tags) + 1
    return Provider(
        name=NAME,
        source="stackoverflow",
        reach=reach_of,
        fetch=partial(_fetch, tags),
        plan=partial(_plan, tags),
        answers="any closed month, every tag and pair of tags and the whole site, as they stand on the day of asking",
        cost=f"{each} requests a month, and 2 more; {_KEYLESS} requests a day without a key, {_KEYED:,} with one",
        needs="STACKEXCHANGE_KEY for more than 300 requests a day; a spent quota ends a run, and the next one goes on",
        cannot_see="questions deleted since; tags as they were before they were edited or merged",
        options=("FW_STACKEXCHANGE_URL", "STACKEXCHANGE_KEY"),
    )


def _web(fetch: Fetch, budget: int) -> Web:
    return Web(fetch, pace=Pace(_PACE), budget=budget, host_label=SUBJECT)


def _asked(tags: tuple[Tag, ...]) -> tuple[str, ...]:
    return (WHOLE_SITE, *(tag.tagged for tag in tags))


def _requests(tags: tuple[Tag, ...], fetch: Fetch) -> int:
    lookups = -(-len(names_of(tags)) // NAMES_A_CALL)
    return 1 + lookups + len(_asked(tags)) * len(fetch.window.months())


def _plan(tags: tuple[Tag, ...], fetch: Fetch) -> Plan:
    kept, left = _kept(tags, fetch)
    requests = _requests(tags, fetch) - kept
    keyed = bool(fetch.secrets.get("STACKEXCHANGE_KEY"))
    quota = _KEYED if keyed else _KEYLESS
    days = -(-requests // quota)
    said = [
        f"{requests:,} requests, {len(_asked(tags))} a month",
        *([f"{kept:,} more are answered already"] if kept else []),
        f"{quota:,} a day {'with the key' if keyed else 'without STACKEXCHANGE_KEY'}: {days} day{'s' * (days != 1)}",
        *([f"a key allows {_KEYED:,}"] if days > 1 and not keyed else []),
        *([f"{left:,} of the quota were left when last asked"] if left is not None else []),
    ]
    return Plan(requests, "; ".join(said))


def _kept(tags: tuple[Tag, ...], fetch: Fetch) -> tuple[int, int | None]:
    """Return how many requests an unfinished fetch has answers to, and what the last one said of the quota."""
    with _web(fetch, budget=0) as web:  # so that nothing is asked: what is not kept fails
        site = Site(web, fetch)
        with contextlib.suppress(SourceFailed):
            site.make_filter()
            with contextlib.suppress(SourceFailed):
                site.all_time(names_of(tags))
            for month in fetch.window.months():
                for tagged in _asked(tags):
                    with contextlib.suppress(SourceFailed, MonthRefused):
                        site.total(tagged, month)
        return web.replayed, site.left


def _fetch(tags: tuple[Tag, ...], fetch: Fetch) -> Iterator[Batch | MonthRefused]:
    with _web(fetch, budget=2 * _requests(tags, fetch) + 20) as web:
        site = Site(web, fetch)
        site.make_filter()
        ever, merged = site.all_time(names_of(tags))
        if site.left is not None and web.asked:
            fetch.log(f"{SUBJECT}: {site.left:,} requests are left of the day's quota")
        notes = (f"counted with their synonyms: {', '.join(merged)}",) if merged else ()
        for month in fetch.window.months():
            try:
                batch = _month(site, tags, month, ever, notes)
            except MonthRefused as refused:
                yield refused
            else:
                notes = ()
                yield batch


def _month(site: Site, tags: tuple[Tag, ...], month: date, ever: Mapping[str, int], notes: tuple[str, ...]) -> Batch:
    totals = {tagged: site.total(tagged, month) for tagged in _asked(tags)}
    counts = {tagged: total.questions for tagged, total in totals.items()}
    if (cause := contradiction(counts, ever)) is not None:
        for total in totals.values():  # which of them is wrong cannot be told
            site.fetch.keeper.reject(total.ref, cause)
        raise MonthRefused(SUBJECT, cause, _LATER, month=month)
    if strange := sorted(frozenset[str]().union(*(total.strange for total in totals.values()))):
        notes = (*notes, f"the answers also hold {', '.join(strange)}")
    refs = tuple(dict.fromkeys(total.ref for total in totals.values()))
    return Batch(month, month_rows(month, counts, origin=_ORIGIN, observed_on=site.fetch.now.date()), refs, notes=notes)


PROVIDER = api()
