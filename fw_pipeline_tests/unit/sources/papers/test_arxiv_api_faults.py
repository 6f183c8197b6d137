"""Whatever arXiv answers: no wrong figure, the cause in one line, and a healed service is asked for the rest alone."""

from __future__ import annotations

import gzip
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from fw_pipeline.months import Window
from fw_pipeline_tests.support.fake_services import faults
from fw_pipeline_tests.support.fake_services.faults import Answer, Fault
from fw_pipeline_tests.support.fake_services.messages import Request, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.papers_live import Desk, lines, named_in_abstracts, statuses

FIRST, LAST = "2022-01", "2022-03"
MONTHS = Window.of(date(2022, 1, 1), date(2022, 3, 1)).months()
ATOM = "application/atom+xml; charset=utf-8"
OTHER_MONTH = "(ti:pytorch OR abs:pytorch) AND submittedDate:[202304010000 TO 202304302359]"


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return Desk(tmp_path, services, "arxiv")


def edited(change: Callable[[str], str], status: int = 200) -> Fault:
    """Answer truly, with the text of the feed changed."""

    def fault(request: Request, answer: Answer) -> Response:
        true = answer(request)
        return replace(true, status=status, body=change(true.body.decode()).encode())

    return fault


def without(pattern: str, put: str = "", times: int = 1) -> Fault:
    """Answer truly, but for what a pattern finds."""
    return edited(lambda text: re.sub(pattern, put, text, count=times, flags=re.DOTALL))


def error_feed(status: int) -> Fault:
    """Answer with the feed of an error, which counts one result."""

    def fault(request: Request, answer: Answer) -> Response:
        wrong = replace(request, query=(("id_list", "abc"),))
        return replace(answer(wrong), status=status)

    return fault


def total(figure: str) -> Fault:
    return without(r"(<opensearch:totalResults>)\d+", rf"\g<1>{figure}")


ENTRY = r"  <entry>.*?</entry>\n"
SAME_ENTRY_TWICE = edited(lambda text: re.sub(rf"({ENTRY})({ENTRY})", r"\1\1", text, count=1, flags=re.DOTALL))

