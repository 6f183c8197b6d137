"""The values of settings: who gave each one, and its text read, or refused in one line that names the setting.

The command line wins over the environment, and that over a `.env` file. Paths are taken from the file that names them;
those of the environment and the command line from the working folder. Which settings there are is in `settings`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from dotenv import dotenv_values

from fw_pipeline.object_path import ObjectPath, is_address
from fw_pipeline.text import one_line

ALERTS = ("FW_ALERT_WEBHOOK", "FW_ALERT_MAIL_TO", "FW_ALERT_MAIL_FROM", "FW_SMTP_URL", "FW_UI_URL")
"""Whom to tell that a run failed. The webhook and the mail server hold secrets in their addresses."""

PATHS = ("FW_DATA_DIR", "FW_WORK_DIR", "DAGSTER_HOME")
PROVIDERS = "FW_PROVIDERS"

LAKE, POSTGRES = "ducklake:", "postgres:"
"""How DuckDB marks an address of DuckLake, and a catalogue in PostgreSQL in it."""

COMMAND_LINE, ENVIRONMENT, DEFAULT = "command line", "environment", "default"


class SettingError(ValueError):
    """A setting is wrong; the message names it and says what would be right."""

    def __init__(self, message: str) -> None:
        """Keep the message on one line, whatever was found in the environment."""
        super().__init__(one_line(message, 1000))


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


def read_folder(name: str, text: str) -> Path:
    """Return a folder, which need not exist yet.

    Raises:
        SettingError: it is a file, an address, or can be no path; an address is not repeated, it may hold a password.
    """
    if is_address(text):
        raise SettingError(f"setting {name} is an address; name a folder of this machine, such as ./folder")
    try:
        folder = Path(text).expanduser()
        is_file = folder.exists() and not folder.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        raise SettingError(f"setting {name} is {text!r}, which names no folder: {error}") from None
    if is_file:
        raise SettingError(f"setting {name} is {text!r}, which is a file; name a folder")
    return folder


def read_data_dir(name: str, text: str) -> Path:
    """Return a folder, which need not exist yet, or an address in an object store: `s3://bucket/prefix`.

    Raises:
        SettingError: it is a file, or can be neither; an address is not repeated, it may hold a password.
    """
    if not is_address(text):
        return read_folder(name, text)
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*/?", text) or ".." in text:
        raise SettingError(
            f"setting {name} is no folder, and no address of an object store; write it like s3://bucket/prefix"
        )
    return ObjectPath(text)


def read_line(name: str, text: str) -> str:
    """Return a text on one line.

    Raises:
        SettingError: it holds a line break or a control character.
    """
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


def read_address(name: str, text: str, *, like: str, several: bool = False) -> str:
    """Return the address of a service, without a slash at its end.

    Args:
        name: of the setting.
        text: the address.
        like: an example of a right one.
        several: whether several addresses may be given; they are returned with a space between them.

    Raises:
        SettingError: it is no address, or has a user or a query.
    """
    if several and len(parted := re.split(r"[,\s]+", text)) > 1:
        return " ".join(read_address(name, one, like=like) for one in parted if one)
    parts = _parts(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise SettingError(f"setting {name} is {text!r}; write an address like {like}, without a password")
    return text.rstrip("/")


def read_providers(text: str) -> dict[str, str]:
    """Return the provider by source, from `source=provider,source=provider:option`.

    Raises:
        SettingError: a part of it names no source or no provider.
    """
    chosen: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        source, sign, provider = item.partition("=")
        if not (sign and source.strip() and provider.strip()):
            raise SettingError(f"setting FW_PROVIDERS holds {item!r}; write source=provider, such as pypi=pypistats")
        chosen[source.strip()] = provider.strip()
    return chosen


def read_postgres(name: str, text: str) -> str:
    """Return the address of a PostgreSQL database; the error never repeats it.

    Raises:
        SettingError: it is no such address.
    """
    parts = _parts(read_line(name, text))
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/") or parts.fragment:
        raise SettingError(
            f"setting {name} is no database; write it like postgresql://user:password@host:5432/database"
        )
    return text


def read_lake(name: str, text: str) -> str:
    """Return where DuckLake is, as DuckDB attaches it; the error never repeats it.

    Raises:
        SettingError: it is no such address, or DuckLake is not installed.
    """
    catalogue = read_line(name, text).removeprefix(LAKE)
    address = catalogue.removeprefix(POSTGRES)
    is_one = text.startswith(LAKE) and Path(catalogue).is_absolute()
    if text.startswith(f"{LAKE}{POSTGRES}"):
        with contextlib.suppress(SettingError):
            is_one = bool(read_postgres(name, address))
    if not is_one:
        like = f"{LAKE}{POSTGRES}postgresql://user:password@host:5432/database"
        raise SettingError(f"setting {name} is no DuckLake; write it like {like}, or {LAKE}/path/of/a/file")
    if find_spec("duckdb_extension_ducklake") is None:
        remedy = "install requirements-lake.lock in an environment of its own"
        raise SettingError(f"setting {name} needs DuckLake, which is not installed; {remedy}")
    return text


def read_alerting(values: Mapping[str, str]) -> Alerting:
    """Return whom to tell that a run failed.

    Raises:
        SettingError: an address is none, or mail has recipients and no server, or the reverse.
    """
    given = {name: read_line(name, values.get(name, "")) for name in ALERTS}
    recipients = tuple(filter(None, (part.strip() for part in given["FW_ALERT_MAIL_TO"].split(","))))
    sender = given["FW_ALERT_MAIL_FROM"] or next(iter(recipients), "")
    for name, mailbox in [("FW_ALERT_MAIL_TO", to) for to in recipients] + [("FW_ALERT_MAIL_FROM", sender)]:
        if mailbox and not re.fullmatch(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+", mailbox):
            raise SettingError(f"setting {name} holds {mailbox!r}; write addresses like you@example.org")
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
        ui=read_address("FW_UI_URL", given["FW_UI_URL"], like="http://127.0.0.1:3000") if given["FW_UI_URL"] else "",
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


@dataclass(frozen=True, slots=True)
class Value:
    """What a setting is; an empty text is one that was set to nothing."""

    text: str = field(repr=False)
    given_by: str
    """`command line`, `environment`, `default`, or the path of a `.env` file."""


def gather(
    given: Mapping[str, str], process: Mapping[str, str], files: Iterable[Path], *, folder: Path
) -> dict[str, Value]:
    """Return every setting by name: the command line wins over the environment, and that over the files, in order.

    Args:
        given: settings of the command line.
        process: the environment.
        files: `.env` files; one that is not there has no settings.
        folder: the working folder, from which paths of the first two are taken.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is not written in UTF-8.
    """
    layers = [(given, COMMAND_LINE, folder), (process, ENVIRONMENT, folder)]
    for file in files:
        # a name without a sign behind it is set to nothing
        named = {name: value or "" for name, value in dotenv_values(file, encoding="utf-8").items()}
        layers.append((named, str(file), file.parent))
    found: dict[str, Value] = {}
    for values, given_by, base in layers:
        for name, text in values.items():
            if name not in found:
                found[name] = Value(_absolute(name, text.strip(), base), given_by)
    return found


def _absolute(name: str, text: str, base: Path) -> str:
    if text and name in PATHS:
        return text if is_address(text) else _below(text, base)
    if name == PROVIDERS:
        return ",".join(_with_paths(item, base) for item in text.split(","))
    return text


def _with_paths(item: str, base: Path) -> str:
    """Make the paths of `source=provider:path` absolute; also of `one:path+another` and of `role=path;role=path`."""
    source, sign, providers = item.partition("=")
    found = []
    for provider in re.split(r"\+(?=[a-z]+(?:[:+]|$))", providers):
        name, colon, option = provider.partition(":")
        parts = (re.fullmatch(r"(\s*[a-z]+=)?(.*)", part, re.DOTALL) for part in option.split(";"))
        places = [(part[1] or "") + _below(part[2].strip(), base) for part in parts if part]
        found.append(name + colon + ";".join(places))
    return source + sign + "+".join(found)


def _below(text: str, base: Path) -> str:
    """Return a path as an absolute one; an address, standard input (`-`) and nothing at all as they are."""
    if text in {"", "-"} or "://" in text:
        return text
    try:
        return str(base / Path(text).expanduser())
    except RuntimeError:  # the folder of a user that is not there: whoever opens it says so
        return text
