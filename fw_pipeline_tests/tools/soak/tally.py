"""What a soak hands back. Nothing here runs anything."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What a soak tried and what came of it."""

    name: str
    counts: list[str] = field(default_factory=list)
    """Lines of counts, such as `kills survived: 200 of 200`. A soak that counted nothing has failed."""
    failures: list[str] = field(default_factory=list)
    """A line for each thing that did not hold."""

    def count(self, what: str, held: int, tried: int | None = None) -> None:
        """Add a line: how often something held, of how many times it was tried."""
        self.counts.append(f"{what}: {held:,}" if tried is None else f"{what}: {held:,} of {tried:,}")

    def skip(self, what: str, why: str) -> None:
        """Say what this machine does not permit: neither held nor failed."""
        self.counts.append(f"{what}: skipped, {why}")

    @property
    def held(self) -> bool:
        """Whether something was tried and nothing failed."""
        return bool(self.counts) and not self.failures
