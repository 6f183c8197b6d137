"""Who is ahead, and by how much: C1, C2, C25 and C26, on questions and downloads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from fw_pipeline_tests.by_hand.catalogue import CORE, family
from fw_pipeline_tests.by_hand.figures import (
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
from fw_pipeline_tests.by_hand.measured import Measured
from fw_pipeline_tests.by_hand.measures import (
    mean_of,
    named,
    one,
)
from fw_pipeline_tests.by_hand.models_and_papers import paper_series

TAGS = ("tensorflow", "pytorch", "keras")
Pair = tuple[Series, Series]


def c1() -> Iterator[Measured]:
    months = list(questions("*"))
    for words, length in (("questions in the month", 1), ("questions over 12 months", 12)):
        for end in months:
            values = {}
            for exact in (False, True):
                levels = {tag: mean_of(questions(tag, exact=exact), end, length) for tag in TAGS}
                rival = max((v for tag, v in levels.items() if tag != "tensorflow" and v is not None), default=None)
                values[exact] = (levels["tensorflow"], rival)
            tensorflow, rival = values[False]
            if rival is None:
                continue
            exact_value = ratio(*values[True])
            if length == 1 and exact_value is None:
                exact_value = latest(_exact_lead(), end, 4)
            n = round((tensorflow or 0) + rival) if tensorflow is not None else 0
            yield one(("C1", words, "recorded", end), ratio(tensorflow, rival), n, exact_value)
    for series in pypi_series():
        for words, by_name in (
            ("downloads of the package", {name: downloads(package, series) for name, package in CORE.items()}),
            ("downloads of the family", {name: family(name, series) for name in CORE}),
        ):
            for end in sorted({month for found in by_name.values() for month in found}):
                rivals = [v for name, by in by_name.items() if name != "tensorflow" and (v := by.get(end)) is not None]
                if not rivals:
                    continue
                tensorflow = by_name["tensorflow"].get(end)
                n = round(tensorflow + max(rivals)) if tensorflow is not None else 0
                value = ratio(tensorflow, max(rivals))
                yield one(("C1", words, named(series), end), value, n, value)


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
            values = []
            for exact in (False, True):
                back = 4 if exact and months == 1 else months
                pairs = [
                    (t, p)
                    for m in span(shift(end, 1 - back), end)
                    if (t := questions("tensorflow", exact=exact).get(m)) is not None
                    and (p := questions("pytorch", exact=exact).get(m)) is not None
                ]
                kept = pairs[-1:] if months == 1 else pairs
                sums = (sum(t for t, _ in kept), sum(p for _, p in kept))
                values.append((ratio(*sums) if len(pairs) * 3 >= months * 2 else None, sums))
            n = int(sum(values[0][1]))
            yield one(("C2", f"questions {words}", "recorded", end), values[0][0], n, values[1][0])


def two_tags() -> list[Pair]:
    return [(questions("pytorch", exact=exact), questions("tensorflow", exact=exact)) for exact in (False, True)]


def c25() -> Iterator[Measured]:
    counted: list[tuple[str, str, list[Pair]]] = [("questions", "recorded", two_tags())]
    for series in pypi_series():
        plain = (downloads("torch", series), downloads("tensorflow", series))
        families = (family("pytorch", series), family("tensorflow", series))
        pairs_of = (("downloads", plain), ("family downloads", families))
        counted.extend((words, named(series), [pair, pair]) for words, pair in pairs_of if any(pair))
    for measure, series_name, pairs in counted:
        ratios = [over(torch, tensorflow) for torch, tensorflow in pairs]
        known = [m for m, v in ratios[0].items() if v is not None]
        if not known:
            continue
        first, last = min(known), max(m for found in pairs[0] for m in found)
        for end in span(first, last):
            value = ratios[0].get(end)
            exact = latest(ratios[1], end, 4)
            n = int(value is not None)
            yield one(("C25", f"{measure} in the month", series_name, end), value, n, exact)
            if end >= shift(first, 5):
                six = [window(found, end, 6) for found in ratios]
                value, exact = (min(found) if len(found) >= 4 else None for found in six)
                yield one(("C25", f"{measure} in each of 6 months", series_name, end), value, len(six[0]), exact)


def c26() -> Iterator[Measured]:
    counted: list[tuple[str, str, list[Pair]]] = [("questions", "recorded", two_tags())]
    counted += [
        ("downloads", named(series), [(torch, downloads("tensorflow", series))] * 2)
        for series in pypi_series()
        if (torch := downloads("torch", series))
    ]
    counted += [
        ("papers", name, [(papers, others)] * 2)
        for (name, papers, _), (_, others, _) in zip(paper_series("pytorch"), paper_series("tensorflow"), strict=True)
    ]
    for measure, series_name, pairs in counted:
        both = [m for m, v in pairs[0][0].items() if v is not None and pairs[0][1].get(m) is not None]
        if not both:
            continue
        for end in span(shift(min(both), 23), max(max(found) for found in pairs[0])):
            values: list[float | None] = []
            n = 0
            for number, (first, second) in enumerate(pairs):
                shares = []
                for back in (0, 12):
                    months = [
                        (p, t)
                        for m in span(shift(end, -back - 11), shift(end, -back))
                        if (p := first.get(m)) is not None and (t := second.get(m)) is not None
                    ]
                    enough = len(months) >= 8 or measure == "papers"
                    shares.append(ratio(sum(p for p, _ in months), sum(p + t for p, t in months)) if enough else None)
                    n += len(months) if number == 0 else 0
                values.append(None if shares[0] is None or shares[1] is None else shares[0] - shares[1])
            made = one(("C26", f"rise of the share of {measure}", series_name, end), values[0], n, values[1])
            yield replace(made, blocked="sample" in series_name)
