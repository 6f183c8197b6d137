"""What the claims measure on models and papers, computed again from the CSV files without any of the SQL."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from fw_pipeline.contract import FIRST_MONTH
from fw_pipeline_tests.claims_bench import Measured, before_models, in_memory, lookup, measure
from fw_pipeline_tests.claims_by_hand import CLOSE, RECORDED, read
from fw_pipeline_tests.relations import models


@pytest.fixture(scope="module")
def claimed(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    known = models()
    return lookup(measure(in_memory(before_models(tmp_path_factory.mktemp("claims"), known)), known))


@pytest.mark.parametrize("population", ["1000 most downloaded", "recent and trending, open licence"])
@pytest.mark.parametrize("safetensors", [False, True])
def test_c11_to_c13_split_the_models_of_the_two_into_three(
    claimed: Measured, population: str, *, safetensors: bool
) -> None:
    rows = read("huggingface").filter(pl.col("population") == population)
    only, other, both = 0, 0, 0
    for formats, count in rows.select("formats", pl.col("models").cast(pl.Int64)).rows():
        tags = set(formats.split(";"))
        pytorch = "pytorch" in tags or (safetensors and "safetensors" in tags)
        tensorflow = bool(tags & {"tf", "tf-keras"})
        only += count * (pytorch and not tensorflow)
        other += count * (tensorflow and not pytorch)
        both += count * (pytorch and tensorflow)
    rule = " with safetensors as pytorch" if safetensors else ""
    for claim, part in (("C11", only), ("C12", other), ("C13", both)):
        shares = claimed(claim, f"of pytorch or tensorflow models{rule}, {population}")
        assert list(shares.values()) == pytest.approx([part / (only + other + both)])


def test_c11_and_c12_are_bounded_by_the_counts_of_the_two_tags(claimed: Measured) -> None:
    rows = read("huggingface").filter(pl.col("population") == "hub, by tag")
    counts = {library: int(models) for library, models in rows.select("library", "models").rows()}
    pytorch, tensorflow = counts["PyTorch"], counts["TensorFlow"]
    least = claimed("C11", "of pytorch or tensorflow models at least, hub, by tag")
    most = claimed("C12", "of pytorch or tensorflow models at most, hub, by tag")
    assert least == pytest.approx({date(2025, 2, 1): (pytorch - tensorflow) / pytorch})
    assert most == pytest.approx({date(2025, 2, 1): tensorflow / (pytorch + tensorflow)})


def venues(framework: str) -> list[tuple[date, int]]:
    rows = read("papers").filter(pl.col("population") == "nine venues", pl.col("frameworks") == framework)
    return [(month, int(papers)) for month, papers in rows.select("month", "papers").rows()]


def test_c14_adds_up_the_calendar_year(claimed: Measured) -> None:
    pytorch, tensorflow, everything = venues("pytorch"), venues("tensorflow"), venues("*")
    of_two, of_all = (
        claimed("C14", f"of {which} in the year, nine venues")
        for which in ("papers naming one of the two", "all papers")
    )
    for end in sorted({month for month, _ in everything if month >= FIRST_MONTH}):
        part, other, whole = (
            sum(papers for month, papers in rows if date(end.year, 1, 1) <= month <= end)
            for rows in (pytorch, tensorflow, everything)
        )
        assert of_all[end] == pytest.approx(part / whole)
        assert (end in of_two) == (part + other > 0)
        assert of_two.get(end, 0) == pytest.approx(part / max(part + other, 1))
    assert of_two[date(2020, 12, 1)] == pytest.approx(0.767, abs=0.0005)
    assert of_two[date(2022, 5, 1)] == pytest.approx(0.840, abs=0.0005)
    assert of_all[date(2020, 12, 1)] == pytest.approx(0.219, abs=0.0005)


def test_c15_is_the_part_of_the_cohort_with_those_who_use_both_and_without(claimed: Measured) -> None:
    rows = pl.read_csv(RECORDED / "cohorts.csv")
    authors = {tuple(row[:2]): row[2] for row in rows.select("base_framework", "later_framework", "authors").rows()}
    began = {name: sum(n for (base, _), n in authors.items() if base == name) for name in ("tensorflow", "pytorch")}
    assert began == {"tensorflow": 372, "pytorch": 223}
    moved, kept_both = authors["tensorflow", "pytorch"], authors["tensorflow", "both"]
    expected = {
        "moved to pytorch alone": (moved / 372, 0.323),
        "moved to pytorch alone or beside tensorflow": ((moved + kept_both) / 372, 0.524),
        "pytorch authors who stayed": (authors["pytorch", "pytorch"] / 223, 0.843),
    }
    for formula, (value, published) in expected.items():
        assert claimed("C15", f"{formula}, recorded") == pytest.approx({date(2022, 5, 1): value}, abs=CLOSE)
        assert value == pytest.approx(published, abs=0.0005)
