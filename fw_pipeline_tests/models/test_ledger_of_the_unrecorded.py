"""Claims of which little is recorded, on made-up figures beside it: every value, bound and detail by two paths."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.second_path import deployment, languages
from fw_pipeline_tests.second_path.catalogue import DEPLOYMENT
from fw_pipeline_tests.second_path.compared import disagreements, same
from fw_pipeline_tests.second_path.deployment import TOOLS, Counted
from fw_pipeline_tests.second_path.figures import shift, span, spread
from fw_pipeline_tests.second_path.languages import LANGUAGES, OWN, TWO
from fw_pipeline_tests.second_path.measured import Measured
from fw_pipeline_tests.support.claims_warehouse import before_models, build, in_memory, measurements
from fw_pipeline_tests.support.recorded_files import NOW
from fw_pipeline_tests.support.relations import models

MEASURED = ("C19", "C20", "C22", "C23", "C24")
MONTHS = span(date(2018, 1, 1), date(2021, 6, 1))
TAGS = ("*", *TWO, *OWN.values(), *(tag for of in TOOLS.values() for tag in of))
PAIRS = tuple(f"{side};{language}" for side in TWO for language in LANGUAGES)


@dataclass
class Figures:
    """Rows for the raw tables, and the same by name and month."""

    questions: list[dict[str, Any]] = field(default_factory=list)
    downloads: list[dict[str, Any]] = field(default_factory=list)
    tags: dict[str, dict[date, float | None]] = field(default_factory=dict)
    packages: dict[str, dict[date, float | None]] = field(default_factory=dict)
    short: dict[str, frozenset[date]] = field(default_factory=dict)
    bounds: list[dict[str, Any]] = field(default_factory=list)
    most: dict[str, dict[date, float | None]] = field(default_factory=dict)


def made_up(chance: random.Random, *, silent: str = "") -> Figures:
    """Some figures: names that begin at different times, with holes, estimates, zeros and windows that miss days.

    Some packages that have no figure in a month have an upper bound there.
    Nobody asks about a language beside the framework that is `silent`.
    """
    made = Figures()
    holes = {side: set(chance.sample(MONTHS[6:-1], 5)) for side in TWO}  # both sides must be asked about the same
    for name in (*TAGS, *PAIRS):
        first = 0 if name in TWO or name in PAIRS else chance.randrange(8)
        found: dict[date, float | None] = {}
        for month in MONTHS[first:]:
            if month != MONTHS[-1] and (chance.random() < 0.08 if name in TAGS else month in holes[name.split(";")[0]]):
                continue
            asked = 0 if name.partition(";")[0] == silent and name in PAIRS else chance.choice([0, 3, 40, 1000])
            estimated = name in TAGS and chance.random() < 0.05
            found[month] = None if estimated else asked
            made.questions.append(
                {"month": month, "tagged": name, "questions": asked, "origin": "made up", "observed_on": None}
                | {"method": "interpolated" if estimated else "counted"}
            )
        made.tags[name] = spread(found, MONTHS[-1])
    for name in (name for names in DEPLOYMENT.values() for name in names):
        counted: dict[date, float | None] = {}
        short = set()
        for month in MONTHS[chance.randrange(10) :]:
            if chance.random() < 0.12:
                continue
            days = (shift(month, 1) - month).days
            early, covered = chance.choice([(0, days), (0, days), (3, days), (0, days - 1), (5, 40)])
            downloads = chance.choice([0, 700, 90_000])
            counted[month] = downloads / covered
            window = {month - timedelta(days=early) + timedelta(days=day) for day in range(covered)}
            if not {month + timedelta(days=day) for day in range(days)} <= window:
                short.add(month)
            made.downloads.append(
                {"month": month, "package": name, "installers": "all", "origin": "made up", "downloads": downloads}
                | {
                    "window_start": month - timedelta(days=early),
                    "days_covered": covered,
                    "method": "",
                    "observed_on": None,
                }
            )
        made.packages[name], made.short[name] = spread(counted), frozenset(short)
        made.most[name] = {}
        for month in MONTHS:
            if month not in counted and chance.random() < 0.5:
                most = chance.choice([600, 40_000])
                made.most[name][month] = most / 30
                made.bounds.append(
                    {"source": "pypi", "series": "made up, all", "month": month, "key": name, "side": "at most"}
                    | {"value": most, "days_covered": 30, "observed_on": shift(month, 1), "method": "", "origin": ""}
                )
    return made


def by_hand(made: Figures) -> Iterator[Measured]:
    for counted in (
        Counted("pypi", "made up, all", made.packages, made.most, made.short),
        Counted("stackoverflow", "recorded", made.tags),
    ):
        yield from deployment.c19(counted)
        yield from deployment.c20(counted)
    yield from languages.c22_and_c23(made.tags, "recorded")
    yield from languages.c24(made.tags, "recorded")
    # the listings and totals of others are small tables, and stay what they are
    yield from deployment.c19_so_far()
    yield from languages.recorded()


@pytest.fixture(scope="module")
def small() -> Mapping[str, pl.DataFrame]:
    return before_models()


@pytest.mark.parametrize("silent", ["", "tensorflow"])
def test_what_would_be_measured_comes_out_by_another_path(small: Mapping[str, pl.DataFrame], silent: str) -> None:
    made = made_up(random.Random(1), silent=silent)
    given = dict(small)
    for source, rows in (("stackoverflow", made.questions), ("pypi", made.downloads)):
        given[f"raw.{source}"] = pl.DataFrame(rows, schema=SOURCES[source].table.schema).with_columns(
            provider=pl.lit("recorded"), observed_at=pl.lit(NOW), evidence=pl.lit("evidence"), run_id=pl.lit("run")
        )
    given["meta.bounds"] = pl.DataFrame(made.bounds, schema=small["meta.bounds"].schema)
    asked = [model for model in models() if model.doc.claim and model.doc.claim.id in MEASURED]
    with in_memory(given) as connection:
        build(connection, models(), [model.name for model in asked])
        found = measurements(connection, asked)
    expected = {(one.claim, one.definition, one.as_of): one for one in by_hand(made)}
    assert {one.claim for one in expected.values()} == set(MEASURED)
    assert set(found.select("claim", "definition", "as_of").rows()) == set(expected)
    for row in found.iter_rows(named=True):
        key, value = (row["claim"], row["definition"], row["as_of"]), row["value"]
        one = expected[key]
        assert same(value, one.value), f"{key}: {value} by SQL, {one.value} by hand"
        assert (row["n"], value) == (one.n, None if value is None else round(value, 9)), key
        assert list(disagreements(one, row)) == [], key
