"""What every step works with: the settings, sources, SQL models and files of a run, and what becomes of its failures.

Errors of this package become failures as Dagster shows them, and failed steps become lines of text.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ParamSpec, TypeVar

from dagster import DagsterEvent, DagsterEventType, DagsterExecutionInterruptedError, Failure, MetadataValue

from fw_pipeline import settings as environment
from fw_pipeline import signals
from fw_pipeline.contract import Source
from fw_pipeline.errors import PipelineError
from fw_pipeline.locks import silent
from fw_pipeline.orchestration import instance
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import Settings
from fw_pipeline.text import in_markdown
from fw_pipeline.transform import FORECASTS, MEASUREMENTS, Model
from fw_pipeline.transform.seeds import seeds
from fw_pipeline.warehouse import Warehouse, Writer

P = ParamSpec("P")
R = TypeVar("R")

_INTERRUPTS = (KeyboardInterrupt.__name__, DagsterExecutionInterruptedError.__name__)


def registered(sources: Mapping[str, Source]) -> frozenset[str]:
    """Return the relations that exist before any model is built, and that models may read."""
    raw = {f"raw.{name}{suffix}" for name in sources for suffix in ("", "_vintages", "_unpartitioned")}
    providers = [provider for source in sources.values() for provider in source.providers.values()]
    detail = {f"detail.{provider.detail.name}" for provider in providers if provider.detail}
    return frozenset(raw | detail | {f"meta.{seed.name}" for seed in seeds()} | {MEASUREMENTS, FORECASTS})


@dataclass
class Pipeline:
    """The parts that a run works with. Settings are read at first use, so that importing asks nothing of anybody."""

    sources: Mapping[str, Source]
    models: tuple[Model, ...]
    given: Settings | None = None
    """Settings to use; None reads the environment."""
    progress: Callable[[str, str], None] = field(default=lambda _stage, _what: None)
    """Told of every step that is done: its stage, and what it was."""
    again: bool = True
    """Whether months that are here already are asked for again; in the UI, whoever chooses a month wants it fetched."""
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    log: Callable[[str], None] = silent
    """Hears what the log of the run should hold."""

    def waits(self, text: str) -> None:
        """Say what is waited for, and until when."""
        self.log(text)
        self.progress("wait", text)

    @cached_property
    def settings(self) -> Settings:
        """The settings of this run."""
        return self.given or environment.read()

    @cached_property
    def warehouse(self) -> Warehouse:
        """The DuckDB files."""
        return Warehouse(self.settings.data_dir, waits=self.waits)

    @cached_property
    def vintages(self) -> VintageStore:
        """The raw vintages."""
        return VintageStore(self.settings.data_dir)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Open the working file with everything that models may read and that no model makes.

        The raw tables are as the vintages on disk say; small tables are made where they are missing, so that any asset
        can be built first.
        """
        with self.warehouse.writing() as writer:
            self._stock(writer)
            yield writer

    @contextmanager
    def building(self, wanted: Collection[str]) -> Iterator[Callable[[], AbstractContextManager[Writer]]]:
        """Open the working file as `writing` does, for one transaction after another; `wanted` are made in them."""
        with self.warehouse.in_turn() as transaction:
            with transaction() as writer:
                self._stock(writer, but=wanted)
            yield transaction

    @contextmanager
    def publishing(self) -> Iterator[Writer]:
        """Open the working file as `writing` does, and publish it before anybody else writes."""
        with self.warehouse.publishing() as writer:
            self._stock(writer)
            yield writer

    def _stock(self, writer: Writer, but: Collection[str] = ()) -> None:
        for name in self.sources:
            writer.load_raw_if_changed(name)
        for seed in seeds():
            if f"meta.{seed.name}" not in but and not writer.has(f"meta.{seed.name}"):
                seed.make(writer, self)


def plain_failures(step: Callable[P, R]) -> Callable[P, R]:
    """Let a step raise a `PipelineError`, or an `ExceptionGroup` of them; the run fails with a line for each.

    Anything else is a defect, and Dagster shows its traceback.
    """
    if inspect.isgeneratorfunction(step):

        @functools.wraps(step)
        def run(*args: P.args, **kwargs: P.kwargs) -> Any:
            with _as_failure():
                yield from step(*args, **kwargs)
    else:

        @functools.wraps(step)
        def run(*args: P.args, **kwargs: P.kwargs) -> Any:
            with _as_failure():
                return step(*args, **kwargs)

    return run


@contextmanager
def _as_failure() -> Iterator[None]:
    try:
        yield
    except PipelineError as reason:
        raise failure([reason]) from None
    except ExceptionGroup as group:
        reasons, defects = group.split(PipelineError)
        if reasons is None or defects is not None:
            raise
        raise failure(reasons.exceptions) from None


def failure(reasons: Sequence[Exception]) -> Failure:
    """Return the failure that shows every reason as one line, first in the UI and then on the command line."""
    lines = list(dict.fromkeys(str(reason) for reason in reasons))
    return Failure(
        description="\n".join(lines),
        metadata={"reasons": MetadataValue.md("\n".join(f"* {in_markdown(line, 2000)}" for line in lines))},
        allow_retries=False,
    )


def was_interrupted(event: DagsterEvent) -> bool:
    """Say whether a step, or a run between two steps, failed for no other reason than that somebody stopped it."""
    if event.event_type not in (DagsterEventType.STEP_FAILURE, DagsterEventType.RUN_FAILURE):
        return False
    is_step = event.event_type is DagsterEventType.STEP_FAILURE
    error = event.step_failure_data.error if is_step else event.job_failure_data.error
    return error is not None and error.cls_name in _INTERRUPTS


def failure_lines(told: Iterable[DagsterEvent]) -> list[str]:
    """Return each failure among the events of a run as one line: what, month, cause, remedy; broken rules too."""
    events, lines = list(told), list[str]()
    for event in events:
        if event.event_type is not DagsterEventType.STEP_FAILURE:
            continue
        if was_interrupted(event):
            lines.append(f"{event.step_key}: {signals.INTERRUPTED}; {signals.REMEDY}")
            continue
        failed = event.step_failure_data
        described = failed.user_failure_data.description if failed.user_failure_data else None
        error = failed.error
        while error is not None and error.cause is not None:
            error = error.cause
        words = " ".join(error.message.split()) if error else "failed without a word"
        if "sqlite3.OperationalError" in words:
            lines.append(f"Dagster's history: {words.partition(' [SQL')[0]}; {instance.REMEDY}")
            continue
        remedy = "this is a defect of fw-pipeline: please report it with this line"
        lines += (described or f"{event.step_key}: {words}; {remedy}").splitlines()
    return list(dict.fromkeys(lines)) or [_line_of_the_run(event) for event in events if _ended_without_a_step(event)]


def _ended_without_a_step(event: DagsterEvent) -> bool:
    return event.event_type is DagsterEventType.RUN_FAILURE and not was_interrupted(event)


def _line_of_the_run(event: DagsterEvent) -> str:
    """Return the line of a run that failed outside its steps: before the first, as a resource could not be had."""
    error, words = event.job_failure_data.error, "failed without a word"
    while error is not None:
        words = " ".join(error.message.split())
        kind, _, told = words.partition(": ")
        if told and kind.startswith("fw_pipeline."):
            return told
        error = error.cause
    return f"{event.job_name}: {words}; this is a defect of fw-pipeline: please report it with this line"
