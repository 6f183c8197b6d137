"""Responses of the providers, verbatim and write-once: no request is repeated, and every figure can be traced.

In which order things reach the disk, should the power fail: the content of a response, always; then its name and its
journal entry, at the latest when something is about to point to it or when one is rejected (`flush`). What was not
flushed is requested again. A process that is killed loses nothing. Nothing here parses a response.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import IO, Any

from fw_pipeline.atomic_files import StorageError, unwritable
from fw_pipeline.contract import ANSWERS_BEHIND, HEADERS_OF, Evidence
from fw_pipeline.months import Window
from fw_pipeline.raw.storage import LocalStorage, Storage, storage_of

GO_ON_FOR = timedelta(days=7)
"""How long after its last response an unfinished fetch is resumed: a fetch that takes weeks need not start over."""

REPLAYED_FOR = timedelta(days=31)
"""How long a response is reused: otherwise a fetch that never finishes would return the same figures indefinitely."""

_JOURNAL = "requests.ndjson"
_PACKED = (".gz", ".parquet", ".7z", ".zst")

_LEVEL = 3
"""Of compression: half the time of gzip's usual 6, for a sixth more bytes of a listing of the Hub."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """One response as the provider sent it, and where it is kept."""

    ref: str
    place: Path
    storage: Storage = field(default_factory=LocalStorage, repr=False, compare=False)
    scratch: Path | None = field(default=None, repr=False, compare=False)

    @property
    def path(self) -> Path:
        """A file of this machine with the response in it; what is in an object store is fetched once."""
        return self.storage.on_disk(self.place, self.scratch)

    def read(self) -> bytes:
        """Return the body. Bodies are compressed where they are kept unless they arrived compressed."""
        with self.storage.opened(self.place) as stream:
            data = stream.read()
        return gzip.decompress(data) if self.place.name.endswith(".body.gz") else data


