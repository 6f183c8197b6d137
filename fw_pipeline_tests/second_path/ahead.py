"""Who is ahead, and by how much: C1, C2, C25 and C26, on questions and downloads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from fw_pipeline_tests.second_path.catalogue import CORE, family
from fw_pipeline_tests.second_path.figures import (
    Series,
    downloads,
    latest,
    over,
    pypi_series,
    questions,
    ratio,
    shift,
    span,
    window,
)
from fw_pipeline_tests.second_path.leaving_out import (
    counted,
    days_left_out,
    members_left_out,
    papers_left_out,
    without_figure,
)
from fw_pipeline_tests.second_path.measured import SOMETHING, Beside, Measured
from fw_pipeline_tests.second_path.measures import (
    mean_of,
    named,
    one,
)
from fw_pipeline_tests.second_path.papers import paper_series

TAGS = ("tensorflow", "pytorch", "keras")
INSTALLED = ("tensorflow", "pytorch", "jax")
"""What is compared on PyPI: tensorflow itself pulls keras, so keras is no rival there."""
Pair = tuple[Series, Series]
Followed = tuple[str, str, str, list[Pair], frozenset[date]]
"""What is counted, the source, the series, PyTorch and TensorFlow as published and without estimates, and the months
of which one of the two leaves something out."""


def c1() -> Iterator[Measured]:
    months = list(questions("*"))
    for words, length in (("questions in the month", 1), ("questions over 12 months", 12)):
        for end in months:
            values, levels = {}, {}
            for exact in (True, False):
                levels = {tag: mean_of(questions(tag, exact=exact), end, length) for tag in TAGS}
                values[exact] = ratio(levels["tensorflow"], best_rival(levels)[0])
            tensorflow, (rival, name) = levels["tensorflow"], best_rival(levels)
            if rival is None:
                continue
            exact_value = values[True]
            if length == 1 and exact_value is None:
                exact_value = latest(_exact_lead(), end, 4)
            n = round((tensorflow or 0) + rival) if tensorflow is not None else 0
            beside = Beside(
                "stackoverflow",
                shift(end, 1 - length),
                tensorflow,
                rival,
                lacking=length - len(window(questions("tensorflow"), end, length)),
                nameless=without_figure({tag: {end: levels[tag]} for tag in TAGS[1:] if end in questions(tag)}, end),
                note=f"the largest other one is {name}",
            )
            yield one(("C1", words, "recorded", end), values[False], n, exact_value, beside)
    for series in pypi_series():
        plain = {name: downloads(CORE[name], series) for name in INSTALLED}
        families = {name: family(name, series) for name in INSTALLED}
        short = {name: days_left_out(CORE[name], series) for name in INSTALLED}
        thin = {name: members_left_out(name, series) for name in INSTALLED}
        for words, by_name, left_out in (
            ("downloads of the package", plain, short),
            ("downloads of the family", families, thin),
        ):
            for end in sorted({month for found in by_name.values() for month in found}):
                now = {name: by.get(end) for name, by in by_name.items()}
                tensorflow, (rival, name) = now["tensorflow"], best_rival(now)
                if rival is None:
                    continue
                n = round(tensorflow + rival) if tensorflow is not None else 0
                value = ratio(tensorflow, rival)
                beside = Beside(
                    "pypi",
                    end,
                    tensorflow,
                    rival,
                    lacking=int(tensorflow is None and end in by_name["tensorflow"]),  # none before there was one
                    partial=int(any(end in months for months in left_out.values())),
                    nameless=without_figure({f: by_name[f] for f in INSTALLED[1:]}, end),
                    note=f"the largest other one is {name}",
                )
                yield one(("C1", words, named(series), end), value, n, value, beside)


def best_rival(levels: Mapping[str, float | None]) -> tuple[float | None, str | None]:
    """The largest figure of another framework, and whose it is."""
    known = [(value, name) for name, value in levels.items() if name != "tensorflow" and value is not None]
    return max(known, default=(None, None))


def _exact_lead() -> dict[date, float | None]:
    lead = {}
    for month, asked in questions("tensorflow", exact=True).items():
        rivals = [v for tag in TAGS[1:] if (v := questions(tag, exact=True).get(month)) is not None]
        lead[month] = ratio(asked, max(rivals, default=None))
    return lead


def c2() -> Iterator[Measured]:
    first = min(questions("pytorch"))
    for words, months in (("in the month", 1), ("over 3 months", 3), ("over 12 months", 12)):
        for end in span(shift(first, months - 1), max(questions("tensorflow"))):
            told = []
            for exact in (False, True):
                back = 4 if exact and months == 1 else months
                pairs = [
                    (t, p)
                    for m in span(shift(end, 1 - back), end)
                    if (t := questions("tensorflow", exact=exact).get(m)) is not None
                    and (p := questions("pytorch", exact=exact).get(m)) is not None
                ]
                kept = pairs[-1:] if months == 1 else pairs
                sums = (sum(t for t, _ in kept), sum(p for _, p in kept)) if kept else (None, None)
                told.append((ratio(*sums) if len(pairs) * 3 >= months * 2 else None, sums, len(pairs)))
            (value, (tensorflow, pytorch), found), (exact_value, *_) = told
            n = int((tensorflow or 0) + (pytorch or 0))
            beside = Beside("stackoverflow", shift(end, 1 - months), tensorflow, pytorch, lacking=months - found)
            yield one(("C2", f"questions {words}", "recorded", end), value, n, exact_value, beside)


def two_tags() -> list[Pair]:
    return [(questions("pytorch", exact=exact), questions("tensorflow", exact=exact)) for exact in (False, True)]


def c25() -> Iterator[Measured]:
    followed: list[Followed] = [("questions", "stackoverflow", "recorded", two_tags(), frozenset())]
    for series in pypi_series():
        plain = (downloads("torch", series), downloads("tensorflow", series))
        families = (family("pytorch", series), family("tensorflow", series))
        short = days_left_out("torch", series) | days_left_out("tensorflow", series)
        thin = members_left_out("pytorch", series) | members_left_out("tensorflow", series)
        pairs_of = (("downloads", plain, short), ("family downloads", families, thin))
        followed.extend((words, "pypi", named(series), [p, p], out) for words, p, out in pairs_of if any(p))
    for measure, source, series_name, pairs, left_out in followed:
        ratios = [over(torch, tensorflow) for torch, tensorflow in pairs]
        known = [m for m, v in ratios[0].items() if v is not None]
        if not known:
            continue
        torch, tensorflow = pairs[0]
        first, last = min(known), max(m for found in pairs[0] for m in found)
        for end in span(first, last):
            value = ratios[0].get(end)
            exact = latest(ratios[1], end, 4)
            n = int(value is not None)
            hole = value is None or end in left_out
            beside = Beside(
                source,
                end,
                torch.get(end),
                tensorflow.get(end),
                lacking=1 - n,
                partial=counted([end], left_out),
                note=SOMETHING if hole else None,
            )
            yield one(("C25", f"{measure} in the month", series_name, end), value, n, exact, beside)
            if end >= shift(first, 5):
                months = span(shift(end, -5), end)
                six = [window(found, end, 6) for found in ratios]
                value, exact = (min(found) if len(found) >= 4 else None for found in six)
                lowest = min((v, m) for m in months if (v := ratios[0].get(m)) is not None)[1]
                beside = Beside(
                    source,
                    months[0],
                    torch[lowest],
                    tensorflow[lowest],
                    lacking=6 - len(six[0]),
                    partial=counted(months, left_out),
                    note=f"lowest in {lowest:%Y-%m}",
                )
                yield one(
                    ("C25", f"{measure} in each of 6 months", series_name, end), value, len(six[0]), exact, beside
                )


def c26() -> Iterator[Measured]:
    followed: list[Followed] = [("questions", "stackoverflow", "recorded", two_tags(), frozenset())]
    followed += [
        (
            "downloads",
            "pypi",
            named(series),
            [(torch, downloads("tensorflow", series))] * 2,
            days_left_out("torch", series) | days_left_out("tensorflow", series),
        )
        for series in pypi_series()
        if (torch := downloads("torch", series))
    ]
    followed += [
        ("papers", "papers", name, [(papers, others)] * 2, papers_left_out(name))
        for (name, papers, _), (_, others, _) in zip(paper_series("pytorch"), paper_series("tensorflow"), strict=True)
    ]
    for measure, source, series_name, pairs, left_out in followed:
        both = [m for m, v in pairs[0][0].items() if v is not None and pairs[0][1].get(m) is not None]
        if not both:
            continue
        for end in span(shift(min(both), 23), max(max(found) for found in pairs[0])):
            shares = [_shares(*pair, end, every=measure != "papers") for pair in pairs]
            n = len([m for m in span(shift(end, -23), end) if m in both])
            value, exact = (None if now is None or before is None else now - before for now, before in shares)
            beside = Beside(
                source,
                shift(end, -23),
                *shares[0],
                lacking=0 if measure == "papers" else 24 - n,
                partial=counted(set(span(shift(end, -23), end)) & set(both), left_out),
                note="shares of a whole: nobody is seen to switch",
            )
            made = one(("C26", f"rise of the share of {measure}", series_name, end), value, n, exact, beside)
            yield replace(made, blocked="sample" in series_name)


def _shares(first: Series, second: Series, end: date, *, every: bool) -> tuple[float | None, float | None]:
    """The share of the first of both in the last twelve months, and in the twelve before."""
    shares = []
    for last in (end, shift(end, -12)):
        months = [
            (p, t)
            for m in span(shift(last, -11), last)
            if (p := first.get(m)) is not None and (t := second.get(m)) is not None
        ]
        enough = len(months) >= 8 or not every
        shares.append(ratio(sum(p for p, _ in months), sum(p + t for p, t in months)) if enough else None)
    return shares[0], shares[1]
