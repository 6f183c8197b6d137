"""The catalogue: what each framework is called in every source, and which populations the figures are about.

The names themselves are in `dbt_like_sql/seeds/*.csv`, exact, in the spelling and case of their source, and the
documents beside those files say by which rules a name is admitted. Here they are read, once, when somebody first
imports them. Figures and counts do not belong here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from fw_pipeline.catalog.seed_csv import read_csv
from fw_pipeline.paths import SEEDS_DIR

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework: its key in every table, its title, its release, and its names in papers."""

    name: str
    title: str
    released: date | None
    """Day of the first public release; None where no source at hand says it."""
    release_reference: str | None
    arxiv_terms: tuple[str, ...]
    """Words to look for in titles and abstracts; none where the word means other things too often."""


@dataclass(frozen=True, slots=True)
class PaperName:
    """A value of `framework` in the Papers with Code links file, and the framework that it stands for."""

    name: str
    framework: str


@dataclass(frozen=True, slots=True)
class Tag:
    """What to count on Stack Overflow: a tag, or two tags that a question must both carry."""

    tagged: str
    """A tag; `a;b` = both."""
    framework: str | None
    """None where the tag belongs to no framework."""
    role: Literal["core", "variant", "language", "deployment"]
    """Only `core` tags are compared: a question carries up to five tags, so the others are counted in core as well."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package of the Python Package Index, the framework whose family it belongs to, and how it counts."""

    name: str
    """Normalised name in the index."""
    framework: str | None
    """None where the package belongs to no framework."""
    role: Literal["core", "variant", "dependency", "ecosystem", "serving", "edge", "interchange", "stub"]
    ecosystem: Literal["companion", "community"] | None
    """How it is admitted to the list of ecosystem packages that are compared; None where it is not."""
    counts_in_family: bool
    reason: str
    """Why it has this role, and what a reader must know before adding it to another."""


@dataclass(frozen=True, slots=True)
class HubName:
    """A name on the Hugging Face Hub, and the framework that it stands for."""

    name: str
    kind: Literal["tag", "library"]
    """`tag`: kept in the column `formats`; `library`: a value of the column `library`."""
    framework: str | None
    is_format: bool
    """Whether the name is a file format that several frameworks read, rather than a framework."""


@dataclass(frozen=True, slots=True)
class Population:
    """What a set of figures is about: all there is, or a sample of it."""

    source: str
    name: str
    is_sample: bool
    what: str
    undated_allowed: bool
    """Whether a figure may have no month."""
    early_allowed: bool
    """Whether a figure may lie before 2015-11."""


@dataclass(frozen=True, slots=True)
class _Cells:
    type: str
    nullable: bool
    values: Sequence[str] | None


_TYPES = {str: "VARCHAR", bool: "BOOLEAN", date: "DATE", tuple: "VARCHAR[]"}


def _cells(hint: Any, values: Sequence[str] | None) -> _Cells:
    """Return what the cells of a column must be, by the type of its field."""
    nullable = type(None) in get_args(hint)
    kind = next(one for one in get_args(hint) if one is not type(None)) if nullable else hint
    if get_origin(kind) is Literal:
        return _Cells("VARCHAR", nullable, get_args(kind))
    return _Cells(_TYPES[get_origin(kind) or kind], nullable, values)


def _read(
    kind: type[_T], file: str, *unique: Sequence[str], name: str = "name", frameworks: Sequence[str] | None = None
) -> tuple[_T, ...]:
    """Read a file of the catalogue; `name` is its column for the field `name`; `frameworks` are those that it may name.

    Raises:
        PipelineError: the file cannot be read, or a line of it is wrong.
    """
    fields = {name if field == "name" else field: hint for field, hint in get_type_hints(kind).items()}
    columns = {column: _cells(hint, frameworks if column == "framework" else None) for column, hint in fields.items()}
    rows = read_csv(SEEDS_DIR / f"{file}.csv", columns, unique=unique)
    return tuple(kind(*(tuple(cell) if isinstance(cell, list) else cell for cell in row.values())) for row in rows)


FRAMEWORKS = _read(Framework, "frameworks", ["framework"], name="framework")
"""The frameworks. The first four are compared throughout; the others keep totals honest."""

_KNOWN = tuple(framework.name for framework in FRAMEWORKS)

PAPER_NAMES = _read(PaperName, "paper_frameworks", ["name"], frameworks=_KNOWN)
"""The names of frameworks in Papers with Code. It has no Keras: it files Keras under `tf`."""

TAGS = _read(Tag, "tags", ["tagged"], frameworks=_KNOWN)
"""What is counted on Stack Overflow, beside the whole site."""

LANGUAGES = tuple(dict.fromkeys(tag.tagged.split(";")[1] for tag in TAGS if ";" in tag.tagged))
"""Tags of the programming languages that the article names; asked for together with tensorflow and with pytorch."""

PACKAGES = _read(Package, "packages", ["package"], name="package", frameworks=_KNOWN)
"""The packages, by family. A live provider asks for these and no others."""

HUB_NAMES = _read(HubName, "hub_names", ["kind", "name"], frameworks=_KNOWN)
"""Tags that are kept, and libraries whose framework is known. A library that is not here has none that is known."""

POPULATIONS = _read(Population, "populations", ["source", "population"], name="population")
"""The populations that figures may be about. Stack Overflow and PyPI have none: their counts are of everything."""
