"""A question and its answer as one step: replayed if it is kept, else asked, kept, judged and read.

Nothing here knows what an answer means.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from fw_pipeline.http.cache import Archive
from fw_pipeline.http.response import Answer
from fw_pipeline.http.response_errors import FAULTS, Throttled
from fw_pipeline.http.session import Host
from fw_pipeline.http.status_codes import judge_status, judge_type, spent_wait
from fw_pipeline.http.transport import Question, header_names_lowered, opened, whole_body

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides whether an answer may be read: first by what the provider knows, then by status and content type."""

    classify: Callable[[Answer], None] | None
    statuses: Collection[int]
    accept: Collection[str]

    def __call__(self, answer: Answer) -> None:
        """Let a good answer pass.

        Raises:
            Throttled, Transient, InvalidResponse: it is not good.
        """
        if self.classify is not None:
            self.classify(answer)
        judge_status(answer, self.statuses)
        judge_type(answer, self.accept)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One question that is asked at most once with success."""

    host: Host
    archive: Archive
    question: Question
    name: str
    judge: Judge

    def replayed(self, read: Callable[[Answer], T]) -> tuple[T] | None:
        """Return what `read` makes of the kept answer; None where there is none, or none that is fit."""
        if (kept := self.archive.find(self.question.key(self.host.redactor))) is None:
            return None
        try:
            return (self._read(kept, read),)
        except FAULTS:
            return None

    def asked(self, read: Callable[[Answer], T], month: date | None) -> T:
        """Ask, and return what `read` makes of the answer.

        Raises:
            MonthRejected: the answer is unfit, and was for `month` only.
            SourceError: it cannot go on.
        """

        def attempt() -> T:
            with self.host.turn(), opened(self.host.session, self.question, self.host.limits) as response:
                body = whole_body(response, self.host.limits)
            headers, request = header_names_lowered(response), self.question.key(self.host.redactor)
            answer = self.archive.keep(request, self.name, response.status_code, headers, body)
            try:
                return self._read(answer, read)
            except Throttled as fault:
                self.host.turns.hold(fault.wait_seconds or 0, fault.cause)
                raise
            finally:
                self.host.turns.hold(spent_wait(answer) or 0, "the quota is spent until then")

        return self.host.patiently(attempt, month)

    def _read(self, answer: Answer, read: Callable[[Answer], T]) -> T:
        try:
            self.judge(answer)
            return read(answer)
        except Exception as fault:
            self.archive.reject(answer, str(fault))
            raise
