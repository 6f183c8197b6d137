"""The provider `api`: one listing of all models on the Hub, from whichever of its ends the range is nearer to.

Oldest first is the better way: new models are added at its end, and move nothing. The first page shows whether the Hub
lists so; where it does not, the listing is newest first.

It does not ask by framework: `filter=pytorch` misses the PyTorch models that carry only the tag `safetensors`, most of
them since 2023, and gives no whole to take a share of. The file of the provider `parquet` is the cheaper way far back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import partial
from math import ceil
from urllib.parse import parse_qsl, urlsplit

from fw_pipeline.contract import Batch, CostEstimate, FetchContext, Provider
from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.http import HttpClient, InvalidResponse, RateLimit, Response, next_link
from fw_pipeline.sources.huggingface.hub_counts import (
    HUGGINGFACE_MODELS,
    OLDEST,
    RUN_AGAIN,
    SOURCE,
    TOKEN,
    URL,
    Look,
    counted,
    models_until,
    reach_of,
    untagged_note,
)
from fw_pipeline.sources.huggingface.hub_listing import Listing, MonthListed, OutOfPlace
from fw_pipeline.sources.huggingface.hub_models import EXPANDED
from fw_pipeline.sources.huggingface.hub_page import Order, Page, Unsorted, midnight, read_page
from fw_pipeline.text import one_line

NAME = "api"
_LABEL = f"{SOURCE} ({NAME})"

_PAGE = 1000
"""Models a page: the most that the Hub gives. It may give fewer."""

_BUDGET = 20_000
"""Requests of one fetch, repetitions included: the Hub of 2026 has 3,400 pages."""

_QUOTAS = {False: 500, True: 1000}
"""Requests in five minutes, without and with a token."""

_ASKED = (("sort", "createdAt"), ("limit", str(_PAGE)), *(("expand[]", name) for name in EXPANDED))
_NO_SUCH_ORDER = frozenset({400, 405, 422, 501})
"""How a service says that it does not list in the order that was asked for."""

_TOLD_EVERY = 50


class _NotOldestFirst(Exception):  # noqa: N818 - a signal, not a bug
    """The Hub does not list its models from the oldest on."""


def _pages(fetch: FetchContext) -> dict[Order, int]:
    """Estimate the pages of a listing from either end of the Hub to the far end of the range, the fewest first."""
    start, end = midnight(fetch.window.start), min(midnight(fetch.window.end), fetch.now)
    models = {
        Order.OLDEST_FIRST: models_until(end),
        Order.NEWEST_FIRST: models_until(fetch.now) - models_until(start),
    }
    return {order: max(1, ceil(number / _PAGE)) for order, number in sorted(models.items(), key=lambda it: it[1])}


def _plan(fetch: FetchContext) -> CostEstimate:
    (order, pages), (_, other) = _pages(fetch).items()
    has_token = TOKEN.name in fetch.secrets
    waits, quota = ceil(pages / _QUOTAS[has_token]) - 1, f"{_QUOTAS[has_token]:,} in five minutes"
    if order is Order.OLDEST_FIRST:
        where = f"from the beginning of the Hub to {fetch.window.months()[-1]:%Y-%m}"
        where += f" (where the Hub refuses that, newest first, about {_round(other)})"
    else:
        where = f"from today back to {fetch.window.start:%Y-%m}"
    text = (
        f"one listing of all models, {order.value}, {where}: about {_round(pages)} requests of {_PAGE:,} models; "
        f"it answers {quota}"
        + ("" if has_token else f", {_QUOTAS[True]:,} with HF_TOKEN")
        + (f", so it takes {5 * waits} minutes or more" if waits else "")
    )
    return CostEstimate(None, text)


def _round(pages: int) -> str:
    return f"{float(f'{pages:.2g}'):,.0f}"


def _fetch(fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
    if option := fetch.options.get("path"):
        raise SourceError(_LABEL, f"it takes no path, but {option!r} was given", "write huggingface=api")
    pages = _pages(fetch)
    with HttpClient(fetch, rate=RateLimit(0.0), budget=_BUDGET, host_label=_LABEL) as web:
        if next(iter(pages)) is Order.OLDEST_FIRST:
            try:
                yield from _listed(fetch, web, Order.OLDEST_FIRST)
            except _NotOldestFirst as refused:
                about = f"newest first instead, about {_round(pages[Order.NEWEST_FIRST])} requests"
                fetch.log(f"{_LABEL}: the Hub does not list the oldest first ({refused}); {about}")
            else:
                return
        yield from _listed(fetch, web, Order.NEWEST_FIRST)


def _listed(fetch: FetchContext, web: HttpClient, order: Order) -> Iterator[Batch | MonthRejected]:
    """Yield the months of the window as the listing leaves them behind.

    Raises:
        _NotOldestFirst: its first page shows that the Hub has another order.
        SourceError: the listing leads nowhere, or ends before its time.
    """
    token = fetch.secrets.get(TOKEN.name)
    asked = (*_ASKED, *((("direction", "1"),) if order is Order.OLDEST_FIRST else ()))
    listing = Listing(fetch.window, order)
    pages = web.pages(
        f"{fetch.options[URL.name]}/api/models",
        asked,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        name=f"models-{order.value}",
        read=partial(_read, fetch, listing, order),
        next_url=partial(_next_of_this_listing, asked),
        classify=partial(_refuse_order, listing, order),
        accept=("application/json",),
    )
    page = None
    for number, page in enumerate(pages, 1):
        _take(fetch, listing, page)
        if number % _TOLD_EVERY == 0:
            fetch.log(f"{_LABEL}: {number} pages, to {listing.reached or 'nowhere'}, {web.asked} requests")
        for month, listed in listing.take_whole():
            yield _answer(fetch, listing, month, listed)
        if listing.past_range:
            return
    if not listing.reached_the_oldest and page is not None:
        where = f"on {listing.reached:%Y-%m-%d}" if listing.reached else "before it began"
        cause = f"the listing ends {where}, although the Hub has models of {OLDEST:%Y-%m-%d}"
        raise _failed(fetch, listing, page, cause)
    for month, listed in listing.take_whole(ended=True):
        yield _answer(fetch, listing, month, listed)


def _refuse_order(listing: Listing, order: Order, answer: Response) -> None:
    if order is Order.OLDEST_FIRST and listing.first is None and answer.status in _NO_SUCH_ORDER:
        raise _NotOldestFirst(f"HTTP {answer.status}: {answer.first_words()}")


def _read(fetch: FetchContext, listing: Listing, order: Order, answer: Response) -> Page:
    is_first = order is Order.OLDEST_FIRST and listing.first is None
    try:
        page = read_page(answer, over=midnight(fetch.window.end), order=order)
    except Unsorted:
        if is_first:
            raise _NotOldestFirst("it answers in another order") from None
        raise
    if is_first and page.begins is not None and page.begins > OLDEST:
        raise _NotOldestFirst(f"its first page begins on {page.begins:%Y-%m-%d}")
    return page


def _take(fetch: FetchContext, listing: Listing, page: Page) -> None:
    """Put a page into the listing; what is not fit is asked for again next time.

    Raises:
        SourceError: the listing does not go on where it was.
    """
    if cause := listing.spoiled_by(page):
        fetch.evidence.reject(page.ref, cause)
    try:
        listing.add(page)
    except OutOfPlace as fault:
        cause = str(fault)
    else:
        return
    raise _failed(fetch, listing, page, cause)


def _failed(fetch: FetchContext, listing: Listing, page: Page, cause: str) -> SourceError:
    _ask_again(fetch, (*listing.doubtful, page.ref), cause)
    return SourceError(_LABEL, cause, RUN_AGAIN, month=fetch.window)


def _ask_again(fetch: FetchContext, refs: Iterable[str], cause: str) -> None:
    for ref in dict.fromkeys(refs):
        fetch.evidence.reject(ref, cause)


def _answer(fetch: FetchContext, listing: Listing, month: date, listed: MonthListed) -> Batch | MonthRejected:
    """Return the figures of one month that has been listed whole, or why it has none."""
    if listed.faults:
        more = f", and {len(listed.faults) - 1} more" if len(listed.faults) > 1 else ""
        return MonthRejected(_LABEL, f"{listed.faults[0]}{more}", RUN_AGAIN, month=month)
    latest = listing.nearest_to_now
    look = Look(
        provider=NAME,
        method="counted in the listing of all models",
        origin="Hugging Face Hub API",
        observed_on=fetch.now.date(),
        newest=listing.newest or OLDEST,
        seen_at=latest.seen_at if latest else fetch.now,
    )
    if cause := look.lacks(month):
        _ask_again(fetch, [latest.ref] if latest else [], cause)
        return MonthRejected(_LABEL, cause, "check the clock of this machine, then run again", month=month)
    notes = [f"fields that were not asked for: {', '.join(sorted(listing.strange))}"] if listing.strange else []
    models = listed.models()
    notes += untagged_note(models.filter("untagged").height)
    answer = counted(month, models.drop("untagged"), look, evidence=listed.refs, notes=notes)
    if isinstance(answer, MonthRejected):
        _ask_again(fetch, listed.refs, answer.cause)
    return answer


def _next_of_this_listing(asked: tuple[tuple[str, str], ...], answer: Response) -> str | None:
    """Return the address of the next page.

    Raises:
        InvalidResponse: it asks for something else than this listing: the service took our question for another one.
    """
    following = next_link(answer)
    if following is None:
        return None
    known = {*asked, *((name.replace("[]", ""), value) for name, value in asked)}
    own = {"cursor"} if ("direction", "1") in asked else {"cursor", "direction"}
    named = set(parse_qsl(urlsplit(following).query, keep_blank_values=True))
    if other := sorted(pair for pair in named - known if pair[0] not in own):
        raise InvalidResponse(
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
    cost="a request for 1,000 models, from the nearer end of the Hub: about 100 for the last month, 3,200 for all",
    needs="nothing; HF_TOKEN doubles the 500 requests in five minutes",
    cannot_see="models that were deleted, and when those from before 2022-03-02 were made",
    settings=(URL, TOKEN),
    detail=HUGGINGFACE_MODELS,
)
