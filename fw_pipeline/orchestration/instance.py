"""Where Dagster keeps its history: a folder made on first use, with the settings this project runs well with."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from pathlib import Path
from urllib.parse import unquote

import yaml
from filelock import FileLock

from fw_pipeline.atomic_files import sweep, unwritable, written_aside
from fw_pipeline.errors import PipelineError
from fw_pipeline.settings import read

INSTANCE = """\
# Written by fw-pipeline on first use; yours to change.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 2
run_queue:
  dequeue_interval_seconds: 1
  dequeue_use_threads: true
backfills:
  use_threads: true
  num_workers: 2
  num_submit_workers: 4
run_monitoring:
  enabled: true
  max_runtime_seconds: 7200
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 1
      failure: 30
      success: 90
"""

_MEND = "mend it, or delete it, and it is written anew; no figure was lost"


def prepare(data_dir: Path) -> Path:
    """Make the folder and point Dagster at it, unless `DAGSTER_HOME` names one already; return it.

    Raises:
        StorageError: the disk is full or read-only.
        PipelineError: `dagster.yaml` is damaged, or Dagster cannot use a folder of this name.
        SettingError: a setting is wrong.
    """
    home = (read().dagster_home or data_dir / "dagster").resolve()
    if unquote(str(home)) != str(home):
        cause = f"{home} holds a % with a number after it, which Dagster takes for another letter"
        raise PipelineError("Dagster's history", cause, "choose a folder without one by FW_DATA_DIR or DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home)  # Dagster takes an absolute one only
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(home, error) from error
    if not _configured(home / "dagster.yaml"):
        _configure(home)
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"  # whatever a dagster.yaml that is there already says
    return home


def _configured(path: Path) -> bool:
    """Say whether the settings are there; an empty file, as a crash may leave one, holds none that could be lost."""
    try:
        found = yaml.safe_load(path.read_bytes())
    except FileNotFoundError:
        return False
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise PipelineError("Dagster's settings", f"{path} cannot be read: {_where(error)}", _MEND) from error
    if found is not None and not isinstance(found, dict):
        raise PipelineError("Dagster's settings", f"{path} holds no settings", _MEND)
    return bool(found)


def _configure(home: Path) -> None:
    """Write the settings, one process at a time, without what one that was killed at it left half-written."""
    lock = home / "dagster.yaml.lock"
    try:
        with FileLock(lock):
            if not _configured(home / "dagster.yaml"):
                sweep(home)
                with written_aside(home / "dagster.yaml") as stream:
                    stream.write(INSTANCE.encode())
    except OSError as error:
        raise unwritable(lock, error) from error


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1} is no YAML" if mark else " ".join(str(error).split())


def exposed(host: str) -> str | None:
    """Return what to say before the UI listens on an address that others may reach; None on loopback."""
    with contextlib.suppress(ValueError):
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return None
    return (
        f"the UI will be open to everybody who can reach {host}: it has no login, and whoever opens it can start runs "
        "and delete history; leave --host out, or put it behind a login as docs/security.md shows"
    )


def refuse_if_taken(host: str, port: int) -> None:
    """Try an address before the UI is started on it: Dagster's web server would stay up without listening.

    Raises:
        PipelineError: the address is not one of this machine, or somebody listens there.
    """
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, number) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        cause = f"it cannot listen on {host}, port {port}: {error.strerror or error}"
        raise PipelineError("Dagster UI", cause, "choose another --port, or leave --host out") from error
