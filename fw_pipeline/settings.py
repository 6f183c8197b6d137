"""What the environment says, read once and checked: the only reader of the environment.

Secrets are held so that they cannot be printed by accident. Nothing here opens a connection or a database.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from dotenv import dotenv_values

PROJECT_DIR = Path(__file__).resolve().parent.parent
"""The folder of the checkout: `dbt_like_sql/` and `data/recorded/` lie here."""

MODES = ("recorded", "live")

ADDRESSES: Mapping[str, str] = MappingProxyType(
    {
        "FW_STACKEXCHANGE_URL": "https://api.stackexchange.com/2.3",
        "FW_HUGGINGFACE_URL": "https://huggingface.co",
        "FW_ARXIV_URL": "https://export.arxiv.org/api",
        "FW_PWC_LINKS_URL": "https://huggingface.co/datasets/pwc-archive/links-between-paper-and-code"
        "/resolve/main/data/train-00000-of-00001.parquet",
        "FW_PWC_PAPERS_URL": "https://huggingface.co/datasets/pwc-archive/papers-with-abstracts"
        "/resolve/main/data/train-00000-of-00001.parquet",
        "FW_PYPISTATS_URL": "https://pypistats.org/api",
        "FW_CLICKPY_URL": "https://sql-clickhouse.clickhouse.com",
    }
)
"""Base addresses of the services, each replaceable by a mirror or a test server."""

SECRETS = ("STACKEXCHANGE_KEY", "HF_TOKEN")

KNOWN = frozenset({"FW_DATA_DIR", "FW_MODE", "FW_PROVIDERS", "FW_CONTACT", "FW_FORCE", *ADDRESSES})


class SettingError(ValueError):
    """A setting is wrong; the message names it and says what would be right."""


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

    @property
    def recorded_dir(self) -> Path:
        """The figures that are shipped with the project; a data folder of its own may hold others."""
        own = self.data_dir / "recorded"
        return own if own.is_dir() else PROJECT_DIR / "data" / "recorded"

    @property
    def sql_dir(self) -> Path:
        """The SQL models."""
        return PROJECT_DIR / "dbt_like_sql"

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
        dotenv: a `.env` file whose values the environment overrides; `.env` in the working folder when None.
        given: settings of the command line, by name; they win.

    Raises:
        SettingError: a setting is unknown or has an impossible value; the message names it.
    """
    process = dict(os.environ if environ is None else environ)
    path = Path(".env") if dotenv is None else dotenv
    values = {**{k: v or "" for k, v in dotenv_values(path).items()}, **process, **given}
    values = {name: value.strip() for name, value in values.items() if value.strip()}
    for name in values:
        if name.startswith("FW_") and name not in KNOWN:
            near = difflib.get_close_matches(name, sorted(KNOWN), n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(KNOWN))}"
            raise SettingError(f"setting {name} is unknown; {hint}")
    mode = values.get("FW_MODE", "recorded")
    if mode not in MODES:
        raise SettingError(f"setting FW_MODE is {mode!r}; write recorded or live")
    if values.get("FW_FORCE", "0") not in {"0", "1"}:
        raise SettingError(f"setting FW_FORCE is {values['FW_FORCE']!r}; write 1 to accept a month that shrank, or 0")
    return Settings(
        data_dir=_data_dir(values.get("FW_DATA_DIR", "data")),
        mode=mode,
        providers=MappingProxyType(_providers(values.get("FW_PROVIDERS", ""))),
        addresses=MappingProxyType({name: _address(name, values.get(name, at)) for name, at in ADDRESSES.items()}),
        contact=_one_line("FW_CONTACT", values.get("FW_CONTACT", "")),
        secrets=Secrets({name: _one_line(name, values[name]) for name in SECRETS if name in values}),
        force=values.get("FW_FORCE") == "1",
    )


def _data_dir(text: str) -> Path:
    folder = Path(text).expanduser()
    folder = folder if folder.is_absolute() else PROJECT_DIR / folder
    if folder.exists() and not folder.is_dir():
        raise SettingError(f"setting FW_DATA_DIR is {text!r}, which is a file; name a folder")
    return folder


def _one_line(name: str, text: str) -> str:
    if not text.isprintable():
        raise SettingError(f"setting {name} holds a line break or a control character; write it on one line")
    return text


def _address(name: str, text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise SettingError(f"setting {name} is {text!r}; write an address like {ADDRESSES[name]}, without a password")
    return text.rstrip("/")


def _providers(text: str) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        source, sign, provider = item.partition("=")
        if not (sign and source.strip() and provider.strip()):
            raise SettingError(f"setting FW_PROVIDERS holds {item!r}; write source=provider, such as pypi=pypistats")
        chosen[source.strip()] = provider.strip()
    return chosen
