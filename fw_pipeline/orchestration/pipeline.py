"""What every step works with: the settings, sources, SQL models and files of a run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from fw_pipeline import settings as environment
from fw_pipeline.contract import Source
from fw_pipeline.locks import silent
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import Settings
from fw_pipeline.transform import FORECASTS, MEASUREMENTS, Model
from fw_pipeline.transform.seeds import seeds
from fw_pipeline.warehouse import Lake, Warehouse, Writer


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
        given = self.settings
        lake = Lake(given.lake, given.data_dir, given.work_dir) if given.lake else None
        return Warehouse(given.work_dir, data_dir=given.data_dir, waits=self.waits, locks=given.locks, lake=lake)

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
        for lost in writer.lost:
            self.log(lost)
            self.progress("say", lost)
        for seed in seeds():
            if f"meta.{seed.name}" not in but and not writer.has(f"meta.{seed.name}"):
                seed.make(writer, self)
