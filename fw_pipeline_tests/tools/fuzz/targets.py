"""Every reader of the product, each as a function from bytes to what came of them; it raises for what is not clean."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import sqlglot

from fw_pipeline.catalog.frameworks import Tag
from fw_pipeline.contract import FetchContext
from fw_pipeline.errors import PipelineError
from fw_pipeline.months import FIRST_MONTH, Window, parse_month
from fw_pipeline.raw import EvidenceStore, VintageStore
from fw_pipeline.settings import read
from fw_pipeline.settings_values import SettingError
from fw_pipeline.sources import SOURCES
from fw_pipeline.sources.pypi.clickpy import PROVIDER as CLICKPY
from fw_pipeline.sources.pypi.pypistats import pypistats
from fw_pipeline.sources.stackoverflow.stackexchange_api import api
from fw_pipeline.transform import project
from fw_pipeline.transform.model_document import read_doc
from fw_pipeline.warehouse import Warehouse, WarehouseError, query, scan
from fw_pipeline_tests.support.dumps import posts_xml
from fw_pipeline_tests.support.fake_services import pwc
from fw_pipeline_tests.support.fake_services.huggingface import models_parquet
from fw_pipeline_tests.support.fake_services.world import World
from fw_pipeline_tests.support.recorded_files import SHIPPED
from fw_pipeline_tests.support.relations import FOLDER
from fw_pipeline_tests.tools.fuzz.mutations import mutated
from fw_pipeline_tests.tools.fuzz.replay import MAY, NOW, Conversation, Memory, Spoiling, outcome, told_on_one_line

FEW = (Tag("tensorflow", "tensorflow", "core"), Tag("pytorch", "pytorch", "core"))
"""Tags enough for the reader; the whole catalogue would ask 35 times."""


NONE: Mapping[str, str] = MappingProxyType({})


class Target(Protocol):
    """One reader, its good inputs by name, and how it takes a bad one."""

    def labels(self) -> list[str]:
        """The names of the good inputs."""

    def corpus(self, label: str) -> bytes:
        """One good input."""

    def spoil(self, label: str, body: bytes) -> str:
        """Read a bad one; return what came of it, `rows` or `refused` or the like."""


@dataclass(frozen=True)
class Reader:
    """A reader of one document."""

    good: Mapping[str, bytes]
    take: Callable[[str, bytes], str]

    def labels(self) -> list[str]:
        """The names of the good inputs."""
        return sorted(self.good)

    def corpus(self, label: str) -> bytes:
        """One good input."""
        return self.good[label]

    def spoil(self, label: str, body: bytes) -> str:
        """Read a bad one."""
        return self.take(label, body)


def spoiled(target: Target, chance: random.Random) -> tuple[str, bytes]:
    """Choose a good input and spoil it."""
    label = chance.choice(target.labels())
    return label, mutated(chance, target.corpus(label))


@contextlib.contextmanager
def targets(folder: Path) -> Iterator[Mapping[str, Callable[[], Target]]]:
    """Yield the makers of all targets, by name; files are written below `folder`."""
    with Spoiling(World(model_count=400, paper_count=120, questions_a_month=40)) as services:

        def conversation(name: str, **options: str) -> Callable[[], Target]:
            own = folder / name
            own.mkdir(parents=True, exist_ok=True)
            source, _, provider = name.partition(" ")
            chosen = {
                "stackoverflow api": api(FEW),
                "pypi pypistats": pypistats(("tensorflow", "torch")),
                "pypi clickpy": CLICKPY,
            }
            asked = chosen.get(name) or SOURCES[source].providers[provider]
            at = {setting: f"{services.url}/{path}" for setting, path in options.items()}
            return lambda: Conversation(services, own, asked, at)

        archive = {
            "FW_PWC_LINKS_URL": "pwc/links-between-papers-and-code.json.gz",
            "FW_PWC_PAPERS_URL": "huggingface/datasets/pwc-archive/papers-with-abstracts/resolve/main/data/*.parquet",
        }
        yield {
            "stackoverflow api": conversation("stackoverflow api", FW_STACKEXCHANGE_URL="stackexchange"),
            "huggingface api": conversation("huggingface api", FW_HUGGINGFACE_URL="huggingface"),
            "papers arxiv": conversation("papers arxiv", FW_ARXIV_URL="arxiv"),
            "papers archive": conversation("papers archive", **archive),
            "pypi pypistats": conversation("pypi pypistats", FW_PYPISTATS_URL="pypistats"),
            "pypi clickpy": conversation("pypi clickpy", FW_CLICKPY_URL="clickpy"),
            "papers archive files": lambda: _archive_files(folder),
            "stackoverflow dump": lambda: _file("stackoverflow", "dump", "Posts.xml", posts_xml().encode(), folder),
            "huggingface parquet": lambda: _file(
                "huggingface", "parquet", "models.parquet", models_parquet(400), folder, base=services.url
            ),
            "recorded": lambda: _recorded(folder),
            "settings": lambda: _settings(folder),
            "journal": lambda: _journal(folder),
            "vintage names": lambda: _vintage_names(folder),
            "statements": lambda: _statements(folder),
            "model documents": lambda: _documents(folder),
            "model sql": _model_sql,
            "month": _month,
            "user query": lambda: _user_query(folder),
        }


def _fetch(
    folder: Path, window: Window, now: datetime, *, recorded: Path | None = None, options: Mapping[str, str] = NONE
) -> FetchContext:
    return FetchContext(window, now, Memory(folder), scan, lambda _: None, options=options, recorded=recorded)


def _file(source: str, provider: str, name: str, good: bytes, folder: Path, *, base: str = "") -> Target:
    own = folder / f"{source} {provider}"
    own.mkdir(parents=True, exist_ok=True)

    def take(label: str, body: bytes) -> str:
        (own / label).write_bytes(body)
        options = {"path": str(own / label), "FW_HUGGINGFACE_URL": base}
        return outcome(SOURCES[source].providers[provider], _fetch(own, MAY, NOW, options=options))

    return Reader({name: good}, take)


def _archive_files(folder: Path) -> Target:
    """The two files of the archive, as JSON that is not packed: what is spoiled reaches the reader."""
    own = folder / "archive files"
    own.mkdir(parents=True, exist_ok=True)
    made = {"links": pwc.link_rows(60), "papers": pwc.paper_rows(60)}
    good = {name: json.dumps(rows).encode() for name, rows in made.items()}

    def take(label: str, body: bytes) -> str:
        for name, true in good.items():
            (own / name).write_bytes(body if name == label else true)
        options = {"path": f"links={own / 'links'};papers={own / 'papers'}"}
        return outcome(SOURCES["papers"].providers["archive"], _fetch(own, MAY, NOW, options=options))

    return Reader(good, take)


def _recorded(folder: Path) -> Target:
    own = folder / "recorded"
    shutil.copytree(SHIPPED, own)
    last = date(2023, 6, 1)

    def short(name: str) -> bytes:
        lines = (SHIPPED / name).read_bytes().splitlines(keepends=True)
        return b"".join([lines[0], *lines[1:][:: max(1, len(lines) // 60)]])

    good = {f"{source}.csv": short(f"{source}.csv") for source in SOURCES} | {"outages.csv": short("outages.csv")}

    def take(label: str, body: bytes) -> str:
        (own / label).write_bytes(body)
        sources = [label.removesuffix(".csv")] if label != "outages.csv" else list(SOURCES)
        window, now = Window.of(FIRST_MONTH, last), datetime(2026, 11, 22, tzinfo=UTC)
        said = {
            outcome(SOURCES[source].providers["recorded"], _fetch(own, window, now, recorded=own)) for source in sources
        }
        (own / label).write_bytes(good[label])
        return "refused" if "refused" in said else said.pop()

    return Reader(good, take)


def _settings(folder: Path) -> Target:
    path = folder / "env"
    good = (FOLDER.parent / ".env.example").read_bytes() + b"\nFW_PROVIDERS=pypi=pypistats,stackoverflow=dump:a.xml\n"
    good += b"FW_MODE=live\nFW_PYPISTATS_URL=https://example.org/api\nFW_CONTACT=me@example.org\nHF_TOKEN=hf_x\n"

    def take(_: str, body: bytes) -> str:
        path.write_bytes(body)
        try:
            read({}, dotenv=path)
        except SettingError as error:
            told_on_one_line(str(error))
            return "refused"
        return "read"

    return Reader({"env": good}, take)


def _journal(folder: Path) -> Target:
    own = folder / "journal"
    made = EvidenceStore(own, "pypi", "pypistats", run_id="r1", now=NOW)
    kept = made.keep("GET https://example.org/a", b"a body", name="a")
    made.keep("GET https://example.org/b", b"another", name="b")
    made.reject(kept.ref, "it is unfit")
    path = made.folder / "requests.ndjson"
    good = path.read_bytes()

    def take(_: str, body: bytes) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        store = EvidenceStore(own, "pypi", "pypistats", run_id="r2", now=NOW)
        for request in ("GET https://example.org/a", "GET https://example.org/b"):
            found = store.find(request)
            assert found is None or found.path.resolve().is_relative_to(own.resolve()), f"leaves the folder: {found}"
        store.observed_at([kept.ref])
        return "read" if store.resumed else "nothing"

    return Reader({"journal": good}, take)


def _vintage_names(folder: Path) -> Target:
    own = folder / "vintages"
    good = {"name": b"2023-01/20230705T060000000000Z-run-1.parquet"}

    def take(_: str, body: bytes) -> str:
        shutil.rmtree(own, ignore_errors=True)
        parts = [
            part for part in body.decode("utf-8", "surrogateescape").replace("\0", "").split("/") if part.strip(".")
        ]
        path = own / "raw" / "pypi" / "/".join(part[:80] for part in parts[:2])
        with contextlib.suppress(OSError, UnicodeEncodeError):  # what no file system takes is no name
            path.parent.mkdir(parents=True)
            path.touch()
        store = VintageStore(own)
        store.listing("pypi")
        store.statements("pypi")
        return "read" if store.vintages("pypi") else "nothing"

    return Reader(good, take)


def _statements(folder: Path) -> Target:
    own = folder / "statements"
    path = own / "raw" / "pypi" / "2023-01" / "20230705T060000000000Z.statement.json"
    path.parent.mkdir(parents=True)
    good = {"statement": b'{"provider": "clickpy", "status": "gap", "cause": "c", "remedy": "r"}'}

    def take(_: str, body: bytes) -> str:
        path.write_bytes(body)
        try:
            found = VintageStore(own).statements("pypi")
        except PipelineError as reason:
            told_on_one_line(str(reason))
            return "refused"
        return "read" if found else "nothing"

    return Reader(good, take)


def _documents(folder: Path) -> Target:
    own = folder / "documents"
    own.mkdir()
    paths = [*sorted((FOLDER / "claims").glob("c0[1-3]*.yml")), FOLDER / "marts" / "crossovers.yml"]

    def take(label: str, body: bytes) -> str:
        path = own / "document.yml"
        path.write_bytes(body)
        try:
            read_doc(path, is_claim=label.startswith("c0"))
        except PipelineError:
            return "refused"
        return "read"

    return Reader({path.name: path.read_bytes() for path in paths}, take)


def _model_sql() -> Target:
    def take(_: str, body: bytes) -> str:
        try:
            query = project._parsed("marts/x.sql", body.decode("utf-8", "replace"))
            project._upstream("marts/x.sql", query)
        except PipelineError:
            return "refused"
        return "read"

    paths = [FOLDER / "marts" / "crossovers.sql", FOLDER / "staging" / "pypi.sql"]
    sqlglot.parse("select 1", read="duckdb")
    return Reader({path.name: path.read_bytes() for path in paths}, take)


def _month() -> Target:
    def take(_: str, body: bytes) -> str:
        try:
            parse_month(body.decode("utf-8", "replace"))
        except ValueError:
            return "refused"
        return "read"

    return Reader({"short": b"2023-01", "long": b"2023-01-01"}, take)


def _user_query(folder: Path) -> Target:
    own = folder / "query"
    with Warehouse(own).writing() as writer:
        writer.load_raw("stackoverflow")
        writer.build("marts.x", "select range as a, date '2020-01-01' as b from range(10)", description="", columns={})
    Warehouse(own).publish()
    published = own / "warehouse.duckdb"
    true, there = published.read_bytes(), sorted(path.name for path in own.iterdir())
    good = {
        "select": b"select a, b + 1 as c, list(a) over (order by b) from marts.x where a > 3 order by all",
        "copy": f"with y as (copy marts.x to '{published}.wal' (use_tmp_file false)) select 1".encode(),
        "explain": f"explain analyze copy (select 1) to '{published}'".encode(),
        "file": f"select * from read_csv('{own}/x.csv')".encode(),
    }

    def take(_: str, body: bytes) -> str:
        try:
            query(published, body[:2000].decode("utf-8", "surrogateescape"), seconds=2)
        except WarehouseError as refused:
            told_on_one_line(str(refused))
            return "refused"
        finally:
            assert published.read_bytes() == true, "the published file was changed"
            assert sorted(path.name for path in own.iterdir()) == there, "something was left beside the published file"
        return "rows"

    return Reader(good, take)
