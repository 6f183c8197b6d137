"""The provider `api`: one listing of all models on the Hub, newest first, down to the beginning of the range.

It does not ask by framework: `filter=pytorch` misses the PyTorch models that carry only the tag `safetensors`, most of
them since 2023, and gives no whole to take a share of. The file of the provider `parquet` is the cheaper way far back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from math import ceil
from urllib.parse import parse_qsl, urlsplit

from fw_pipeline.contract import Batch, Fetch, MonthRefused, Plan, Provider, SourceFailed
from fw_pipeline.details import HUGGINGFACE_MODELS
from fw_pipeline.sources.huggingface.counting import (
    OLDEST,
    RUN_AGAIN,
    SOURCE,
    Look,
    counted,
    models_until,
    reach_of,
    untagged_note,
)
from fw_pipeline.sources.huggingface.listing import Listing, MonthListed, OutOfPlace
from fw_pipeline.sources.huggingface.page import EXPANDED, Page, read_page
from fw_pipeline.web import Answer, Pace, Unfit, Web, next_link, one_line

NAME = "api"
_LABEL = f"{SOURCE} ({NAME})"

_PAGE = 1000
"""Models a page: the most that the Hub gives. It may give fewer."""

_BUDGET = 20_000
"""Requests of one fetch, repetitions included: the Hub of 2026 has 3,400 pages."""

_QUOTAS = {False: 500, True: 1000}
"""Requests in five minutes, without and with a token."""

_ASKED = (("sort", "createdAt"), ("limit", str(_PAGE)), *(("expand[]", name) for name in EXPANDED))
_TOLD_EVERY = 50


def _plan(fetch: Fetch) -> Plan:
    start = datetime.combine(fetch.window.start, datetime.min.time(), UTC)
    pages = max(1, ceil((models_until(fetch.now) - models_until(start)) / _PAGE))
    has_token = "HF_TOKEN" in fetch.secrets
    waits, quota = ceil(pages / _QUOTAS[has_token]) - 1, f"{_QUOTAS[has_token]:,} in five minutes"
    text = (
        f"one listing of all models, newest first, which can only begin today, back to {fetch.window.start:%Y-%m}: "
        f"about {float(f'{pages:.2g}'):,.0f} requests of {_PAGE:,} models; it answers {quota}"
        + ("" if has_token else f", {_QUOTAS[True]:,} with HF_TOKEN")
        + (f", so it takes {5 * waits} minutes or more" if waits else "")
    )
    return Plan(None, text)


def _fetch(fetch: Fetch) -> Iterator[Batch | MonthRefused]:
    if option := fetch.options.get("path"):
        raise SourceFailed(_LABEL, f"it takes no option, but {option!r} was given", "write huggingface=api")
    base = fetch.options["FW_HUGGINGFACE_URL"]
    token = fetch.secrets.get("HF_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    over = datetime.combine(fetch.window.end, datetime.min.time(), UTC)
    listing = Listing(fetch.window)
    with Web(fetch, pace=Pace(0.0), budget=_BUDGET, host_label=_LABEL) as web:
        pages = web.pages(
            f"{base}/api/models",
            _ASKED,
            headers=headers,
            name="models",
            read=partial(read_page, over=over),
            next_url=_next_of_this_listing,
            accept=("application/json",),
        )
        page = None
        for number, page in enumerate(pages, 1):
            _take(fetch, listing, page)
            if number % _TOLD_EVERY == 0:
                fetch.log(f"{_LABEL}: {number} pages, back to {listing.oldest or 'nowhere'}, {web.asked} requests")
            for month, listed in listing.take_whole():
                yield _answer(fetch, listing, month, listed)
            if listing.past_start:
                return
        if not listing.reached_the_oldest and page is not None:
            where = f"on {listing.oldest:%Y-%m-%d}" if listing.oldest else "before it began"
            cause = f"the listing ends {where}, although the Hub has models of {OLDEST:%Y-%m-%d}"
            raise _failed(fetch, listing, page, cause)
    for month, listed in listing.take_whole(ended=True):
        yield _answer(fetch, listing, month, listed)


def _take(fetch: Fetch, listing: Listing, page: Page) -> None:
    """Put a page into the listing; what is not fit is asked for again next time.

    Raises:
        SourceFailed: the listing does not go on where it was.
    """
    if cause := listing.spoiled_by(page):
        fetch.keeper.reject(page.ref, cause)
    try:
        listing.add(page)
    except OutOfPlace as fault:
        cause = str(fault)
    else:
        return
    raise _failed(fetch, listing, page, cause)


def _failed(fetch: Fetch, listing: Listing, page: Page, cause: str) -> SourceFailed:
    _ask_again(fetch, (*listing.doubtful, page.ref), cause)
    return SourceFailed(_LABEL, cause, RUN_AGAIN, month=fetch.window)


def _ask_again(fetch: Fetch, refs: Iterable[str], cause: str) -> None:
    for ref in dict.fromkeys(refs):
        fetch.keeper.reject(ref, cause)


def _answer(fetch: Fetch, listing: Listing, month: date, listed: MonthListed) -> Batch | MonthRefused:
    """Return the figures of one month that has been listed whole, or why it has none."""
    if listed.faults:
        more = f", and {len(listed.faults) - 1} more" if len(listed.faults) > 1 else ""
        return MonthRefused(_LABEL, f"{listed.faults[0]}{more}", RUN_AGAIN, month=month)
    look = Look(
        provider=NAME,
        method="counted in the listing of all models",
        origin="Hugging Face Hub API",
        observed_on=fetch.now.date(),
        newest=listing.newest or OLDEST,
        seen_at=listing.first.seen_at if listing.first else fetch.now,
    )
    if cause := look.lacks(month):
        _ask_again(fetch, [listing.first.ref] if listing.first else [], cause)
        return MonthRefused(_LABEL, cause, "check the clock of this machine, then run again", month=month)
    notes = [f"fields that were not asked for: {', '.join(sorted(listing.strange))}"] if listing.strange else []
    notes += untagged_note(listed.untagged)
    answer = counted(month, listed.frame(), look, evidence=listed.refs, notes=notes)
    if isinstance(answer, MonthRefused):
        _ask_again(fetch, listed.refs, answer.cause)
    return answer


def _next_of_this_listing(answer: Answer) -> str | None:
    """Return the address of the next page.

    Raises:
        Unfit: it asks for something else than this listing: the service took our question for another one.
    """
    following = next_link(answer)
    if following is None:
        return None
    asked = {*_ASKED, *((name.replace("[]", ""), value) for name, value in _ASKED)}
    named = set(parse_qsl(urlsplit(following).query, keep_blank_values=True))
    if other := sorted(pair for pair in named - asked if pair[0] not in {"cursor", "direction"}):
        raise Unfit(
            f"the next page is one of another listing: {one_line('='.join(other[0]), 80)} was not asked for", RUN_AGAIN
        )
    return following


PROVIDER = Provider(
    name=NAME,
    source=SOURCE,
    reach=reach_of,
    fetch=_fetch,
    plan=_plan,
    answers="every closed month since 2022-03, of models that still exist and are public",
    cost="a request for 1,000 models, from today back to the range: about 100 for a month, 3,200 for all since 2022-03",
    needs="nothing; HF_TOKEN doubles the 500 requests in five minutes",
    cannot_see="models that were deleted, and when those from before 2022-03-02 were made",
    options=("FW_HUGGINGFACE_URL", "HF_TOKEN"),
    detail=HUGGINGFACE_MODELS,
)
