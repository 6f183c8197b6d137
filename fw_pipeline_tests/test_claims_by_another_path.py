"""What the claims measure on questions and downloads, computed again from the CSV files without any of the SQL."""

from __future__ import annotations

import statistics
from datetime import date
from itertools import combinations

import pytest

from fw_pipeline_tests.claims_bench import Measured, before_models, in_memory, lookup, measure
from fw_pipeline_tests.claims_by_hand import (
    CLOSE,
    Series,
    a_year_before,
    at_months_of,
    downloads,
    fall,
    over,
    questions,
    since,
    starscout,
    summed,
    yearly_change,
)
from fw_pipeline_tests.relations import models


@pytest.fixture(scope="module")
def claimed(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    known = models()
    return lookup(measure(in_memory(before_models(tmp_path_factory.mktemp("claims"), known)), known))


def test_c1_is_tensorflow_over_the_larger_of_the_others(claimed: Measured) -> None:
    rival = {month: max(questions("pytorch").get(month, 0), questions("keras")[month]) for month in questions("keras")}
    assert claimed("C1", "questions in the month, recorded") == pytest.approx(over(questions("tensorflow"), rival))
    packages = {
        month: max(starscout(p).get(month, 0) for p in ("torch", "keras", "jax")) for month in starscout("keras")
    }
    assert claimed("C1", "downloads of the package, StarScout, all") == pytest.approx(
        over(starscout("tensorflow"), packages)
    )


@pytest.mark.parametrize(("words", "months"), [("in the month", 1), ("over 3 months", 3), ("over 12 months", 12)])
def test_c2_is_the_ratio_of_the_two_tags(claimed: Measured, words: str, months: int) -> None:
    ratio = over(
        summed(at_months_of(questions("pytorch"), questions("tensorflow")), months),
        summed(questions("pytorch"), months),
    )
    assert claimed("C2", f"questions {words}, recorded") == pytest.approx(ratio, abs=CLOSE)


def test_c2_comes_out_as_published(claimed: Measured) -> None:
    ratio = claimed("C2", "questions in the month, recorded")
    assert ratio[date(2023, 1, 1)] == pytest.approx(739 / 555)
    assert ratio[date(2023, 5, 1)] == pytest.approx(493 / 483)
    assert ratio[date(2022, 6, 1)] == pytest.approx(1.9, abs=0.02)
    assert claimed("C2", "questions over 12 months, recorded")[date(2022, 12, 1)] == pytest.approx(1.71, abs=0.005)


def growth(parts: Series, wholes: Series, base: tuple[date, date]) -> dict[str, dict[date, float]]:
    """Change, slope and peak against the months of `base`, from December 2019 on."""
    first, last = base
    inside = [month for month in parts if first <= month <= last]
    level = sum(parts[month] for month in inside) / sum(wholes[month] for month in inside)
    years = over(summed(parts, 12), summed(wholes, 12))
    figures = over(parts, wholes)
    slopes = {}
    for end in since(date(2019, 12, 1), figures):
        points = [(month.year * 12 + month.month, value) for month, value in figures.items() if first <= month <= end]
        slopes[end] = 12 * statistics.linear_regression(*zip(*points, strict=True)).slope / level
    peaks = {end: max(v for m, v in years.items() if date(2018, 12, 1) <= m <= end) / level - 1 for end in slopes}
    return {"change": {end: years[end] / level - 1 for end in slopes}, "slope": slopes, "peak": peaks}


@pytest.mark.parametrize("form", ["change", "slope", "peak"])
def test_c3_is_growth_since_2018(claimed: Measured, form: str) -> None:
    year = (date(2018, 1, 1), date(2018, 12, 1))
    asked, site, package = questions("tensorflow"), questions("*"), starscout("tensorflow")
    expected = {
        "questions since 2018, recorded": growth(asked, dict.fromkeys(asked, 1.0), year),
        "the share since 2018, recorded": growth(asked, site, year),
        "downloads since 2018, StarScout, all": growth(
            package, dict.fromkeys(package, 1.0), (date(2018, 8, 1), date(2018, 12, 1))
        ),
    }
    for definition, forms in expected.items():
        assert claimed("C3", f"{form} of {definition}") == pytest.approx(forms[form], abs=CLOSE)


def test_c3_comes_out_as_published(claimed: Measured) -> None:
    end = date(2022, 12, 1)
    assert claimed("C3", "change of the share since 2018, recorded")[end] == pytest.approx(-0.04, abs=0.005)
    slope = claimed("C3", "slope of the share since 2018, recorded")[end] * 0.758
    assert slope == pytest.approx(-0.003, abs=0.001)
    assert claimed("C3", "peak of the share since 2018, recorded")[end] == pytest.approx(0.46, abs=0.02)


def test_c4_is_the_weakest_of_three_years(claimed: Measured) -> None:
    asked = questions("pytorch")
    levels = {
        "questions over 3 years, recorded": summed(asked, 12),
        "the share over 3 years, recorded": over(summed(asked, 12), summed(at_months_of(asked, questions("*")), 12)),
        "downloads over 3 years, StarScout, all": summed(starscout("torch"), 12),
    }
    for definition, level in levels.items():
        now = yearly_change(level)
        weakest = {
            at: min(now[at], now[a_year_before(at)], now[a_year_before(a_year_before(at))])
            for at in now
            if a_year_before(a_year_before(at)) in now
        }
        assert claimed("C4", f"smallest yearly change of {definition}") == pytest.approx(weakest, abs=CLOSE)


def test_c4_counts_the_pairs_of_months_that_rise(claimed: Measured) -> None:
    asked = questions("pytorch")
    months = sorted(asked)
    rising = {
        end: statistics.mean(asked[b] > asked[a] for a, b in combinations(months[at - 35 : at + 1], 2))
        for at, end in enumerate(months)
        if at >= 35
    }
    assert claimed("C4", "pairs of months in rising order of questions over 3 years, recorded") == pytest.approx(
        rising, abs=CLOSE
    )


def test_c6_is_the_fall_from_the_best_so_far(claimed: Measured) -> None:
    assert claimed("C6", "fall of questions from its peak, recorded") == pytest.approx(fall(questions("keras")))
    assert claimed("C6", "fall of the share from its peak, recorded") == pytest.approx(
        fall(over(questions("keras"), questions("*")))
    )
    year = fall(summed(questions("keras"), 12))
    assert claimed("C6", "fall of questions over 12 months from its peak, recorded") == pytest.approx(year, abs=CLOSE)
    assert fall(questions("keras"))[date(2023, 1, 1)] == pytest.approx(0.71, abs=0.005)
    assert year[date(2022, 12, 1)] == pytest.approx(0.52, abs=0.005)


@pytest.mark.parametrize("months", [3, 12])
def test_c8_is_the_change_on_the_year_before_and_how_that_changes(claimed: Measured, months: int) -> None:
    count = summed(questions("tensorflow"), months)
    for name, series in (("questions", count), ("the share", over(count, summed(questions("*"), months)))):
        change = yearly_change(series)
        speed = {at: value - change[a_year_before(at)] for at, value in change.items() if a_year_before(at) in change}
        assert claimed("C8", f"{name} over {months} months on the year before, recorded") == pytest.approx(
            change, abs=CLOSE
        )
        assert claimed("C8", f"speed of change of {name} over {months} months, recorded") == pytest.approx(
            speed, abs=CLOSE
        )


def test_c21_is_the_last_year_against_the_best(claimed: Measured) -> None:
    level = {at: 1 - lost for at, lost in fall(summed(starscout("tensorflow"), 12)).items()}
    assert claimed("C21", "level of downloads against the best 12 months, StarScout, all") == pytest.approx(
        level, abs=CLOSE
    )
    asked = {at: 1 - lost for at, lost in fall(summed(questions("tensorflow"), 12)).items()}
    assert claimed("C21", "level of questions against the best 12 months, recorded") == pytest.approx(asked, abs=CLOSE)


@pytest.mark.parametrize(
    ("origin", "installers", "first"),
    [("StarScout", "all", date(2024, 1, 1)), ("top-pypi-packages (BigQuery)", "pip", date(2024, 3, 1))],
)
def test_c25_says_when_torch_passed_tensorflow(claimed: Measured, origin: str, installers: str, first: date) -> None:
    expected = over(*(downloads(package, origin, installers) for package in ("torch", "tensorflow")))
    ratio = claimed("C25", f"downloads in the month, {origin}, {installers}")
    assert ratio == pytest.approx(expected, abs=CLOSE)
    assert min(month for month, value in ratio.items() if value > 1) == first
    questions_ratio = claimed("C25", "questions in the month, recorded")
    assert questions_ratio == pytest.approx(over(questions("pytorch"), questions("tensorflow")))
    assert max(questions_ratio.values()) < 1


def test_c26_is_the_rise_of_a_share_within_a_year(claimed: Measured) -> None:
    two = {month: questions("pytorch")[month] + questions("tensorflow")[month] for month in questions("pytorch")}
    share = over(summed(questions("pytorch"), 12), summed(two, 12))
    rise = {at: value - share[a_year_before(at)] for at, value in share.items() if a_year_before(at) in share}
    assert claimed("C26", "rise of the share of questions, recorded") == pytest.approx(rise, abs=CLOSE)


def test_the_questions_of_whole_years_come_out() -> None:
    years = {
        year: sum(count for month, count in questions("tensorflow").items() if month.year == year)
        for year in (2018, 2020, 2022)
    }
    assert years == {2018: 14_307, 2020: 20_629, 2022: 11_301}
