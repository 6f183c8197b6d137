"""Whatever a service, a file or a disk hands over: rows, or a refusal on one line, and never another error.

`make fuzz` tries the same for ten minutes. Below, what is valid comes back to the last digit.
"""

from __future__ import annotations

import csv
import io
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from xml.sax.saxutils import escape

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fw_pipeline.catalog.frameworks import HUB_NAMES, PACKAGES
from fw_pipeline.contract import Batch, FetchContext
from fw_pipeline.months import Window
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.dumps import HEAD, TAIL, judged, row, scanned
from fw_pipeline_tests.tools.fuzz.replay import MAY, NOW, Conversation, Memory, outcome
from fw_pipeline_tests.tools.fuzz.targets import Target, spoiled, targets

NAMES = (
    *("stackoverflow api", "huggingface api", "papers arxiv", "papers archive", "pypi pypistats", "pypi clickpy"),
    *("papers archive files", "stackoverflow dump", "huggingface parquet", "recorded", "settings", "journal"),
    *("vintage names", "statements", "model documents", "model sql", "month", "user query"),
)

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(str.strip)
counts = st.integers(0, 10**12)


@dataclass
class Readers:
    """All readers, made when they are first wanted."""

    makers: Mapping[str, Callable[[], Target]]
    made: dict[str, Target] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Target:
        """Return one of them."""
        return self.made.setdefault(name, self.made.get(name) or self.makers[name]())

    def conversation(self, name: str) -> Conversation:
        """Return one that speaks HTTP."""
        found = self[name]
        assert isinstance(found, Conversation)
        return found


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Readers]:
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as here, targets(folder) as makers:
        here.setattr(tempfile, "tempdir", str(folder))  # the pace of the machine is that of these tests alone
        assert tuple(makers) == NAMES, "every reader that is fuzzed is tried here too"
        yield Readers(makers)


@pytest.mark.parametrize("name", NAMES)
@given(chance=st.randoms(use_true_random=False))
def test_a_good_input_gone_bad_is_refused_or_read_and_never_an_error(
    readers: Readers, name: str, chance: random.Random
) -> None:
    label, body = spoiled(readers[name], chance)
    assert readers[name].spoil(label, body) in {"rows", "gap", "refused", "read", "nothing"}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10)
@given(body=st.binary(max_size=200))
def test_arbitrary_bytes_give_no_figure(readers: Readers, name: str, body: bytes) -> None:
    for label in readers[name].labels()[:1]:
        assert readers[name].spoil(label, body) != "rows"


# --- What is valid comes back to the last digit


@given(total=counts)
def test_a_total_of_stack_exchange_is_the_figure(readers: Readers, total: int) -> None:
    conversation = readers.conversation("stackoverflow api")
    label = next(it for it in conversation.labels() if "/questions?" in it and "tagged" not in it)
    found: list[Batch] = []
    said = conversation.spoil(label, json.dumps({"total": total, "quota_remaining": 9}).encode(), found)
    if said == "rows":
        assert found[0].rows.filter(tagged="*")["questions"].to_list() == [total]
    else:
        least = json.loads(conversation.corpus(next(it for it in conversation.labels() if "tagged=tensorflow" in it)))
        assert total < 2 * least["total"] + 1000, "only a site smaller than its tags is refused"


@given(days=st.dictionaries(st.integers(0, 64), counts, min_size=1))
def test_days_of_pypistats_add_up_to_the_month(readers: Readers, days: dict[int, int]) -> None:
    conversation = readers.conversation("pypi pypistats")
    first = date(2023, 5, 1)
    listed = {first + timedelta(days=day): count for day, count in days.items()} | {date(2023, 7, 4): 7}
    data = [{"category": "with_mirrors", "date": f"{day}", "downloads": n} for day, n in listed.items()]
    body = json.dumps({"data": data, "package": "torch", "type": "overall_downloads"}).encode()
    found: list[Batch] = []
    assert conversation.spoil(next(it for it in conversation.labels() if "/torch/" in it), body, found) == "rows"
    rows = found[0].rows.filter(package="torch", installers="all")
    expected = [n for day, n in listed.items() if day.month == 5]
    assert rows["downloads"].to_list() == ([sum(expected)] if expected else [])


@given(
    made=st.lists(
        st.tuples(
            st.integers(0, 31 * 86400 - 1),
            texts,
            st.sampled_from([None, "keras"]) | texts,
            st.sets(st.sampled_from([it.name for it in HUB_NAMES if it.kind == "tag"])),
            counts,
        ),
        min_size=1,
        max_size=12,
    )
)
def test_models_of_the_hub_are_counted_by_library_and_formats(
    readers: Readers, made: list[tuple[int, str, str | None, set[str], int]]
) -> None:
    conversation = readers.conversation("huggingface api")
    page = json.loads(conversation.corpus(conversation.labels()[0]))
    start = datetime(2023, 5, 1, tzinfo=UTC)
    outside = [model for model in page if not model["createdAt"].startswith("2023-05")]
    models = [
        {
            "_id": f"{number:024x}",
            "id": f"{name}/{number}",
            "createdAt": (start + timedelta(seconds=at)).isoformat().replace("+00:00", ".000Z"),
            "library_name": library,
            "tags": [*tags, name],
            "downloads": downloads,
            "likes": 0,
            "gated": False,
            "private": False,
        }
        for number, (at, name, library, tags, downloads) in enumerate(made)
    ]
    body = json.dumps(sorted([*outside, *models], key=lambda it: it["createdAt"], reverse=True)).encode()
    found: list[Batch] = []
    assert conversation.spoil(conversation.labels()[0], body, found) == "rows"
    expected: Counter[tuple[str | None, tuple[str, ...]]] = Counter()
    known = {it.name for it in HUB_NAMES if it.kind == "tag"}
    for model in models:
        expected[model["library_name"], tuple(sorted(known.intersection(model["tags"])))] += 1  # type: ignore[index, arg-type]
    rows = found[0].rows
    assert {(r["library"], tuple(r["formats"])): r["models"] for r in rows.to_dicts()} == dict(expected)
    assert rows["downloads_30d"].sum() == sum(it[4] for it in made)


