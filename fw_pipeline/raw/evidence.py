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
import os
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import IO, Any

from fw_pipeline.atomic_files import LEFTOVER, StorageError, sync_folder, unwritable
from fw_pipeline.contract import ANSWERS_BEHIND, HEADERS_OF, Evidence

GO_ON_FOR = timedelta(days=7)
"""How long after its last response an unfinished fetch is resumed: a fetch that takes weeks need not start over."""

REPLAYED_FOR = timedelta(days=31)
"""How long a response is reused: otherwise a fetch that never finishes would return the same figures indefinitely."""

_PACKED = (".gz", ".parquet", ".7z", ".zst")

_LEVEL = 3
"""Of compression: half the time of gzip's usual 6, for a sixth more bytes of a listing of the Hub."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """One response on disk, as the provider sent it."""

    ref: str
    path: Path

    def read(self) -> bytes:
        """Return the body. Bodies are compressed on disk unless they arrived compressed."""
        data = self.path.read_bytes()
        return gzip.decompress(data) if self.path.name.endswith(".body.gz") else data


class EvidenceStore:
    """The responses of one fetch, verbatim and write-once; an unfinished fetch is resumed instead of restarted."""

    def __init__(self, data_dir: Path, source: str, provider: str, *, run_id: str, now: datetime) -> None:
        """Open the folder of this provider's unfinished fetch if there is a recent one, else a new one for `run_id`."""
        self._root = data_dir
        self._provider_dir = data_dir / "evidence" / source / provider
        self._now = now
        self.folder = self._unfinished() or self._provider_dir / run_id
        self._journal = self.folder / "requests.ndjson"
        self._answers: dict[str, str] = {}
        self._at: dict[str, datetime] = {}
        # what a killed attempt left may not have reached the disk
        self._unflushed = {self._journal, self.folder, self._provider_dir} if self._journal.exists() else set[Path]()
        headless: set[str] = set()
        for entry in _entries(self._journal):
            match entry:
                case {"request": str(request), "ref": str(ref), "at": str(at)}:
                    moment = _moment(at)
                    if moment is not None and now - moment < REPLAYED_FOR and self._is_kept(ref):
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
        return KeptAnswer(ref, self._root / ref) if ref else None

    def find_earlier(self, *requests: str) -> tuple[KeptAnswer, ...]:
        """Return the responses that the previous fetch kept for some requests; nothing unless it kept all of them.

        Each is verified to be as it was written: "not modified" from a service must not confirm a damaged file.
        """
        fetches: dict[str, dict[str, str]] = {}
        for path in self._provider_dir.glob("*/requests.ndjson"):
            entries = list(_entries(path))
            begun = next((str(entry["begun"]) for entry in entries if "begun" in entry), "")
            answers = fetches.setdefault(f"{begun} {path.parent.name}", {})
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
                found = tuple(KeptAnswer(ref, self._root / ref) for ref in refs)
                return found if all(self._is_kept(it.ref) and _is_as_written(it.path) for it in found) else ()
        return ()

    def keep_again(self, request: str, kept: Evidence) -> None:
        """Record that a response of an earlier fetch is also the response of this one: nothing has changed since."""
        self._unflushed.add(kept.path.parent)
        self._note(request, kept.path)

    def keep(self, request: str, body: bytes | Iterator[bytes], *, name: str) -> KeptAnswer:
        """Write a response under its content hash, once, and record which request it answers.

        Raises:
            StorageError: the data folder refuses the file.
        """
        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "answer"
        packed = safe.endswith(_PACKED)
        digest = hashlib.sha256()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(prefix=LEFTOVER, dir=self.folder, delete=False) as aside:
                out: IO[bytes] | gzip.GzipFile = aside if packed else gzip.GzipFile("", "wb", _LEVEL, aside, mtime=0)
                for chunk in (body,) if isinstance(body, bytes) else body:
                    digest.update(chunk)
                    out.write(chunk)
                if out is not aside:
                    out.close()
                aside.flush()
                os.fsync(aside.fileno())
            stem, _, suffix = safe.rpartition(".")
            short = digest.hexdigest()[:16]
            final = f"{stem}.{short}.{suffix}" if packed else f"{safe}.{short}.body.gz"
            # an earlier fetch may have kept the same body under the same name: evidence is never written twice
            path = next(self._provider_dir.glob(f"*/{final}"), self.folder / final)
            if not (path.exists() and _is_as_written(path)):
                Path(aside.name).chmod(0o644)
                Path(aside.name).replace(path)
            self._unflushed.add(path.parent)
        except OSError as error:
            raise unwritable(self.folder / safe, error) from error
        finally:
            with contextlib.suppress(OSError, UnboundLocalError):
                Path(aside.name).unlink()
        return self._note(request, path)

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
        return KeptAnswer(ref, path)

    def reject(self, ref: str, cause: str) -> None:
        """Mark a stored response as invalid: it stays as evidence, and is requested again next time.

        That is on disk at once: nothing that is unfit may be used again.
        """
        self._append({"rejected": ref, "cause": cause[:500]})
        self._forget(ref)
        self.flush()

    def flush(self) -> None:
        """Let the names and entries of all responses so far reach the disk: call it before a vintage names them."""
        try:
            for path in self._unflushed - {self._journal}:
                sync_folder(path)
            if self._journal in self._unflushed:
                with self._journal.open("rb") as stream:
                    os.fsync(stream.fileno())
        except OSError as error:
            raise unwritable(self._journal, error) from error
        self._unflushed.clear()

    def finish(self) -> None:
        """Mark the fetch as complete: the next fetch starts from the beginning."""
        if not self.folder.is_dir():
            return
        self._append({"finished": True})
        self.flush()
        if [entry.name for entry in self.folder.iterdir()] == [self._journal.name]:
            self._journal.unlink()  # every response had already been stored by an earlier fetch
            self.folder.rmdir()

    def _is_kept(self, ref: str) -> bool:
        """Return whether a journal entry names a file inside the evidence folder."""
        parts = PurePosixPath(ref).parts
        try:
            return parts[:1] == ("evidence",) and ".." not in parts and (self._root / ref).is_file()
        except (OSError, ValueError):  # not a valid file name
            return False

    def _note(self, request: str, path: Path) -> KeptAnswer:
        ref = path.relative_to(self._root).as_posix()
        self._append({"request": request, "ref": ref, "at": self._now.isoformat()})
        self._answers[request] = ref
        self._at[ref] = self._now
        return KeptAnswer(ref, path)

    def _forget(self, ref: str) -> None:
        self._answers = {request: kept for request, kept in self._answers.items() if kept != ref}

    def _append(self, entry: dict[str, Any]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lines = [entry] if self._journal.exists() else [{"begun": self._now.isoformat()}, entry]
            with self._journal.open("ab") as stream:
                # each entry starts with a newline: an incomplete entry before it must not absorb it
                stream.write("".join("\n" + json.dumps(line) for line in lines).encode())
            self._unflushed |= {self._journal} if len(lines) == 1 else {self._journal, self.folder, self._provider_dir}
        except OSError as error:
            raise unwritable(self._journal, error) from error

    def _unfinished(self) -> Path | None:
        for journal in self._provider_dir.glob("*/requests.ndjson"):
            entries = list(_entries(journal))
            if any("finished" in entry for entry in entries):
                continue
            said = [_moment(entry.get("at", entry.get("begun"))) for entry in entries]
            last = max((moment for moment in said if moment is not None), default=None)
            if last is not None and self._now - last < GO_ON_FOR:
                return journal.parent
        return None


def _is_as_written(path: Path) -> bool:
    """Return whether a stored file still has the content that it is named after."""
    packed = path.name.endswith(_PACKED) and not path.name.endswith(".body.gz")
    named = path.name.removesuffix(".body.gz").split(".")[-2 if packed else -1]
    try:
        with path.open("rb") if packed else gzip.open(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest().startswith(named)
    except (OSError, EOFError, zlib.error):
        return False


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
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