class EvidenceStore:
    """The responses of one fetch, verbatim and write-once; an unfinished fetch is resumed instead of restarted."""

    def __init__(
        self,
        data_dir: Path,
        source: str,
        provider: str,
        *,
        run_id: str,
        now: datetime,
        months: Window | None = None,
        scratch: Path | None = None,
    ) -> None:
        """Open the folder of this provider's unfinished fetch if there is a recent one, else a new one for `run_id`.

        Args:
            data_dir: the data folder, or an address in an object store.
            source: whose provider it is.
            provider: who is asked.
            run_id: names the folder.
            now: when the fetch began.
            months: those that are fetched. An unfinished fetch of others is left for whoever fetches these: it may be
                another part of the same backfill. None: any.
            scratch: a folder of this machine for copies from an object store; the caller removes it after the fetch.
        """
        self._root, self._storage, self._scratch = data_dir, storage_of(data_dir), scratch
        self._provider_dir = data_dir / "evidence" / source / provider
        self._now, self._months = now, months
        self._unsaid = [{"months": [months.start.isoformat(), months.end.isoformat()]}] if months else []
        unfinished = self._unfinished()
        self.folder = unfinished[0] if unfinished else self._provider_dir / run_id
        self._also_unfinished = unfinished[1:]
        self._journal = self.folder / _JOURNAL
        self._answers: dict[str, str] = {}
        self._at: dict[str, datetime] = {}
        entries = list(self._entries(self._journal))
        self._begun = bool(entries)
        # what a killed attempt left may not have reached the disk
        self._unflushed = {self._journal, self.folder, self._provider_dir} if entries else set[Path]()
        kept = self._kept(str(entry["ref"]) for entry in entries if "ref" in entry)
        headless: set[str] = set()
        for entry in entries:
            match entry:
                case {"request": str(request), "ref": str(ref), "at": str(at)}:
                    moment = _moment(at)
                    if moment is not None and now - moment < REPLAYED_FOR and ref in kept:
                        self._answers[request] = ref
                        self._at[ref] = moment
                    elif request.startswith(HEADERS_OF):
                        headless.add(request.removeprefix(HEADERS_OF))
                case {"rejected": str(ref)}:
                    self._forget(ref)
                case _:
                    pass
        for request in headless:  # without its headers, a page would look like the last one of its listing
            self._answers.pop(request, None)
        self.resumed = sum(not request.startswith((HEADERS_OF, ANSWERS_BEHIND)) for request in self._answers)
        """How many responses an earlier, unfinished attempt left, not counting their stored headers."""

    def observed_at(self, refs: Iterable[str]) -> datetime:
        """Return the time of the latest of some responses: now, or earlier if a fetch was resumed."""
        return max((self._at[ref] for ref in refs if ref in self._at), default=self._now)

    def find(self, request: str) -> KeptAnswer | None:
        """Return the response that this fetch already has for a request."""
        ref = self._answers.get(request)
        return self._answer(ref) if ref else None

    def find_earlier(self, *requests: str) -> tuple[KeptAnswer, ...]:
        """Return the responses that the previous fetch kept for some requests; nothing unless it kept all of them.

        Each is verified to be as it was written: "not modified" from a service must not confirm a damaged file.
        """
        fetches: dict[str, dict[str, str]] = {}
        for folder in self._storage.folders(self._provider_dir):
            entries = list(self._entries(folder / _JOURNAL))
            begun = next((str(entry["begun"]) for entry in entries if "begun" in entry), "")
            answers = fetches.setdefault(f"{begun} {folder.name}", {})
            for entry in entries:
                match entry:
                    case {"request": str(request), "ref": str(ref)}:
                        answers[request] = ref
                    case {"rejected": str(ref)}:
                        answers |= {request: "" for request, kept in answers.items() if kept == ref}
                    case _:
                        pass
        for _, answers in sorted(fetches.items(), reverse=True):
            if any(answers.get(request) == "" for request in requests):
                return ()  # it was rejected last time
            refs = [answers[request] for request in requests if request in answers]
            if len(refs) == len(requests):
                there = self._kept(refs)
                found = tuple(self._answer(ref) for ref in refs)
                return found if all(it.ref in there and self._is_as_written(it.place) for it in found) else ()
        return ()

    def keep_again(self, request: str, kept: Evidence) -> None:
        """Record that a response of an earlier fetch is also the response of this one: nothing has changed since."""
        place = self._root / kept.ref
        self._unflushed.add(place.parent)
        self._note(request, place)

    def keep(self, request: str, body: bytes | Iterator[bytes], *, name: str) -> KeptAnswer:
        """Write a response under its content hash, once, and record which request it answers.

        Raises:
            StorageError: the data folder refuses the file.
        """
        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "answer"
        packed = safe.endswith(_PACKED)
        digest = hashlib.sha256()
        try:
            with self._storage.draft(self.folder, self._scratch) as aside:
                out: IO[bytes] | gzip.GzipFile = aside if packed else gzip.GzipFile("", "wb", _LEVEL, aside, mtime=0)
                for chunk in (body,) if isinstance(body, bytes) else body:
                    digest.update(chunk)
                    out.write(chunk)
                if out is not aside:
                    out.close()
                stem, _, suffix = safe.rpartition(".")
                short = digest.hexdigest()[:16]
                final = f"{stem}.{short}.{suffix}" if packed else f"{safe}.{short}.body.gz"
                # an earlier fetch may have kept the same body under the same name: evidence is never written twice
                earlier = self._storage.find(self._provider_dir, final)
                place = earlier or self.folder / final
                if not (earlier and self._is_as_written(earlier)):
                    self._storage.settle(aside, place)
            self._unflushed.add(place.parent)
        except OSError as error:
            raise unwritable(self.folder / safe, error) from error
        return self._note(request, place)

    def keep_file(self, request: str, path: Path) -> KeptAnswer:
        """Record a file that the user named, by its content hash and path, without copying it.

        Raises:
            StorageError: the file cannot be read.
        """
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            note = json.dumps({"file": path.name, "bytes": path.stat().st_size, "sha256": digest}, sort_keys=True)
        except OSError as error:
            raise StorageError(request, f"cannot read {path}: {error.strerror}", "name a readable file") from error
        ref = self.keep(request, note.encode(), name=f"{path.name}.reference.json").ref
        return KeptAnswer(ref, path)  # the user's own file

    def reject(self, ref: str, cause: str) -> None:
        """Mark a stored response as invalid: it stays as evidence, and is requested again next time.

        That is on disk at once: nothing that is unfit may be used again.
        """
        self._append({"rejected": ref, "cause": cause[:500]})
        self._forget(ref)
        self.flush()

    def flush(self) -> None:
        """Let the names and entries of all responses so far reach the disk: call it before a vintage names them."""
        self._storage.flush(self._unflushed)
        self._unflushed.clear()

    def finish(self) -> None:
        """Mark the fetch as complete: the next fetch starts from the beginning."""
        if not self._storage.names(self.folder):
            return
        self._append({"finished": True})
        for folder in self._also_unfinished:  # else their answers would be older than what is here now
            self._storage.append(folder / _JOURNAL, '\n{"finished": true}', opening="")
            self._unflushed.add(folder / _JOURNAL)
        self.flush()
        if self._storage.names(self.folder) == [_JOURNAL]:
            self._storage.remove(self._journal)  # every response had already been stored by an earlier fetch

    def _kept(self, refs: Iterable[str]) -> set[str]:
        """Return those of some references that name a file inside the evidence folder."""
        inside = {
            ref: self._root / ref
            for ref in refs
            if (parts := PurePosixPath(ref).parts)[:1] == ("evidence",) and ".." not in parts
        }
        there = self._storage.existing(inside.values())
        return {ref for ref, path in inside.items() if path in there}

    def _answer(self, ref: str) -> KeptAnswer:
        return KeptAnswer(ref, self._root / ref, self._storage, self._scratch)

    def _note(self, request: str, path: Path) -> KeptAnswer:
        ref = path.relative_to(self._root).as_posix()
        self._append({"request": request, "ref": ref, "at": self._now.isoformat()})
        self._answers[request] = ref
        self._at[ref] = self._now
        return self._answer(ref)

    def _forget(self, ref: str) -> None:
        self._answers = {request: kept for request, kept in self._answers.items() if kept != ref}

    def _append(self, entry: dict[str, Any]) -> None:
        # each entry starts with a newline: an incomplete entry before it must not absorb it
        opening, *lines = ("\n" + json.dumps(it) for it in ({"begun": self._now.isoformat()}, *self._unsaid, entry))
        self._storage.append(self._journal, "".join(lines), opening=opening)
        self._unsaid = []
        self._unflushed |= {self._journal} if self._begun else {self._journal, self.folder, self._provider_dir}
        self._begun = True

    def _unfinished(self) -> list[Path]:
        """Return the folders of recent fetches that did not end, and that are not known to be of other months."""
        found = []
        for folder in self._storage.folders(self._provider_dir):
            entries = list(self._entries(folder / _JOURNAL))
            if any("finished" in entry for entry in entries) or not self._may_be_of_these_months(entries):
                continue
            said = [_moment(entry.get("at", entry.get("begun"))) for entry in entries]
            last = max((moment for moment in said if moment is not None), default=None)
            if last is not None and self._now - last < GO_ON_FOR:
                found.append(folder)
        return found

    def _may_be_of_these_months(self, entries: Iterable[Mapping[str, Any]]) -> bool:
        """Return whether a fetch asked for a month that this one asks for, as far as its journal says."""
        said = [entry["months"] for entry in entries if "months" in entry]
        try:
            others = [Window(*map(date.fromisoformat, each)) for each in said]
        except (TypeError, ValueError):
            return True
        return self._months is None or not others or any(self._months.common(each) for each in others)

    def _is_as_written(self, path: Path) -> bool:
        """Return whether a stored file still has the content that it is named after."""
        packed = path.name.endswith(_PACKED) and not path.name.endswith(".body.gz")
        named = path.name.removesuffix(".body.gz").split(".")[-2 if packed else -1]
        try:
            with self._storage.opened(path) as stored:
                stream: Any = stored if packed else gzip.GzipFile(mode="rb", fileobj=stored)
                return hashlib.file_digest(stream, "sha256").hexdigest().startswith(named)
        except (OSError, EOFError, zlib.error):
            return False

    def _entries(self, path: Path) -> Iterator[dict[str, Any]]:
        for line in self._storage.journal(path).decode(errors="replace").splitlines():
            with contextlib.suppress(ValueError, RecursionError):  # an incomplete last line was never recorded
                if isinstance(entry := json.loads(line), dict):
                    yield entry


def _moment(text: object) -> datetime | None:
    """Return the time in a note; None if it is not a valid time, or has no time zone."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment
