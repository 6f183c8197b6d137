"""What the environment says, read once and checked: the only reader of the environment.

Secrets are held so that they cannot be printed by accident. Nothing here opens a connection or a database.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from fw_pipeline.paths import PROJECT_DIR, SEEDS_DIR, SHIPPED_DIR
from fw_pipeline.settings_origin import DEFAULT, Value, gather
from fw_pipeline.text import one_line

if TYPE_CHECKING:
    from fw_pipeline.contract import Setting

MODES = ("recorded", "live")

ALERTS = ("FW_ALERT_WEBHOOK", "FW_ALERT_MAIL_TO", "FW_ALERT_MAIL_FROM", "FW_SMTP_URL", "FW_UI_URL")
"""Whom to tell that a run failed. The webhook and the mail server hold secrets in their addresses."""

OWN = frozenset({"FW_DATA_DIR", "FW_MODE", "FW_PROVIDERS", "FW_CONTACT", "FW_FORCE", "FW_KEEP_RUNS", *ALERTS})
"""The settings that are no source's."""


def of_sources() -> Mapping[str, Setting]:
    """Return the addresses and secrets that the providers of the sources declare, by name."""
    from fw_pipeline.sources import SETTINGS  # noqa: PLC0415 - `fw-pipeline --help` needs no source

    return SETTINGS


def known() -> frozenset[str]:
    """Return the name of every setting."""
    return OWN.union(of_sources())


class SettingError(ValueError):
    """A setting is wrong; the message names it and says what would be right."""

    def __init__(self, message: str) -> None:
        """Keep the message on one line, whatever was found in the environment."""
        super().__init__(one_line(message, 1000))


@dataclass(frozen=True, slots=True)
class Secrets(Mapping[str, str]):
    """Keys and tokens by the name of their setting. Printing shows the names, never the values."""

    values_: Mapping[str, str] = field(repr=False)

    def __getitem__(self, name: str) -> str:
        """Return one secret."""
        return self.values_[name]

    def __iter__(self) -> Iterator[str]:
        """Go over the names."""
        return iter(self.values_)

    def __len__(self) -> int:
        """Count the secrets that are set."""
        return len(self.values_)

    def __repr__(self) -> str:
        """Show which secrets are set."""
        return f"Secrets({', '.join(sorted(self.values_)) or 'none set'})"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. Printing shows no name and no password."""

    host: str
    port: int
    user: str = field(repr=False)
    password: str = field(repr=False)
    tls_from_the_start: bool
    """`smtps`; otherwise the connection is encrypted by STARTTLS."""


@dataclass(frozen=True, slots=True)
class Alerting:
    """Whom to tell that a run failed, and how. All of it empty: nobody."""

    webhook: str = field(default="", repr=False)
    """Address that takes the alert as JSON; usually a secret."""
    mail_to: tuple[str, ...] = ()
    mail_from: str = ""
    mail_server: MailServer | None = None
    ui: str = ""
    """Address of the Dagster UI, for a link to the run."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a user can set."""

    data_dir: Path
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
    alerting: Alerting = Alerting()
    dagster_home: Path | None = None
    """Where Dagster keeps its history, if somewhere else than in the data folder."""
    values: Mapping[str, Value] = field(default_factory=dict)
    """Every setting that was given, as it was given, paths made absolute."""

    @property
    def environment(self) -> dict[str, str]:
        """The settings as variables for another process, wherever it stands; what is not set is empty."""
        handed_on = sorted({*known(), "DAGSTER_HOME"})
        given = {name: self.values[name].text if name in self.values else "" for name in handed_on}
        return {**given, "FW_DATA_DIR": str(self.data_dir)}

    @property
    def shown(self) -> list[tuple[str, str, str]]:
        """Each setting in effect, its value and who gave it; of what may hold a secret, only that it is set."""
        hidden = {"FW_ALERT_WEBHOOK", "FW_SMTP_URL", *(it.name for it in of_sources().values() if it.is_secret)}
        found = {
            "FW_DATA_DIR": (str(self.data_dir), DEFAULT),
            "FW_MODE": (self.mode, DEFAULT),
            **{
                name: ("set" if name in hidden else value.text, value.given_by)
                for name, value in self.values.items()
                if name in {*known(), "DAGSTER_HOME"} and value.text
            },
        }
        return [(name, *found[name]) for name in sorted(found)]

    @property
    def recorded_dir(self) -> Path:
        """The figures that are shipped with the project; a data folder of its own may hold others."""
        own = self.data_dir / "recorded"
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
        """The file that users open."""
        return self.data_dir / "warehouse.duckdb"


