"""Raw vintages: one month of one source as observed at one time, append-only, in Parquet.

In which order things reach the disk: the evidence (`EvidenceStore.flush`, called before), the listing, the vintage, and
then the names of both. So a vintage that is there is whole, and so is everything that it names.
Nothing here fetches or validates: rows arrive validated, and what was written is never changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.contract import PROVENANCE
from fw_pipeline.months import parse_month
from fw_pipeline.raw import statements
from fw_pipeline.raw.file_names import UNPARTITIONED, folder_of, is_folder, stamp, stamped
from fw_pipeline.raw.statements import Statement
from fw_pipeline.raw.storage import storage_of
from fw_pipeline.sources import SOURCES

_AT_ONCE = 16
"""Requests to an object store, each of which waits for the network."""


class UnreadableVintageError(StorageError):
    """A vintage is damaged: it is set aside, so that a good one can replace it."""


@dataclass(frozen=True, slots=True, order=True)
class Vintage:
    """One month (or the unpartitioned figures) of one source, as observed at one time by one provider."""

    month: date | None
    observed_at: datetime
    run_id: str
    path: Path

    @property
    def detail(self) -> Path:
        """The row-level listing next to it, if there is one."""
        return self.path.with_suffix(".detail.parquet")


class VintageStore:
    """The raw vintages of all sources: append-only Parquet files, one for each month and observation."""

    def __init__(self, data_dir: Path) -> None:
        """Use the vintages below `data_dir`, a folder or an address in an object store."""
        self._root, self._storage = data_dir / "raw", storage_of(data_dir)
        self.unreadable: list[StorageError] = []
        """Vintages that could not be read and were set aside, each as the error to show."""

    def add(
        self,
        source: str,
        month: date | None,
        rows: pl.DataFrame,
        *,
        provider: str,
        observed_at: datetime,
        evidence: tuple[str, ...],
        run_id: str,
        detail: pl.DataFrame | None = None,
        detail_name: str | None = None,
    ) -> Vintage | None:
        """Write a vintage; if it equals the provider's current one, write nothing and return None.

        Equal means the same evidence and the same rows, and a listing that is there if there is one. A re-fetch of a
        live source has new evidence.

        Raises:
            StorageError: the data folder refuses the file.
        """
        table = SOURCES[source].table
        moment = pl.lit(round(observed_at.timestamp() * 1_000_000))  # for a moment of Python's, Polars runs two queries
        frame = (
            rows.lazy()
            .select(table.schema.names())
            .with_columns(
                pl.lit(provider).alias("provider"),
                moment.cast(PROVENANCE["observed_at"]).alias("observed_at"),
                pl.lit(";".join(evidence)).alias("evidence"),
                pl.lit(run_id).alias("run_id"),
            )
            .sort(list(table.key))
            .collect()
        )
        has_listing = detail is not None and detail_name is not None
        if self._unchanged(source, month, frame, provider, has_listing=has_listing):
            return None
        written = self._after_the_others(source, month, observed_at)
        vintage = Vintage(month, written, run_id, self._folder(source, month) / f"{stamp(written)}-{run_id}.parquet")
        noted = {"provider": provider}
        if detail is not None and detail_name is not None:
            noted["detail"] = detail_name
            self._storage.put(vintage.detail, _packed(detail, {"detail": detail_name}), flush_name=False)
        self._storage.put(vintage.path, _packed(frame, noted))
        return vintage

    def sweep_listings(self, source: str) -> None:
        """Remove the listings of a source whose vintage was never written, because the run was killed in between.

        Call it only while no other process writes vintages of that source. Where other machines may be writing, they
        stay: they take room, and nothing reads them.
        """
        there = set() if self._storage.shared else {*self._storage.names(self._root / source)}
        for name in sorted(there):
            stem = name.removesuffix(".detail.parquet")
            if stem != name and there.isdisjoint({f"{stem}.parquet", f"{stem}.unreadable"}):
                with contextlib.suppress(OSError):
                    self._storage.remove(self._root / source / name)

    def state(self, statement: Statement) -> None:
        """Store what a fetch reported about a month without figures, unless it is already stored."""
        last = self.statements(statement.source, statement.month)
        if last and replace(last[-1], at=statement.at) == statement:
            return
        at = max(statement.at, last[-1].at + timedelta(microseconds=1)) if last else statement.at
        folder = self._folder(statement.source, statement.month)
        statements.write(self._storage, folder, replace(statement, at=at))

    def vintages(self, source: str) -> list[Vintage]:
        """Return every vintage of a source, oldest first within each month."""
        root = self._root / source
        return [it for name in self._storage.names(root) if (it := _vintage(root, name)) is not None]

    def listings(self, source: str, vintages: Iterable[Vintage]) -> list[tuple[str, Path]]:
        """Return the row-level listings of some vintages, each as its name and where it lies.

        Raises:
            UnreadableVintageError: one is damaged; it was set aside.
        """
        there = {self._root / source / name for name in self._storage.names(self._root / source)}
        found = [vintage for vintage in vintages if vintage.detail in there]
        noted = self._each(self._of_listing, [vintage.detail for vintage in found])
        for vintage, of in zip(found, noted, strict=True):
            if "detail" not in of:
                raise self._set_listing_aside(source, vintage, "not a Parquet file")
        return [(of["detail"], vintage.detail) for of, vintage in zip(noted, found, strict=True)]

    def read_listings(self, source: str) -> None:
        """Read all row-level listings of a source to their ends, to find one that is damaged inside.

        Raises:
            UnreadableVintageError: one is; it was set aside.
        """
        vintages = self.vintages(source)
        there = self._storage.existing(vintage.detail for vintage in vintages)
        for vintage in vintages:
            if vintage.detail in there:
                try:
                    with self._storage.opened(vintage.detail) as stream:
                        pl.read_parquet(stream, hive_partitioning=False)
                except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
                    raise self._set_listing_aside(source, vintage, str(error).splitlines()[0]) from error

    def without_listing(self, source: str, vintages: Iterable[Vintage]) -> list[Vintage]:
        """Return those of some vintages that were written with a row-level listing which is not there any more."""
        there = {self._root / source / name for name in self._storage.names(self._root / source)}
        alone = [vintage for vintage in vintages if vintage.detail not in there]
        noted = self._each(self._metadata, [vintage.path for vintage in alone])
        return [vintage for vintage, of in zip(alone, noted, strict=True) if "detail" in of]

    def address(self, path: Path) -> str:
        """Return the address at which another program reads a file."""
        return self._storage.address(path)

    def by_provider(self, source: str) -> list[tuple[Vintage, str | None]]:
        """Return every vintage with the provider whose answer it is, oldest first; None where a file cannot be read."""
        found = self.vintages(source)
        noted = self._each(self._metadata, [vintage.path for vintage in found])
        return [(vintage, of.get("provider")) for vintage, of in zip(found, noted, strict=True)]

    def listing(self, source: str) -> str:
        """Return a fingerprint that changes when a vintage or a statement of a source is added or removed.

        Cheap: it uses only file names, and reads no file. With row-level listings, which the published file reads where
        they are, it also changes when the folder is moved.
        """
        names = [
            name
            for name in self._storage.names(self._root / source)
            if re.fullmatch(r"[^/]+/\d[^/]*(\.parquet|\.statement\.json)", name)
        ]
        if any(name.endswith(".detail.parquet") for name in names):
            names.append(self._storage.address(self._root))
        return hashlib.sha256("\n".join(names).encode("utf-8", "surrogateescape")).hexdigest()[:16]

    def read(self, source: str, vintage: Vintage) -> pl.DataFrame:
        """Return the rows of one vintage.

        Raises:
            UnreadableVintageError: the file is truncated, not Parquet, or its columns are not those of the contract.
            StorageError: the object store cannot be used.
        """
        try:
            with self._storage.opened(vintage.path) as stream:
                frame = pl.read_parquet(stream, hive_partitioning=False)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise broken(source, vintage, str(error).splitlines()[0]) from error
        schema = pl.Schema({**SOURCES[source].table.schema, **PROVENANCE})
        if frame.schema != schema:
            raise broken(source, vintage, "its columns are not those of the contract")
        return frame

    def last(self, source: str, month: date | None, provider: str) -> pl.DataFrame | None:
        """Return the rows of the latest vintage of a month by one provider.

        One that cannot be read is set aside and noted in `unreadable`, so that it keeps no good one from being written.
        """
        for vintage in reversed(self.vintages_of(source, month)):
            try:
                rows = self.read(source, vintage)
            except UnreadableVintageError as failure:
                self.set_aside(vintage)
                self.unreadable.append(failure)
                continue
            if rows["provider"].first() == provider:
                return rows
        return None

    def current(self, source: str, month: date | None, provider: str) -> Vintage | None:
        """Return the latest readable vintage of a month by one provider."""
        newest_first = reversed(self.vintages_of(source, month))
        return next((it for it in newest_first if self._metadata(it.path).get("provider") == provider), None)

    def vintages_of(self, source: str, month: date | None) -> list[Vintage]:
        """Return the vintages of one month, oldest first."""
        root, folder = self._root / source, folder_of(month)
        names = self._storage.names(root / folder)
        return [it for name in names if (it := _vintage(root, f"{folder}/{name}")) is not None]

    def statements(self, source: str, month: date | None = None) -> list[Statement]:
        """Return what fetches reported about months without figures, oldest first.

        Raises:
            StorageError: one of the files is damaged.
        """
        return statements.read(self._storage, source, self._root / source, folder_of(month) if month else None)

    def set_aside(self, vintage: Vintage) -> None:
        """Rename a vintage that cannot be read, so that a good one can replace it; it is never deleted."""
        self._storage.rename(vintage.path, vintage.path.with_suffix(".unreadable"))

    def _set_listing_aside(self, source: str, vintage: Vintage, cause: str) -> UnreadableVintageError:
        self._storage.rename(vintage.detail, vintage.detail.with_suffix(".unreadable"))
        return broken(source, vintage, cause, listing=True)

    def _each(self, read: Callable[[Path], dict[str, str]], paths: Sequence[Path]) -> list[dict[str, str]]:
        """Read from some files; in an object store, from several at once."""
        if not self._storage.shared:
            return [read(path) for path in paths]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(read, paths))

    def _of_listing(self, path: Path) -> dict[str, str]:
        """Return what is noted in a listing; nothing where it is damaged."""
        with contextlib.suppress(pl.exceptions.PolarsError):
            return self._storage.metadata(path)
        return {}

    def _metadata(self, path: Path) -> dict[str, str]:
        """Return what is noted in a file; nothing where it cannot be read."""
        with contextlib.suppress(pl.exceptions.PolarsError, OSError):
            return self._storage.metadata(path)
        return {}

    def _after_the_others(self, source: str, month: date | None, at: datetime) -> datetime:
        """Return a time later than every vintage of a month, so that names sort in the order of writing.

        Otherwise, if the clock had once been ahead, that vintage would stay the current one for years.
        """
        others = self.vintages_of(source, month)
        return max(at, others[-1].observed_at + timedelta(microseconds=1)) if others else at

    def _folder(self, source: str, month: date | None) -> Path:
        return self._root / source / folder_of(month)

    def _unchanged(
        self, source: str, month: date | None, frame: pl.DataFrame, provider: str, *, has_listing: bool
    ) -> bool:
        last = self.last(source, month, provider)
        if last is None or not last.drop("observed_at", "run_id").equals(frame.drop("observed_at", "run_id")):
            return False
        current = self.current(source, month, provider) if has_listing else None
        return current is None or bool(self._storage.existing([current.detail]))


def _packed(frame: pl.DataFrame, metadata: dict[str, str]) -> memoryview:
    packed = io.BytesIO()  # Polars would report a full disk as an invalid Parquet file
    frame.write_parquet(packed, compression="zstd", metadata=metadata)
    return packed.getbuffer()


def broken(source: str, vintage: Vintage, cause: str, *, listing: bool = False) -> UnreadableVintageError:
    """Return the error, in one line, for a vintage or its listing that cannot be read, and how to get it again."""
    what = f"listing {vintage.detail.name}" if listing else f"vintage {vintage.path.name}"
    cause = f"{what} cannot be read: {cause}"
    remedy = f"fetch it again: fw-pipeline run --source {source}"
    if vintage.month:
        remedy += f" --from {vintage.month:%Y-%m} --to {vintage.month:%Y-%m}"
    if listing:  # the month itself is there
        remedy += " --again"
    return UnreadableVintageError(source, cause, remedy, month=vintage.month)


def _vintage(root: Path, name: str) -> Vintage | None:
    """Return the vintage in a file below the folder of a source; None where it is none."""
    folder, _, file = name.partition("/")
    begins, _, run_id = file.removesuffix(".parquet").partition("-")
    at = stamped(begins)
    if at is None or not is_folder(folder) or not file.endswith(".parquet") or file.endswith(".detail.parquet"):
        return None
    return Vintage(None if folder == UNPARTITIONED else parse_month(folder), at, run_id, root / name)
