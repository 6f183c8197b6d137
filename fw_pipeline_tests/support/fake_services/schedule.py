"""When which fault happens: put up in advance, by path, in order."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fw_pipeline_tests.support.fake_services.faults import KINDS, Answer, Fault
from fw_pipeline_tests.support.fake_services.messages import Request, Response


@dataclass
class _Due:
    prefix: str
    fault: Fault
    name: str
    times: int
    after: int


@dataclass
class Faults:
    """The faults that are still to happen, first come first served."""

    _due: list[_Due] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, prefix: str, fault: Fault | str, *, times: int = 1, after: int = 0, **options: Any) -> None:
        """Spoil the next `times` requests below a path, once `after` of them have passed unharmed; -1 = for ever."""
        made = KINDS[fault](**options) if isinstance(fault, str) else fault
        name = fault if isinstance(fault, str) else getattr(fault, "__qualname__", "fault")
        with self._lock:
            self._due.append(_Due(prefix, made, name, times, after))

    def add_from(self, told: Mapping[str, Any]) -> None:
        """Add a fault that is told as JSON: `path`, `fault`, and if wanted `times`, `after`, `options`."""
        if told["fault"] not in KINDS:
            raise ValueError(f"no fault {told['fault']!r}; there are {', '.join(sorted(KINDS))}")
        options = {"times": 1, "after": 0, **{name: told[name] for name in ("times", "after") if name in told}}
        self.add(told["path"], told["fault"], **options, **told.get("options", {}))

    def clear(self) -> None:
        """Heal everything."""
        with self._lock:
            self._due.clear()

    def waiting(self) -> list[dict[str, Any]]:
        """Return the faults that are still to happen."""
        with self._lock:
            return [{"path": it.prefix, "fault": it.name, "times": it.times, "after": it.after} for it in self._due]

    def around(self, request: Request, answer: Answer) -> Response:
        """Answer a request, spoiled by the first fault that is due for it."""
        fault = self._next(f"/{request.service}{request.path}")
        return answer(request) if fault is None else fault(request, answer)

    def _next(self, path: str) -> Fault | None:
        with self._lock:
            for due in self._due:
                if not path.startswith(due.prefix):
                    continue
                if due.after > 0:
                    due.after -= 1
                    continue
                if due.times > 0:
                    due.times -= 1
                self._due = [it for it in self._due if it.times != 0]
                return due.fault
        return None