@given(rest=texts, named=st.lists(st.sampled_from(["PyTorch", "TensorFlow", "JAX", "Keras"]), min_size=1, unique=True))
def test_a_paper_of_arxiv_is_counted_under_all_that_it_names(readers: Readers, rest: str, named: list[str]) -> None:
    conversation = readers.conversation("papers arxiv")
    label = conversation.labels()[0]
    feed = conversation.corpus(label).decode()
    entry = feed[feed.index("<entry>") : feed.index("</entry>") + 8]
    old = entry[entry.index("<summary>") : entry.index("</summary>")]
    told = escape(f"{' , '.join(named)} . {''.join(c for c in rest if c.isprintable())}")
    found: list[Batch] = []
    assert conversation.spoil(label, feed.replace(old, f"<summary>{told}").encode(), found) == "rows"
    detail = found[0].detail
    assert detail is not None
    own = entry[entry.index("/abs/") + 5 : entry.index("</id>")].rpartition("v")[0]
    (frameworks,) = detail.filter(arxiv_id=own)["frameworks"].to_list()
    assert set(frameworks) >= {name.lower() for name in named}
    assert found[0].rows["papers"].sum() == detail.height


rows_of_a_dump = st.lists(
    st.tuples(
        st.integers(1, 2),
        st.integers(0, 500),
        st.lists(st.sampled_from(["tensorflow", "pytorch", "keras", "java", "c++"]), max_size=5, unique=True),
        st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\"'<>&"), max_size=40),
    ),
    max_size=20,
)


@given(made=rows_of_a_dump, size=st.integers(1, 4000), bars=st.booleans())
def test_the_scanner_of_a_dump_counts_what_an_xml_parser_counts(
    made: list[tuple[int, int, list[str], str]], size: int, *, bars: bool
) -> None:
    start = datetime(2022, 1, 1)  # noqa: DTZ001 - as the dump writes it
    posts = [(1, 0, ["keras"], "the one that must be there"), *made]
    xml = HEAD + "".join(
        row(number, kind, f"{start + timedelta(days=day):%Y-%m-%dT%H:%M:%S.000}", tags, bars=bars, Title=title)
        for number, (kind, day, tags, title) in enumerate(posts, 1)
    )
    wanted = ("tensorflow", "pytorch", "keras", "java")
    assert scanned((xml + TAIL).encode(), wanted, size) == judged((xml + TAIL).encode()[3:], wanted)


recorded_rows = st.dictionaries(
    st.tuples(st.dates(date(2016, 1, 1), date(2022, 12, 28)), st.sampled_from([it.name for it in PACKAGES])),
    st.tuples(st.integers(0, 2**63 - 1), st.integers(1, 28), texts, texts),
    min_size=1,
    max_size=15,
)


@given(made=recorded_rows)
def test_a_recorded_file_gives_back_its_rows(
    tmp_path_factory: pytest.TempPathFactory, made: dict[tuple[date, str], tuple[int, int, str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("recorded")
    schema = SOURCES["pypi"].table.schema
    cells = {
        (day.replace(day=1), package, "all", origin.strip(), downloads, day.replace(day=1), days, method.strip(), None)
        for (day, package), (downloads, days, origin, method) in made.items()
    }
    names = ["month", "package", "installers", "origin", "downloads", "window_start", "days_covered", "method"]
    frame = pl.DataFrame(list(cells), schema=[*names, "observed_on"], orient="row").unique(names[:4])
    frame = frame.select(pl.col(name).cast(kind) for name, kind in schema.items())
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([schema.names(), *(["" if cell is None else cell for cell in line] for line in frame.rows())])
    (folder / "pypi.csv").write_text(out.getvalue(), encoding="utf-8")
    (folder / "outages.csv").write_text("source,first_day,last_day,effect,reference\n", encoding="utf-8")
    window = Window.of(date(2016, 1, 1), date(2022, 12, 1))
    fetch = FetchContext(window, NOW, Memory(folder), lambda *_: pl.DataFrame(), lambda _: None, recorded=folder)
    found: list[Batch] = []
    assert outcome(SOURCES["pypi"].providers["recorded"], fetch, found) == "rows"
    back = pl.concat([batch.rows for batch in found])
    assert back.sort(names[:4]).equals(frame.sort(names[:4]))


def test_the_month_of_the_corpus_is_the_one_that_is_asked_for() -> None:
    assert MAY.months() == (date(2023, 5, 1),)