FAULTS: dict[str, tuple[Fault, str]] = {
    "reset in the middle": (faults.reset_mid_body(300), "broke"),
    "short body": (faults.short_body(300), "broke off"),
    "slow drip": (faults.slow_drip(0.02), "dripping"),
    "cut gzip": (faults.truncated_gzip(), "packing"),
    "cut feed": (faults.truncated_body(0.6), "cut off"),
    "page instead of a feed": (faults.html_200(), "text/html instead of application/atom"),
    "wrong content type": (faults.wrong_content_type(), "application/pdf"),
    "throttled": (faults.throttled(429), "429"),
    "rate exceeded, 200": (faults.instead(200, "Rate exceeded."), "Rate exceeded"),
    "rate exceeded, 429": (faults.instead(429, "Rate exceeded."), "Rate exceeded"),
    "500": (faults.error(500), "500"),
    "502": (faults.error(502), "502"),
    "503": (faults.throttled(503, "seconds", 0), "503"),
    "504": (faults.error(504), "504"),
    "redirect to a page": (faults.redirect_to_page(), "text/html"),
    "redirect to another site": (faults.redirect_elsewhere(), "redirected to another site"),
    "redirect loop": (faults.redirect_loop(), "redirected more than"),
    "no UTF-8": (faults.invalid_utf8(), "UTF-8"),
    "two gigabytes": (faults.huge_claimed(), "larger than"),
    "bomb": (faults.bomb(100), "larger than"),
    "error feed, 400": (error_feed(400), "incorrect id format for abc"),
    "error feed, 200": (error_feed(200), "incorrect id format for abc"),
    "another month": (faults.other_question(search_query=OTHER_MONTH), "another question"),
    "another question": (faults.other_question(search_query="all:testing"), "another question"),
    "another question, no echo": (
        edited(lambda text: re.sub(r"search_query=", "", text.replace("2022-0", "2012-0"))),
        "submitted at another time",
    ),
    "names nothing": (
        edited(lambda text: re.sub("PyTorch|TensorFlow|Keras|JAX", "Fortran", text)),
        "name no framework",
    ),
    "begins elsewhere": (without(r"(<opensearch:startIndex>)0", r"\g<1>10"), "begins at paper 10"),
    "no entry": (without(ENTRY, times=0), "0 papers instead of"),
    "one entry less": (without(ENTRY), "papers instead of"),
    "one entry twice": (SAME_ENTRY_TWICE, "papers instead of"),
    "nothing found": (
        edited(lambda text: re.sub(ENTRY, "", re.sub(r"(Results>)\d+", r"\g<1>0", text), flags=re.DOTALL)),
        "no paper",
    ),
    "negative total": (total("-3"), "field totalResults is -3"),
    "absurd total": (total("9000000000000"), "field totalResults"),
    "total in words": (total("many"), "field totalResults is 'many'"),
    "no total": (without("<opensearch:totalResults>.*?</opensearch:totalResults>"), "totalResults is null"),
    "no date": (without("<published>.*?</published>"), "field published is missing"),
    "a date in words": (without("<published>.*?</published>", "<published>May</published>"), "field published"),
    "no title": (without("(<entry>.*?)<title>.*?</title>", r"\1"), "field title is missing"),
    "no abstract": (without("<summary>.*?</summary>"), "field summary is missing"),
    "no identifier": (without("<id>http://arxiv.org/abs/.*?</id>", "<id>urn:x</id>"), "not the address of a paper"),
    "entities": (without("<feed", '<!DOCTYPE feed [<!ENTITY a "b">]><feed'), "document type"),
    "no feed": (faults.instead(200, "<rss><channel/></rss>", ATOM), "rss document, not an Atom feed"),
    "not XML": (faults.instead(200, "total: 12", ATOM), "not XML"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_leaves_no_wrong_figure_and_the_healed_service_is_asked_for_the_rest(
    name: str, desk: Desk, services: FakeServices
) -> None:
    fault, cause = FAULTS[name]
    truth = {
        (month, names, None): (count, None)
        for month in MONTHS
        for names, count in named_in_abstracts(services, month).items()
    }
    services.faults.add("/arxiv", fault, times=-1, after=1)
    got = desk.run(FIRST, LAST, answer_seconds="1", answer_bytes="20000000")
    assert any(cause in line for line in lines(got)), lines(got)
    assert desk.months() == ["2022-01"]
    assert desk.figures().items() <= truth.items()
    assert statuses(got)["2022-01"] == "present"
    assert set(statuses(got)) == {f"{month:%Y-%m}" for month in MONTHS}

    services.faults.clear()
    services.requests.clear()
    healed = desk.run(FIRST, LAST)
    assert not healed.failures
    assert len(services.of("arxiv")) == 2, "only the two missing months"
    assert desk.figures() == truth


def test_a_refused_connection_keeps_what_is_done(desk: Desk, services: FakeServices) -> None:
    desk.run(FIRST, FIRST)
    with services.down():
        got = desk.run(FIRST, LAST)
    assert any("refuses the connection" in line for line in lines(got))
    assert desk.months() == ["2022-01"]
    services.requests.clear()
    assert not desk.run("2022-02", LAST).failures
    assert len(services.of("arxiv")) == 2


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        (faults.instead(200, "Rate exceeded."), 2),
        (faults.throttled(429), 1),
        (faults.error(500), 2),
        (without(ENTRY), 2),
        (without(ENTRY, times=0), 1),
    ],
)
def test_a_passing_fault_is_waited_out(fault: Fault, times: int, desk: Desk, services: FakeServices) -> None:
    services.faults.add("/arxiv", fault, times=times)
    assert not desk.run(FIRST, LAST).failures
    assert len(services.of("arxiv")) == len(MONTHS) + times
    assert sum(papers for papers, _ in desk.figures().values()) == sum(
        sum(named_in_abstracts(services, month).values()) for month in MONTHS
    )


def test_after_rate_exceeded_the_service_is_left_alone_for_ten_minutes(desk: Desk, services: FakeServices) -> None:
    services.faults.add("/arxiv", faults.instead(429, "Rate exceeded."), after=1)
    (line,) = lines(desk.run(FIRST, LAST, rest="600"))
    assert re.search(r"Rate exceeded; run again after \d{4}-\d\d-\d\d \d\d:\d\d UTC", line)
    assert len(services.of("arxiv")) == 2
    (again,) = lines(desk.run(FIRST, LAST))  # another run of this machine, within the ten minutes
    assert "the service asked for a pause" in again
    assert len(services.of("arxiv")) == 2


