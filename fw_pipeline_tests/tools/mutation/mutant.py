"""What a mutant is: one place of one file, changed. Nothing here runs anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

JUDGED = Path(__file__).with_name("equivalent.yml")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One file with one small defect."""

    file: str
    """Its path, from the root of the repository."""
    line: int
    was: str
    """The line as it stands, without its indentation."""
    becomes: str
    """The same with the defect; more than one line where the place has more."""
    text: str
    """The whole file with the defect."""

    @property
    def name(self) -> tuple[str, str, str]:
        """What it is known by in the list of those that were judged equivalent."""
        return self.file, self.was, self.becomes

    @property
    def told(self) -> str:
        """The mutant as a reader is told of it."""
        return f"{self.file}:{self.line}\n      {self.was}\n      {self.becomes}"


def mutant(file: str, text: str, start: int, end: int, put: str) -> Mutant:
    """Return the mutant that has `put` in place of the characters from `start` to `end`."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    last = len(text) if last < 0 else last
    return Mutant(
        file=file,
        line=text.count("\n", 0, start) + 1,
        was=" ".join(text[first:last].split()),
        becomes=" ".join((text[first:start] + put + text[end:last]).split()),
        text=text[:start] + put + text[end:],
    )


def judged_equivalent() -> frozenset[tuple[str, str, str]]:
    """Return the name of each mutant that a person judged to change nothing that matters."""
    rows = yaml.safe_load(JUDGED.read_text(encoding="utf-8")) or []
    return frozenset((row["file"], row["was"], row["becomes"]) for row in rows)
