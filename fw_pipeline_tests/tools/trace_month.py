"""Which functions of the package one Stack Overflow month enters before it is a raw row: a list, and a count per room.

Run with `python -m fw_pipeline_tests.tools.trace_month`: it fetches one month with the provider `api` from the fake
services on loopback, as `fw-pipeline` does, and traces the provider's fetch from its first line to the finished rows.
Comprehensions and generator expressions are not counted apart from the function that they stand in.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import fw_pipeline
from fw_pipeline.contract import Batch, FetchContext, Provider
from fw_pipeline.errors import MonthRejected
from fw_pipeline.sources.stackoverflow.stackexchange_api import PROVIDER
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.questions_live import Desk

MONTH = "2023-05"

_PACKAGE = Path(fw_pipeline.__file__).parent
_PARTS = ("<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>")


def entered() -> tuple[str, ...]:
    """Return the functions that one month enters, as `module.function`, in the order of their first call."""
    found: dict[str, None] = {}

    def note(frame: FrameType, event: str, _: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(_PACKAGE) and frame.f_code.co_name not in _PARTS:
            module = ".".join(path.relative_to(_PACKAGE).with_suffix("").parts)
            found.setdefault(f"{module}.{frame.f_code.co_qualname}")

    def traced(fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
        steps = PROVIDER.fetch(fetch)
        while True:
            sys.setprofile(note)
            try:
                step = next(steps, None)
            finally:
                sys.setprofile(None)
            if step is None:
                return
            yield step

    provider: Provider = replace(PROVIDER, fetch=traced)
    with tempfile.TemporaryDirectory() as folder, FakeServices() as services:
        desk = Desk(Path(folder), provider, services)
        got = desk.run(MONTH, MONTH)
        if got.failures or desk.rows().is_empty():
            raise RuntimeError(f"no month was written: {got.failures}")
    return tuple(found)


def room_of(function: str) -> str:
    """Return the room of a function: the folder below the package, or the module where it lies beside them."""
    return function.split(".", maxsplit=1)[0]


def main() -> None:
    """Print the list and the counts."""
    functions = entered()
    for number, function in enumerate(functions, 1):
        print(f"{number:4}  {function}")
    print()
    for room, count in Counter(map(room_of, functions)).most_common():
        print(f"{count:4}  {room}")
    print(f"{len(functions):4}  functions in all")


if __name__ == "__main__":
    main()
