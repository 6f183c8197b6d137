"""Large files: streamed to disk, resumed after a break, kept, and only then read; not fetched twice unchanged.

Nothing here knows what a file holds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from fw_pipeline.contract import Evidence
from fw_pipeline.http.cache import VALIDATED, Archive
from fw_pipeline.http.partial_download import PACKED, PartialFile
from fw_pipeline.http.response import Answer
from fw_pipeline.http.session import Host
from fw_pipeline.http.status_codes import judge_html
from fw_pipeline.http.transport import Question, header_names_lowered, opened, raw_chunks, whole_body

T = TypeVar("T")

_NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class Download:
    """One large file that is wanted."""

    host: Host
    archive: Archive
    question: Question
    name: str
    judge: Callable[[Answer], None]
    """Looks at an answer that is not the file, and raises what it is."""
    sites: tuple[str, ...]
    scratch: str | None
    """Where the part that has come so far lies; the system's temporary folder when None."""

    def __post_init__(self) -> None:
        """Refuse a name under which the keeper would pack the file: nothing could read it in place."""
        if not self.name.endswith(PACKED):
            raise ValueError(f"the name of a download ends in one of {PACKED}, not {self.name!r}")

    def found(self) -> Evidence | None:
        """Return the file that an unfinished earlier try kept, if any."""
        return self.archive.keeper.find(self._request)

    def fetched(self) -> Evidence:
        """Fetch the file, or the rest of it, and keep it; or find that the one of an earlier fetch has not changed.

        Raises:
            Throttled, Transient: the server asks to wait, or the file has not come whole; what came is resumed.
            InvalidResponse: something else came, or more than allowed.
            SourceError: the part that has come cannot be written.
        """
        try:
            return self._fetched()
        except OSError as error:
            cause = f"cannot write the part that has come to {error.filename or 'disk'}: {error.strerror}"
        raise self.host.failed(cause, "free space or allow writing there, then run again")

    def _fetched(self) -> Evidence:
        folder = Path(self.scratch or Path(tempfile.gettempdir()) / "fw-pipeline-downloads")
        part = PartialFile.of(folder, self._request)
        earlier = None if part.size else self.archive.earlier(self._request)
        asking = earlier.asking if earlier else part.rest()
        asked = replace(self.question, headers={**self.question.headers, **asking})
        limits = self.host.limits
        with self.host.turn(), opened(self.host.session, asked, limits, sites=self.sites) as response:
            headers = header_names_lowered(response)
            if earlier and response.status_code == _NOT_MODIFIED:
                self.host.say(f"{self.name} has not changed since it was fetched: it is not downloaded again")
                return self.archive.keep_again(self._request, earlier)
            is_file = part.fits(response.status_code, headers)
            if is_file:
                chunks = raw_chunks(response, seconds=limits.download_seconds)
                part.receive(response.status_code, headers, chunks, limit=limits.download_bytes)
            else:
                body = whole_body(response, limits)
        if not is_file:
            answer = self.archive.keep(self._request, f"{self.name}.refused", response.status_code, headers, body)
            self.archive.reject(answer, "it is not the file")
            self.judge(answer)
            judge_html(answer)
        self.archive.keep_head(self._request, self.name, 200, headers, telling=VALIDATED)
        kept = self.archive.keeper.keep(self._request, part.blocks(), name=self.name)
        part.forget()
        return kept

    def read(self, kept: Evidence, read: Callable[[Evidence], T]) -> T:
        """Return what `read` makes of the file; reject the file where it raises."""
        try:
            return read(kept)
        except Exception as fault:
            self.archive.keeper.reject(kept.ref, self.host.redactor.text(str(fault)))
            raise

    @property
    def _request(self) -> str:
        return self.question.key(self.host.redactor)
