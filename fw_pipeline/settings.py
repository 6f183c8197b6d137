"""What the environment says, read once and checked: the only module that takes settings from the environment.

Secrets are held so that they cannot be printed by accident. Nothing here opens a connection or a database.
"""

from __future__ import annotations

import difflib
import os
import re
from collections import UserDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from fw_pipeline.locks import FileLocks, Locks
from fw_pipeline.object_path import on_this_machine
from fw_pipeline.paths import PROJECT_DIR, SEEDS_DIR, SHIPPED_DIR
from fw_pipeline.postgres_locks import PostgresLocks
from fw_pipeline.settings_values import (
    ALERTS,
    DEFAULT,
    Alerting,
    SettingError,
    Value,
    gather,
    read_address,
    read_alerting,
    read_data_dir,
    read_folder,
    read_lake,
    read_line,
    read_postgres,
    read_providers,
)

if TYPE_CHECKING:
    from fw_pipeline.contract import Setting

MODES = ("recorded", "live")

OWN = frozenset(
    {"FW_DATA_DIR", "FW_WORK_DIR", "FW_MODE", "FW_PROVIDERS", "FW_CONTACT", "FW_FORCE", "FW_KEEP_RUNS", "FW_LOCKS"}
    | {"FW_MONTHS_PER_RUN", "FW_WAREHOUSE", *ALERTS}
)
"""The settings that are no source's."""

OBJECT_STORE = "AWS_"
"""How the variables begin that lead to an object store and hold its credentials. obstore reads and checks them."""


def of_sources() -> Mapping[str, Setting]:
    """Return the addresses and secrets that the providers of the sources declare, by name."""
    from fw_pipeline.sources import SETTINGS  # noqa: PLC0415 - `fw-pipeline --help` needs no source

    return SETTINGS


def known() -> frozenset[str]:
    """Return the name of every setting."""
    return OWN.union(of_sources())


class Secrets(UserDict[str, str]):
    """Keys and tokens by the name of their setting. Printing shows the names, never the values."""

    def __repr__(self) -> str:
        """Show which secrets are set."""
        return f"Secrets({', '.join(sorted(self)) or 'none set'})"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a user can set."""

    data_dir: Path
    """Evidence and vintages; a folder, or an address in an object store."""
    work_dir: Path
    """Everything that is made from them: the DuckDB files, the report, Dagster's history. Always a folder."""
    mode: str
    providers: Mapping[str, str]
    """Provider by source, where the user chose one; `name` or `name:option`."""
    addresses: Mapping[str, str]
    contact: str
    secrets: Secrets
    force: bool = False
    """Accept a month with far fewer counts than its last vintage."""
    keep_runs: int = 25
    """Finished runs that Dagster's history keeps."""
    lock_server: str = field(default="", repr=False)
    """The PostgreSQL database by which machines keep out of each other's way; empty: files, for one machine."""
    lake: str = field(default="", repr=False)
    """Where DuckLake keeps every published version, as DuckDB attaches it; empty: nowhere."""
    months_per_run: int = 0
    """Months that one run of a backfill fetches, so that several machines share it; 0: all of them."""
    alerting: Alerting = field(default_factory=Alerting)
    dagster_home: Path | None = None
    """Where Dagster keeps its history, if somewhere else than in the work folder."""
    values: Mapping[str, Value] = field(default_factory=dict)
    """Every setting that was given, as it was given, paths made absolute."""

    @property
    def environment(self) -> dict[str, str]:
        """The settings as variables for another process, wherever it stands; what is not set is empty."""
        handed_on = sorted({*known(), "DAGSTER_HOME"})
        given = {name: self.values[name].text if name in self.values else "" for name in handed_on}
        return {**given, "FW_DATA_DIR": str(self.data_dir), "FW_WORK_DIR": str(self.work_dir)}

    @property
    def shown(self) -> list[tuple[str, str, str]]:
        """Each setting in effect, its value and who gave it; of what may hold a secret, only that it is set."""
        secrets = (it.name for it in of_sources().values() if it.is_secret)
        hidden = {"FW_ALERT_WEBHOOK", "FW_LOCKS", "FW_SMTP_URL", "FW_WAREHOUSE", *secrets}
        found = {
            "FW_DATA_DIR": (str(self.data_dir), DEFAULT),
            **({} if self.work_dir == self.data_dir else {"FW_WORK_DIR": (str(self.work_dir), DEFAULT)}),
            "FW_MODE": (self.mode, DEFAULT),
            **{
                name: ("set" if name in hidden else value.text, value.given_by)
                for name, value in self.values.items()
                if name in {*known(), "DAGSTER_HOME"} and value.text
            },
            **{name: ("set", self.values[name].given_by) for name in _of_object_store(self.data_dir, self.values)},
        }
        return [(name, *found[name]) for name in sorted(found)]

    @property
    def locks(self) -> Locks:
        """Who keeps processes out of each other's way: PostgreSQL where it is set, else files of this machine."""
        return PostgresLocks(self.lock_server) if self.lock_server else FileLocks(self.work_dir / ".work")

    @property
    def recorded_dir(self) -> Path:
        """The figures that are shipped with the project; a data folder of its own may hold others."""
        own = (self.data_dir if on_this_machine(self.data_dir) else self.work_dir) / "recorded"
        return own if own.is_dir() else SHIPPED_DIR / "data" / "recorded"

    @property
    def sql_dir(self) -> Path:
        """The SQL models."""
        return SHIPPED_DIR / "dbt_like_sql"

    @property
    def seeds_dir(self) -> Path:
        """The small tables that people edit."""
        return SEEDS_DIR

    @property
    def published(self) -> Path:
        """Where the file lies that users open; `warehouse.latest` returns it as it was published last."""
        return self.work_dir / "warehouse.duckdb"


