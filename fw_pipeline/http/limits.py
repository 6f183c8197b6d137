"""How long, how large and how often: the bounds of every exchange, with their reasons.

Nothing here enforces them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from fw_pipeline.errors import PipelineError

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of what one provider's requests may cost. Seconds, bytes and counts."""

    connect_seconds: float = 10.0
    """To open a connection."""
    read_seconds: float = 60.0
    """Of silence within an answer: arXiv has been seen to take more than thirty before the first byte."""
    answer_seconds: float = 300.0
    """For one whole answer, however steadily it drips."""
    download_seconds: float = 4 * 3600.0
    """For one try at a large file; the next try goes on where it ended."""
    answer_bytes: int = 64 * _MIB
    """Of one answer, unpacked: ten times the largest page that any of the services gives."""
    download_bytes: int = 4096 * _MIB
    """Of one large file: more than twice the largest known one."""
    tries: int = 6
    """Of the same request, the first included."""
    first_wait: float = 1.0
    """Upper bound of the first wait; doubled for each further one, and drawn at random below it (full jitter)."""
    longest_wait: float = 60.0
    """Upper bound of a wait that the server did not ask for."""
    patience: float = 900.0
    """The longest wait that a server may ask for before the fetch stops and says when to go on."""
    redirects: int = 5
    """Within the same site."""
    pages: int = 10_000
    """Of one listing."""

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Limits:
        """Return the bounds with those changed that a provider's options name, for example `tries` or `patience`.

        Raises:
            PipelineError: an option is not a number, or is negative.
        """
        given = {
            known.name: kind(option_number(known.name, options[known.name]))
            for known in fields(cls)
            if known.name in options and (kind := int if known.type == "int" else float)
        }
        return cls(**given)  # type: ignore[arg-type]


def option_number(name: str, text: str) -> float:
    """Return the number that an option gives.

    Raises:
        PipelineError: it is no number, or is negative or endless.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise PipelineError(f"option {name}", f"{text!r} is not a number that fits", "write a number from 0 on")
    return number
