"""Great Expectations, imported when the first rule runs, and without what no rule here uses.

How rules are run is in `runner`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any

_FOR_OTHER_RULES = ("altair", "scipy.stats")
"""What it imports for expectations about distributions: 1.3 of the 3.7 CPU seconds that its import takes."""


@lru_cache(maxsize=1)
def context() -> Any:
    """Return the settings of the library: it stores nothing, calls nobody, and draws no progress bars."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read by the library on import
    with _postponed(*_FOR_OTHER_RULES):
        import great_expectations as gx  # noqa: PLC0415
        from great_expectations.data_context.types import base  # noqa: PLC0415
    config = base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars=base.ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def validator(frame: Any) -> Any:
    """Return what validates rules on this frame of pandas.

    A data source and a batch of it, which the library's guides hand frames to, would compute a hash of the frame twice.
    """
    settings = context()
    from great_expectations.execution_engine import PandasExecutionEngine  # noqa: PLC0415
    from great_expectations.validator.validator import Validator  # noqa: PLC0415

    engine = PandasExecutionEngine()
    engine.load_batch_data("frame", frame)
    return Validator(execution_engine=engine, data_context=settings)


_ONE_AT_A_TIME = threading.Lock()


class _Postponed(ModuleType):
    """A module that is imported when something of it is used."""

    def __getattr__(self, name: str) -> Any:
        with _ONE_AT_A_TIME:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


@contextlib.contextmanager
def _postponed(*names: str) -> Iterator[None]:
    """Let whoever imports these modules meanwhile have them once they are used; everybody else imports them as ever.

    Whoever imports a part of one of them meanwhile (`import scipy.stats.qmc`) would load that part twice: nobody does.
    """
    waiting = {name: _Postponed(name) for name in names if name not in sys.modules}
    sys.modules.update(waiting)
    try:
        yield
    finally:
        for name, module in waiting.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