def read(
    environ: Mapping[str, str] | None = None,
    *,
    dotenv: Path | None = None,
    given: Mapping[str, str] = MappingProxyType({}),
) -> Settings:
    """Read and check the settings.

    Args:
        environ: the environment; the process's own when None. Of `.env`, the latter then gets what leads to the object
            store, as the library that speaks to it looks there.
        dotenv: a `.env` file whose values the environment overrides; when None, `.env` of the project, and then that of
            the working folder for what is set in neither.
        given: settings of the command line, by name; they win.

    Raises:
        SettingError: a setting is unknown or has an impossible value; the message names it.
    """
    process = os.environ if environ is None else environ
    files = [PROJECT_DIR / ".env", Path.cwd() / ".env"] if dotenv is None else [dotenv.absolute()]
    try:
        found = gather(given, process, dict.fromkeys(files), folder=Path.cwd())
    except (OSError, ValueError) as error:
        raise SettingError(f".env cannot be read: {error}; write it in UTF-8, each setting on a line") from None
    values = {name: value.text for name, value in found.items() if value.text}
    for name in values:
        if name.startswith("FW_") and name not in known():
            names = sorted(it for it in known() if it.startswith("FW_"))
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
            raise SettingError(f"setting {name} is unknown; {hint}")
    mode = values.get("FW_MODE", "recorded")
    if mode not in MODES:
        raise SettingError(f"setting FW_MODE is {mode!r}; write recorded or live")
    if values.get("FW_FORCE", "0") not in {"0", "1"}:
        raise SettingError(f"setting FW_FORCE is {values['FW_FORCE']!r}; write 1 to accept a month that shrank, or 0")
    keep_runs = values.get("FW_KEEP_RUNS", "25")
    if not re.fullmatch(r"[1-9]\d{0,5}", keep_runs, re.ASCII):
        raise SettingError(f"setting FW_KEEP_RUNS is {keep_runs!r}; write how many runs to keep, from 1 on")
    months = values.get("FW_MONTHS_PER_RUN", "0")
    if not re.fullmatch(r"\d{1,4}", months, re.ASCII):
        raise SettingError(f"setting FW_MONTHS_PER_RUN is {months!r}; write how many months, or 0 for all in one run")
    data_dir = read_data_dir("FW_DATA_DIR", values.get("FW_DATA_DIR", str(PROJECT_DIR / "data")))
    if environ is None:
        for name in _of_object_store(data_dir, found):
            os.environ.setdefault(name, found[name].text)
    work_dir = data_dir if on_this_machine(data_dir) else PROJECT_DIR / "data"
    return Settings(
        data_dir=data_dir,
        work_dir=read_folder("FW_WORK_DIR", values.get("FW_WORK_DIR", str(work_dir))),
        mode=mode,
        providers=MappingProxyType(read_providers(values.get("FW_PROVIDERS", ""))),
        addresses=MappingProxyType(
            {
                name: read_address(name, values.get(name, it.default), like=it.default, several=it.of_files)
                for name, it in of_sources().items()
                if not it.is_secret
            }
        ),
        contact=read_line("FW_CONTACT", values.get("FW_CONTACT", "")),
        secrets=Secrets(
            {
                name: read_line(name, values[name])
                for name, it in of_sources().items()
                if it.is_secret and name in values
            }
        ),
        force=values.get("FW_FORCE") == "1",
        keep_runs=int(keep_runs),
        lock_server=read_postgres("FW_LOCKS", values["FW_LOCKS"]) if "FW_LOCKS" in values else "",
        lake=read_lake("FW_WAREHOUSE", values["FW_WAREHOUSE"]) if "FW_WAREHOUSE" in values else "",
        months_per_run=int(months),
        alerting=read_alerting(values),
        dagster_home=read_folder("DAGSTER_HOME", values["DAGSTER_HOME"]) if "DAGSTER_HOME" in values else None,
        values=MappingProxyType(found),
    )


def _of_object_store(data_dir: Path, values: Mapping[str, Value]) -> list[str]:
    """Return the variables that are set of those that lead to the object store; none where the data is in a folder."""
    used = [] if on_this_machine(data_dir) else sorted(values)
    return [name for name in used if name.startswith(OBJECT_STORE) and values[name].text]
