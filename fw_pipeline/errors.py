"""What could not be done, as one line that names what, month, cause and remedy; every error of ours is one of these."""

from __future__ import annotations

from datetime import date
from typing import Any

from fw_pipeline.months import Window
from fw_pipeline.text import one_line


class PipelineError(Exception):
    """Why something could not be done, as one clear line: what, month, cause, remedy."""

    def __init__(self, subject: str, cause: str, remedy: str, *, month: date | Window | None = None) -> None:
        """Keep the parts apart, so that a table can show them in columns."""
        self.subject, self.cause = one_line(subject, 300), one_line(cause, 1000)
        self.remedy, self.month = one_line(remedy, 500), month
        super().__init__(str(self))

    def __str__(self) -> str:
        """Write the one line that a user reads."""
        when = f" {self.month:%Y-%m}" if isinstance(self.month, date) else f" {self.month}" if self.month else ""
        return f"{self.subject}{when}: {self.cause}; {self.remedy}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive a process border with all parts."""
        return (_reason, (type(self), self.subject, self.cause, self.remedy, self.month))


def _reason(
    kind: type[PipelineError], subject: str, cause: str, remedy: str, month: date | Window | None
) -> PipelineError:
    return kind(subject, cause, remedy, month=month)


class SourceError(PipelineError):
    """A provider cannot go on: the rest of the requested range has no answer. Months already yielded stand."""


class MonthRejected(PipelineError):  # noqa: N818 - what became of a month, in the words of every report
    """One month's answer is not fit to become a vintage; the others are unharmed."""
