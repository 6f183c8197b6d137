"""The command that starts the Dagster UI: `ui`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import click

from fw_pipeline.cli.main import complain, main
from fw_pipeline.paths import SHIPPED_DIR
from fw_pipeline.settings import read


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; there is no login.")
def ui(port: int, host: str) -> None:
    """Start the Dagster UI and its daemon.

    It is closed to pages of other sites, and listens on this machine alone unless told otherwise.
    """
    from fw_pipeline.orchestration.instance import exposed, prepare, refuse_if_taken

    settings = read()
    refuse_if_taken(host, port)
    home = prepare(settings.data_dir)
    if warning := exposed(host):
        complain(warning)
    click.echo(f"Dagster UI on http://{host}:{port} (history in {home}); stop it with Ctrl-C", err=True)
    command = [
        sys.executable, "-m", "fw_pipeline.webserver", "dev",
        "--workspace", str(SHIPPED_DIR / "workspace.yaml"), "--host", host, "--port", str(port),
    ]  # fmt: skip
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts us in the background ignores it
    own = {"DAGSTER_HOME": str(home), "FW_UI_URL": settings.alerting.ui or f"http://{host}:{port}"}
    environment = {**os.environ, **settings.environment, **own}
    # where no `.env` lies: Dagster would let it win over the environment
    process = subprocess.Popen(command, cwd=home, env=environment)  # noqa: S603 - our own interpreter
    signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
    while process.poll() is None:
        try:
            process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)  # it closes its parts in order
    sys.exit(0 if process.returncode in (0, 130, -signal.SIGINT) else 1)
