"""`dagster dev` with a guard before its web server: what `fw-pipeline ui` starts.

    python -m fw_pipeline.webserver dev ...   the UI and its daemon, as `dagster dev`
    python -m fw_pipeline.webserver ...       the web server alone, as `dagster-webserver`; the first starts it

Dagster has no setting for middleware: see docs/adr/0018. What is guarded against is decided elsewhere.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.middleware import Middleware

from fw_pipeline import settings
from fw_pipeline.webserver_guard import Guard

DAGSTERS, OURS = "dagster_webserver", "fw_pipeline.webserver"
DAEMON, LEVEL = "dagster._daemon", "--log-level"


def _develop() -> None:
    from dagster._cli import dev, main  # noqa: PLC0415 - each process imports its own half
    from dagster_shared.utils.warnings import SupersessionWarning  # noqa: PLC0415

    warnings.simplefilter("ignore", SupersessionWarning)  # its advice is for whoever calls `dagster dev`
    parts: Any = dev
    start = parts.open_ipc_subprocess

    def start_ours(command: Sequence[str], **options: Any) -> Any:
        ours = [OURS if part == DAGSTERS else part for part in command]
        if DAEMON in ours:  # what its sensors find stands in the UI; here it would be a thousand lines an hour
            ours[ours.index(LEVEL) + 1] = "warning"
        return start(ours, **options)

    parts.open_ipc_subprocess = start_ours
    main()  # type: ignore[no-untyped-call]


def _serve() -> None:
    from dagster_webserver import app, cli, webserver  # noqa: PLC0415 - each process imports its own half

    name = urlsplit(settings.read().alerting.ui).hostname or ""

    class Guarded(webserver.DagsterWebserver[Any, Any]):
        def build_middleware(self) -> list[Middleware]:
            return [Middleware(Guard, name=name), *super().build_middleware()]

    parts: Any = app
    if parts.DagsterWebserver is not webserver.DagsterWebserver:
        raise RuntimeError("Dagster makes its web server elsewhere: nothing would stand before it")
    parts.DagsterWebserver = Guarded
    cli.main()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    if sys.argv[1:2] == ["dev"]:
        _develop()
    else:
        _serve()
