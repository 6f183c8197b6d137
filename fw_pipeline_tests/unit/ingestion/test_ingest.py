"""How figures come in: good months stay, bad ones are refused with a line, nothing is asked for twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import polars as pl
import pytest

from fw_pipeline.contract import Availability, Batch, CostEstimate, FetchContext, Provider
from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.ingestion.committer import Ingested
from fw_pipeline.ingestion.ingest import ingest
from fw_pipeline.ingestion.providers import ProviderSelection, choose, out_of_reach
from fw_pipeline.months import Window
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
YEAR = Window(date(2022, 1, 1), date(2023, 1, 1))
Answers = Callable[[FetchContext], Iterator[Batch | MonthRejected]]


def rows(month: date, questions: int = 500, tag: str = "pytorch") -> pl.DataFrame:
    row = {"month": month, "tagged": tag, "questions": questions, "method": "counted", "origin": "x"}
    return pl.DataFrame([row], schema=SOURCES["stackoverflow"].table.schema)


def provider(answers: Answers, reach: Window = YEAR) -> ProviderSelection:
    made = Provider(
        name="test",
        source="stackoverflow",
        reach=lambda _: Availability(reach, "the service did not exist", "not closed yet"),
        fetch=answers,
        plan=lambda _: CostEstimate(1, "one request"),
        answers="",
        cost="",
        needs="",
        cannot_see="",
    )
    source = replace(SOURCES["stackoverflow"], providers=MappingProxyType({"test": made}))
    return ProviderSelection(source, made, {})


def go(
    data: Path,
    answers: Answers,
    *,
    window: Window = YEAR,
    run: str = "run-1",
    day: int = 0,
    again: bool = True,
    reach: Window = YEAR,
    requests: int = 1,
    said: list[str] | None = None,
    **settings: str,
) -> Ingested:
    chosen = provider(answers, reach)
    chosen = replace(chosen, provider=replace(chosen.provider, plan=lambda _: CostEstimate(requests, "its plan")))
    given = read({"FW_DATA_DIR": str(data), **settings}, dotenv=Path("none"))
    say = (said if said is not None else []).append
    return ingest(
        chosen, window, given, run_id=run, now=NOW + timedelta(days=day), log=lambda _: None, done=lambda _: None,
        say=say, waits=say, again=again, patience=1,
    )  # fmt: skip


def all_good(fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
    for month in fetch.window.months():
        kept = fetch.evidence.find(f"GET {month}") or fetch.evidence.keep(f"GET {month}", b"500", name=f"{month}")
        yield Batch(month, rows(month), (kept.ref,))


def vintages(data: Path) -> dict[str, int]:
    return {str(v.month)[:7]: len(pl.read_parquet(v.path)) for v in VintageStore(data).vintages("stackoverflow")}


def test_every_month_answered_is_a_vintage_and_the_fetch_is_finished(tmp_path: Path) -> None:
    got = go(tmp_path, all_good)
    assert len(got.months("present")) == 12
    assert not got.failures
    assert len(vintages(tmp_path)) == 12


def test_a_month_with_a_negative_count_is_refused_and_the_others_are_unharmed(tmp_path: Path) -> None:
    def answers(fetch: FetchContext) -> Iterator[Batch]:
        for month in fetch.window.months():
            yield Batch(month, rows(month, -1 if month.month == 7 else 500), ())

    got = go(tmp_path, answers)
    assert got.months("refused") == [date(2022, 7, 1)]
    assert len(got.failures) == 1
    assert "stackoverflow 2022-07" in str(got.failures[0])
    assert "questions" in str(got.failures[0])
    assert "2022-07" not in vintages(tmp_path)
    assert len(vintages(tmp_path)) == 11
    assert VintageStore(tmp_path).statements("stackoverflow")[0].status == "refused"


def test_a_provider_that_breaks_in_the_middle_keeps_what_came_before(tmp_path: Path) -> None:
    def answers(fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
        yield from list(all_good(fetch))[:5]
        raise SourceError("stackoverflow", "quota spent", "run again after 12:00")

    got = go(tmp_path, answers)
    assert len(got.months("present")) == 5
    assert len(got.months("failed")) == 7
    assert [str(f) for f in got.failures] == ["stackoverflow: quota spent; run again after 12:00"]
    assert len(vintages(tmp_path)) == 5


def test_the_next_run_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    asked: list[str] = []

    def answers(fetch: FetchContext) -> Iterator[Batch]:
        for month in fetch.window.months():
            kept = fetch.evidence.find(f"GET {month}")
            if kept is None:
                asked.append(f"{month:%Y-%m}")
                if len(asked) == 6:
                    raise SourceError("stackoverflow", "connection reset", "run again")
                kept = fetch.evidence.keep(f"GET {month}", b"500", name=f"{month}")
            yield Batch(month, rows(month), (kept.ref,))

    assert go(tmp_path, answers).failures
    assert not go(tmp_path, answers, run="run-2", day=1).failures
    assert len(asked) == 13  # twelve months, and the one that broke a second time
    assert len(vintages(tmp_path)) == 12
    assert not go(tmp_path, answers, run="run-3", day=2).failures
    assert len(asked) == 25  # a finished fetch is a new observation


def asked_in(windows: list[str]) -> Answers:
    """Answer every month but a hole in May and an unfit answer in August, and write down what was asked for."""

    def answers(fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
        windows.append(str(fetch.window))
        for month in fetch.window.months():
            if month.month == 8 and len(windows) == 1:
                yield MonthRejected("stackoverflow", "HTML instead of JSON", "run again", month=month)
            else:
                hole = "it was lost" if month.month == 5 else None
                yield Batch(month, rows(month).clear() if hole else rows(month), (), gap=hole)

    return answers


def test_what_a_provider_has_answered_is_not_asked_for_again_unless_that_is_wanted(tmp_path: Path) -> None:
    windows: list[str] = []
    answers, said = asked_in(windows), list[str]()
    late = Window(date(2022, 3, 1), date(2022, 12, 1))
    assert len(go(tmp_path, answers, window=late).failures) == 1
    got = go(tmp_path, answers, run="run-2", again=False, said=said)
    assert windows[1:] == ["2022-01 to 2022-02", "2022-08", "2022-12"], "what is new, what was refused, and what is new"
    known = "8 of 12 months are answered already, and are asked for only with --again"
    assert said[0] == f"stackoverflow 2022-01 to 2022-12: {known}"
    assert len(got.months("here already")) == 7
    assert got.months("gap") == [date(2022, 5, 1)]
    assert len(got.outcomes) == 12
    assert not go(tmp_path, answers, run="run-3", again=False).failures
    assert len(windows) == 4, "nothing is left to ask for"
    go(tmp_path, answers, run="run-4", again=False, requests=0)
    go(tmp_path, answers, run="run-5")
    assert windows[4:] == [str(YEAR)] * 2, "what costs no request is read anew, and so is what is asked for again"


def test_a_month_that_was_answered_before_it_was_due_or_whose_vintage_is_damaged_is_asked_for_again(
    tmp_path: Path,
) -> None:
    windows: list[str] = []
    october = Window(date(2026, 10, 1), date(2026, 11, 1))
    for day in (0, 1, 5, 6):  # October is due on the sixth of November
        go(tmp_path, asked_in(windows), window=october, reach=october, run=f"run-{day}", day=day, again=False)
    assert len(windows) == 3
    VintageStore(tmp_path).vintages("stackoverflow")[-1].path.write_bytes(b"torn")
    VintageStore(tmp_path).vintages("stackoverflow")[0].path.unlink()
    go(tmp_path, asked_in(windows), window=october, reach=october, run="run-7", day=7, again=False)
    assert len(windows) == 4


def test_a_provider_that_leaves_a_month_out_is_a_failure_not_a_gap(tmp_path: Path) -> None:
    got = go(tmp_path, lambda fetch: iter([Batch(m, rows(m), ()) for m in fetch.window.months() if m.month != 3]))
    assert got.months("failed") == [date(2022, 3, 1)]
    assert "2022-03: the provider gave no answer" in str(got.failures[0])


@pytest.mark.parametrize(
    ("batch", "says"),
    [
        (Batch(date(2022, 1, 1), rows(date(2022, 2, 1)), ()), "another month"),
        (Batch(date(2022, 1, 1), rows(date(2022, 1, 1)).clear(), ()), "holds no figure"),
        (Batch(date(2021, 1, 1), rows(date(2021, 1, 1)), ()), "not asked for"),
    ],
)
def test_an_answer_to_another_question_is_refused(tmp_path: Path, batch: Batch, says: str) -> None:
    got = go(tmp_path, lambda _: iter([batch]), window=Window.of(date(2022, 1, 1), date(2022, 1, 1)))
    assert any(says in str(failure) for failure in got.failures)
    assert vintages(tmp_path) == {}


def test_a_known_hole_is_stated_and_is_neither_a_vintage_nor_a_failure(tmp_path: Path) -> None:
    def answers(fetch: FetchContext) -> Iterator[Batch]:
        for month in fetch.window.months():
            hole = "downloads were not recorded" if month.month == 4 else None
            yield Batch(month, rows(month).clear() if hole else rows(month), (), gap=hole)

    got = go(tmp_path, answers)
    assert got.months("gap") == [date(2022, 4, 1)]
    assert not got.failures
    assert VintageStore(tmp_path).statements("stackoverflow")[0].cause == "downloads were not recorded"


def test_months_out_of_reach_are_told_and_not_asked_for(tmp_path: Path) -> None:
    wide = Window(date(2021, 11, 1), date(2023, 3, 1))
    got = go(tmp_path, all_good, window=wide)
    assert len(got.months("out of reach")) == 4
    assert len(got.months("present")) == 12
    given = read({"FW_DATA_DIR": str(tmp_path)}, dotenv=Path("none"))
    late = (
        "stackoverflow 2023-01 to 2023-02: not closed yet; "
        "ask for other months, or choose another provider with FW_PROVIDERS"
    )
    chosen = provider(all_good)
    assert [str(reason) for reason in out_of_reach(chosen, wide, given, now=NOW)] == [late]
    far = replace(chosen.provider, name="far", reach=lambda _: Availability(wide, "", ""))
    both = replace(chosen.source, providers=MappingProxyType({"test": chosen.provider, "far": far}))
    early, _ = out_of_reach(replace(chosen, source=both), wide, given, now=NOW)
    assert str(early).startswith("stackoverflow 2021-11 to 2021-12: the service did not exist")


def test_a_month_that_lost_more_than_half_is_refused_until_forced(tmp_path: Path) -> None:
    one = Window.of(date(2022, 1, 1), date(2022, 1, 1))
    go(tmp_path, lambda _: iter([Batch(one.start, rows(one.start, 500), ("e/1",))]), window=one)
    fewer: Answers = lambda _: iter([Batch(one.start, rows(one.start, 200), ("e/2",))])  # noqa: E731
    got = go(tmp_path, fewer, window=one, run="run-2", day=1)
    assert "questions of pytorch fell from 500 to 200" in str(got.failures[0])
    assert "FW_FORCE=1" in str(got.failures[0])
    forced = go(tmp_path, fewer, window=one, run="run-3", day=2, FW_FORCE="1")
    assert not forced.failures
    assert len(VintageStore(tmp_path).vintages("stackoverflow")) == 2


def test_two_fetches_of_one_source_do_not_run_at_once(tmp_path: Path) -> None:
    inner: list[str] = []

    def answers(fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
        said: list[str] = []
        with pytest.raises(SourceError, match="another run has been fetching"):
            go(tmp_path, all_good, run="run-2", said=said)
        [line] = said
        assert re.search(r"waits at most until \d\d:\d\d:\d\d UTC \(1 s\): another run is fetching it$", line)
        inner.append("refused")
        yield from all_good(fetch)

    assert not go(tmp_path, answers).failures
    assert inner == ["refused"]


def test_an_unknown_provider_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    given = read({"FW_DATA_DIR": str(tmp_path), "FW_PROVIDERS": "pypi=pepy"}, dotenv=Path("none"))
    with pytest.raises(Exception, match="pypi has no provider 'pepy'; choose one of recorded"):
        choose(SOURCES["pypi"], given)