def test_a_month_whose_page_stays_short_is_refused_and_the_others_come(desk: Desk, services: FakeServices) -> None:
    services.faults.add("/arxiv", without(ENTRY), times=3, after=1)
    got = desk.run(FIRST, LAST, tries="6")
    assert statuses(got) == {"2022-01": "present", "2022-02": "refused", "2022-03": "present"}
    (line,) = lines(got)
    assert line.startswith("papers arxiv 2022-02: the answer holds ")


def test_a_service_that_has_changed_is_not_asked_for_every_month(desk: Desk, services: FakeServices) -> None:
    services.faults.add("/arxiv", "html_200", times=-1)
    got = desk.run("2022-01", "2023-06")
    assert "3 months in a row were refused" in lines(got)[-1]
    assert len(services.of("arxiv")) == 3
    assert len(got.outcomes) == 18


@pytest.mark.parametrize("cap", [10, 3])
def test_a_month_with_more_papers_than_a_page_is_asked_for_in_slices(
    cap: int, desk: Desk, services: FakeServices
) -> None:
    services.faults.add("/arxiv", faults.other_question(max_results=str(cap)), times=-1)
    assert not desk.run(FIRST, FIRST, tries="6").failures
    assert {names: papers for (_, names, _), (papers, _) in desk.figures().items()} == named_in_abstracts(
        services, MONTHS[0]
    )
    assert desk.detail()["arxiv_id"].is_unique().all()
    asked = [dict(it.query)["search_query"] for it in services.of("arxiv")]
    assert len(asked) == len(set(asked)) > 3
    (listed,) = set(desk.rows()["evidence"])  # one file that names many, or the many themselves
    refs = listed.split(";")
    if len(refs) == 1:
        refs = gzip.decompress((desk.data / "data" / listed).read_bytes()).decode().split()
    assert len(set(refs)) > 2


def test_slices_are_gone_on_with(desk: Desk, services: FakeServices) -> None:
    capped = faults.other_question(max_results="10")
    services.faults.add("/arxiv", capped, times=3)
    services.faults.add("/arxiv", faults.error(500), times=-1)
    assert desk.run(FIRST, FIRST).failures
    assert desk.months() == []
    done = sum(it.status == 200 for it in services.of("arxiv"))
    services.faults.clear()
    services.faults.add("/arxiv", capped, times=-1)
    before = len(services.of("arxiv"))
    assert not desk.run(FIRST, FIRST).failures
    asked = [dict(it.query)["search_query"] for it in services.of("arxiv") if it.status == 200]
    assert len(asked) == len(set(asked)) == done + len(services.of("arxiv")) - before


def test_papers_found_by_a_stem_or_of_another_month_are_left_out_and_said(desk: Desk, services: FakeServices) -> None:
    services.faults.add("/arxiv", without("Our code uses PyTorch\\.", "Our code uses pytorching."))
    desk.run(FIRST, FIRST)
    expected = named_in_abstracts(services, MONTHS[0])
    expected["pytorch",] -= 1
    assert {names: papers for (_, names, _), (papers, _) in desk.figures().items()} == expected
    assert any(line.endswith("they name no framework: 1") for line in desk.log)


def test_one_paper_of_another_time_among_many_is_left_out_and_said(desk: Desk, services: FakeServices) -> None:
    services.faults.add("/arxiv", without("<published>2022-01-", "<published>2021-12-"))
    desk.run(FIRST, FIRST)
    assert (
        sum(papers for papers, _ in desk.figures().values())
        == sum(named_in_abstracts(services, MONTHS[0]).values()) - 1
    )
    assert any(line.endswith("submitted in another month: 1") for line in desk.log)


def test_unknown_elements_are_noted_and_do_no_harm(desk: Desk, services: FakeServices) -> None:
    services.faults.add("/arxiv", without("<summary>", "<mood>calm</mood><summary>"))
    assert not desk.run(FIRST, FIRST).failures
    assert any(line.endswith("elements that are not known: mood") for line in desk.log)
