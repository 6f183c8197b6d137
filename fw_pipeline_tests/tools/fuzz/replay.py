"""One fetch of a provider, recorded once against the fake services, and asked again with one answer gone bad.

What is spoiled comes over loopback, packed and all; the rest comes from memory, so that one input costs one request.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from fw_pipeline.contract import Batch, Evidence, EvidenceWriter, FetchContext, Provider
from fw_pipeline.errors import PipelineError
from fw_pipeline.months import Window
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse import scan
from fw_pipeline_tests.support.fake_services.messages import Request, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.tools.fuzz.mutations import mutated

NOW = datetime(2023, 7, 5, 6, 0, tzinfo=UTC)
"""The present of the fake services' world."""

MAY = Window.of(date(2023, 5, 1), date(2023, 5, 1))

AT_ONCE = {"pace": "0", "first_wait": "0", "longest_wait": "0", "tries": "1", "patience": "1", "rest": "0"}


@dataclass(frozen=True)
class Kept:
    """An answer in memory, and on disk once somebody wants a path."""

    ref: str
    body: bytes
    folder: Path

    @property
    def path(self) -> Path:
        """Where the file lies."""
        path = self.folder / self.ref
        if not path.exists():
            path.write_bytes(self.body)
        return path

    def read(self) -> bytes:
        """Return the body."""
        return self.body


@dataclass(frozen=True)
class Named:
    """A file that the user named."""

    ref: str
    path: Path

    def read(self) -> bytes:
        """Return the body."""
        return self.path.read_bytes()


@dataclass
class Memory(EvidenceWriter):
    """An evidence store whose answers live as long as it does."""

    folder: Path
    answers: dict[str, Kept] = field(default_factory=dict)
    made: int = 0

    def find(self, request: str) -> Kept | None:
        """Return the answer to a request."""
        return self.answers.get(request)

    def find_earlier(self, *requests: str) -> tuple[Kept, ...]:  # noqa: ARG002 - the signature of the evidence store
        """Return nothing: there was no fetch before."""
        return ()

    def keep_again(self, request: str, kept: Evidence) -> None:
        """Do nothing: nothing is found that could be kept again."""

    def observed_at(self, refs: Iterable[str]) -> datetime:  # noqa: ARG002 - the signature of the evidence store
        """Return when answers were given: the present of the fake services."""
        return datetime(2023, 7, 5, tzinfo=UTC)

    def keep(self, request: str, body: bytes | Iterator[bytes], *, name: str) -> Kept:
        """Remember an answer."""
        self.made += 1
        whole = body if isinstance(body, bytes) else b"".join(body)
        kept = Kept(f"{id(self)}-{self.made}-{name.rpartition('.')[2]}", whole, self.folder)
        self.answers[request] = kept
        return kept

    def keep_file(self, request: str, path: Path) -> Named:
        """Remember a file of the user's."""
        return Named(request, path)

    def reject(self, ref: str, cause: str) -> None:
        """Forget an answer."""
        assert cause
        self.answers = {request: kept for request, kept in self.answers.items() if kept.ref != ref}


@dataclass
class Spoiling(FakeServices):
    """The fake services, which give one body instead of any answer once they are told to."""

    instead: Response | None = None
    said: dict[str, Response] = field(default_factory=dict)
    """The last true answer of each service and path."""

    def respond(self, request: Request) -> Response:
        """Return the true answer and remember it, or the spoiled one."""
        if self.instead is not None:
            return self.instead
        true = super().respond(request)
        self.said[f"/{request.service}{request.path}"] = true
        return true


class NotClean(AssertionError):  # noqa: N818 - a finding
    """A reader let something pass that it should have refused."""


def outcome(provider: Provider, fetch: FetchContext, into: list[Batch] | None = None) -> str:
    """Run a provider to its end; return whether it gave rows, only gaps, or refused; what it gave goes `into` a list.

    Raises:
        NotClean: what it gave breaks the contract of its table.
    """
    table, rows, refused, gaps = SOURCES[provider.source].table, 0, 0, 0
    try:
        for answer in provider.fetch(fetch):
            if not isinstance(answer, Batch):
                refused += 1
                told_on_one_line(str(answer))
                continue
            if answer.rows.schema != table.schema:
                raise NotClean(f"columns {answer.rows.schema}")
            if answer.month is not None and (answer.month not in fetch.window or _strays(answer)):
                raise NotClean(f"figures of {answer.month} outside of the question")
            for name in table.measures:
                column = answer.rows[name]
                if name in table.required and column.null_count():
                    raise NotClean(f"{name} is NULL")
                if column.dtype.is_integer() and (column < 0).any():
                    raise NotClean(f"{name} is negative")
            if into is not None:
                into.append(answer)
            rows += answer.rows.height
            gaps += answer.gap is not None
    except PipelineError as reason:
        refused += 1
        told_on_one_line(str(reason))
    return "refused" if refused else "rows" if rows else "gap" if gaps else "nothing"


def _strays(batch: Batch) -> bool:
    return batch.rows.height > 0 and batch.rows["month"].unique().to_list() != [batch.month]


def told_on_one_line(text: str) -> None:
    """Look at what a user would read.

    Raises:
        NotClean: it is longer than anybody reads, or would do something to a terminal.
    """
    if not text.isprintable() or len(text) > 1500:
        raise NotClean(f"not one printable line: {text!r:.300}")


@dataclass
class Conversation:
    """A provider's fetch of one month against the fake services, and the same with one answer spoiled."""

    services: Spoiling
    folder: Path
    provider: Provider
    options: Mapping[str, str]
    window: Window = MAY

    def __post_init__(self) -> None:
        """Ask once in truth; what comes must be rows."""
        evidence_store = Memory(self.folder)
        assert outcome(self.provider, self._fetch(evidence_store)) == "rows", self.provider.name
        self._answers = dict(evidence_store.answers)
        self._true = {request: kept for request, kept in self._answers.items() if not request.startswith("headers of ")}
        self._paths = dict(self.services.said)
        self.services.said.clear()

    def labels(self) -> list[str]:
        """The requests whose answers can be spoiled."""
        return sorted(self._true)

    def corpus(self, label: str) -> bytes:
        """The true body of an answer."""
        return self._true[label].body

    def spoil(self, label: str, body: bytes, into: list[Batch] | None = None) -> str:
        """Ask again, with this body in the place of one answer; return what came of it."""
        spoilt = {label, f"headers of {label}"}
        evidence_store = Memory(self.folder, {it: kept for it, kept in self._answers.items() if it not in spoilt})
        path = "/" + label.split(" ")[1].split("?", maxsplit=1)[0].split("/", 3)[3]
        true = self._paths.get(path) or next(iter(self._paths.values()))
        self.services.instead = Response(200, true.headers, body)
        try:
            return outcome(self.provider, self._fetch(evidence_store), into)
        finally:
            self.services.instead = None
            for left in self.folder.glob(f"{id(evidence_store)}-*"):
                left.unlink()

    def spoiled(self, chance: random.Random) -> tuple[str, bytes]:
        """Choose an answer and spoil it."""
        label = chance.choice(self.labels())
        return label, mutated(chance, self.corpus(label))

    def _fetch(self, evidence_store: Memory) -> FetchContext:
        options = {"contact": "", "scratch": str(self.folder / "scratch"), **AT_ONCE, **self.options}
        return FetchContext(self.window, NOW, evidence_store, _scan, lambda _: None, options=options)


def _scan(sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
    return scan(sql, parameters)