def read(
    environ: Mapping[str, str] | None = None,
    *,
    dotenv: Path | None = None,
    given: Mapping[str, str] = MappingProxyType({}),
) -> Settings:
    """Read and check the settings.

    Args:
        environ: the environment; the process's own when None.
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
    return Settings(
        data_dir=_folder("FW_DATA_DIR", values.get("FW_DATA_DIR", str(PROJECT_DIR / "data"))),
        mode=mode,
        providers=MappingProxyType(_providers(values.get("FW_PROVIDERS", ""))),
        addresses=MappingProxyType(
            {
                name: _address(name, values.get(name, it.default), like=it.default, several=it.of_files)
                for name, it in of_sources().items()
                if not it.is_secret
            }
        ),
        contact=_one_line("FW_CONTACT", values.get("FW_CONTACT", "")),
        secrets=Secrets(
            {
                name: _one_line(name, values[name])
                for name, it in of_sources().items()
                if it.is_secret and name in values
            }
        ),
        force=values.get("FW_FORCE") == "1",
        keep_runs=int(keep_runs),
        alerting=_alerting(values),
        dagster_home=_folder("DAGSTER_HOME", values["DAGSTER_HOME"]) if "DAGSTER_HOME" in values else None,
        values=MappingProxyType(found),
    )


def _folder(name: str, text: str) -> Path:
    try:
        folder = Path(text).expanduser()
        is_file = folder.exists() and not folder.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        raise SettingError(f"setting {name} is {text!r}, which names no folder: {error}") from None
    if is_file:
        raise SettingError(f"setting {name} is {text!r}, which is a file; name a folder")
    return folder


def _one_line(name: str, text: str) -> str:
    if not text.isprintable():
        raise SettingError(f"setting {name} holds a line break or a control character; write it on one line")
    return text


def _parts(text: str) -> SplitResult:
    """Return the parts of an address; none where it cannot be read."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - it is read only when asked for
    except ValueError:
        return urlsplit("")
    return parts


def _address(name: str, text: str, *, like: str, several: bool = False) -> str:
    if several and len(parted := re.split(r"[,\s]+", text)) > 1:
        return " ".join(_address(name, one, like=like) for one in parted if one)
    parts = _parts(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise SettingError(f"setting {name} is {text!r}; write an address like {like}, without a password")
    return text.rstrip("/")


def _providers(text: str) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        source, sign, provider = item.partition("=")
        if not (sign and source.strip() and provider.strip()):
            raise SettingError(f"setting FW_PROVIDERS holds {item!r}; write source=provider, such as pypi=pypistats")
        chosen[source.strip()] = provider.strip()
    return chosen


def _alerting(values: Mapping[str, str]) -> Alerting:
    given = {name: _one_line(name, values.get(name, "")) for name in ALERTS}
    recipients = tuple(filter(None, (part.strip() for part in given["FW_ALERT_MAIL_TO"].split(","))))
    sender = given["FW_ALERT_MAIL_FROM"] or next(iter(recipients), "")
    for name, address in [("FW_ALERT_MAIL_TO", to) for to in recipients] + [("FW_ALERT_MAIL_FROM", sender)]:
        if address and not re.fullmatch(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+", address):
            raise SettingError(f"setting {name} holds {address!r}; write addresses like you@example.org")
    if bool(recipients) != bool(given["FW_SMTP_URL"]):
        missing, there = ("FW_SMTP_URL", "FW_ALERT_MAIL_TO") if recipients else ("FW_ALERT_MAIL_TO", "FW_SMTP_URL")
        raise SettingError(f"setting {there} needs {missing} beside it; set both, or none")
    webhook = _parts(given["FW_ALERT_WEBHOOK"])
    if given["FW_ALERT_WEBHOOK"] and (webhook.scheme not in {"http", "https"} or not webhook.hostname):
        raise SettingError("setting FW_ALERT_WEBHOOK is no address; write it like https://example.org/hook")
    return Alerting(
        webhook=given["FW_ALERT_WEBHOOK"],
        mail_to=recipients,
        mail_from=sender,
        mail_server=_mail_server(given["FW_SMTP_URL"]) if given["FW_SMTP_URL"] else None,
        ui=_address("FW_UI_URL", given["FW_UI_URL"], like="http://127.0.0.1:3000") if given["FW_UI_URL"] else "",
    )


def _mail_server(text: str) -> MailServer:
    """Read `smtp://user:password@host:587` (STARTTLS) or `smtps://...:465`; the error never repeats it."""
    parts = _parts(text)
    host = parts.hostname or ""
    if parts.scheme not in {"smtp", "smtps"} or not host or parts.path.strip("/") or parts.query:
        raise SettingError("setting FW_SMTP_URL is no mail server; write it like smtp://user:password@example.org:587")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise SettingError("setting FW_SMTP_URL has a user without a password, or the reverse; write both, or none")
    tls = parts.scheme == "smtps"
    return MailServer(host, parts.port or (465 if tls else 587), user, password, tls)
