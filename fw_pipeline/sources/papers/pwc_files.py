"""The two files of the Papers with Code archive: fetched, told by their content, and how their fields are selected.

Each comes as Parquet or as JSON, packed or not; what a file is, is told by its content and never by its name. What the
fields mean together is the business of `pwc_join`.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from fw_pipeline.contract import Evidence, FetchContext
from fw_pipeline.errors import SourceError
from fw_pipeline.http import HttpClient, InvalidResponse
from fw_pipeline.sources.papers.pwc_locations import (
    SUBJECT,
    WRITE,
    NotThere,
    can_be_listed,
    is_address,
    is_pattern,
    lacking,
    listed,
    places,
    refuse_absent,
)
from fw_pipeline.text import one_line

T = TypeVar("T")

_NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"links": ("paper_url", "repo_url", "is_official", "framework"), "papers": ("paper_url", "date")}
)
_OPTIONAL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"links": ("paper_title", "paper_arxiv_id"), "papers": ("arxiv_id", "title", "authors")}
)
_UNUSED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "links": frozenset({"paper_url_abs", "paper_url_pdf", "mentioned_in_paper", "mentioned_in_github"}),
        "papers": frozenset(
            {
                *(
                    "nips_id",
                    "openreview_id",
                    "abstract",
                    "short_abstract",
                    "url_abs",
                    "url_pdf",
                    "proceeding",
                    "tasks",
                ),
                *("conference", "conference_url_abs", "conference_url_pdf", "reproduces_paper", "methods"),
            }
        ),
    }
)
_TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"date": ("VARCHAR", "JSON", "DATE", "TIMESTAMP"), "is_official": ("BOOLEAN", "VARCHAR", "JSON")}
)
"""What the type of a column in Parquet begins with, where more than a text will do."""

_FILE_SITES = ("*.hf.co", "*.huggingface.co")
"""Where Hugging Face keeps large files: its own address only redirects to them."""


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One of the two files, checked to be what it claims."""

    role: str
    refs: tuple[str, ...]
    paths: tuple[str, ...]
    day: date | None
    """Day on which the file was last changed, where the server says it."""
    fields: str
    """The SQL that selects its fields, each NULL where the file does not have it; reads the files `$<role>`."""
    strange: tuple[str, ...]
    """Fields that are not known; they are kept in the file, and not read."""


def obtained(fetch: FetchContext, web: HttpClient, role: str, read: Callable[[ArchiveFile], T]) -> T:
    """Fetch or find one of the two files, keep it as evidence, and return what `read` makes of it.

    Raises:
        SourceError: the file cannot be had, or is not what it claims.
    """
    for is_last in (False, True):
        replayed = web.replayed
        kept, day, place = _kept(fetch, web, role)
        try:
            return read(_checked(fetch, role, kept, day))
        except InvalidResponse as fault:
            for it in kept:
                fetch.evidence.reject(it.ref, fault.cause)
            cause, remedy = f"the {role} file {place}: {fault.cause}", fault.remedy
        if is_last or web.replayed == replayed:  # what an earlier try kept unread is asked for anew, once
            break
    raise SourceError(SUBJECT, cause, f"{remedy}; {WRITE}")


def _kept(fetch: FetchContext, web: HttpClient, role: str) -> tuple[tuple[Evidence, ...], date | None, str]:
    """Return one of the two files, in all its parts, with the day of its last change and where it came from."""
    named = places(fetch)[role]
    if not is_address(named[0]):
        paths = sorted(glob.glob(str(Path(named[0]).expanduser()))) or [named[0]]  # noqa: PTH207 - any folder
        kept = tuple(fetch.evidence.keep_file(f"{SUBJECT} {role}: {Path(it).name}", Path(it)) for it in paths)
        return kept, None, named[0]
    patterns = [it for it in named if is_pattern(it)]
    addresses = tuple(it for it in named if it not in patterns)
    for pattern in patterns:
        addresses += listed(fetch, web, role, pattern)
    try:
        kept = _downloaded(web, role, addresses)
    except NotThere as absent:
        if not can_be_listed(addresses[0]):
            raise SourceError(SUBJECT, f"the {role} file {addresses[0]}: {absent}", WRITE) from None
        fetch.log(f"{SUBJECT}: the {role} file is not all at {addresses[0]} ({absent}); its repository is listed")
        addresses = listed(fetch, web, role, addresses[0])
        kept = _downloaded(web, role, addresses)
    days = [_day(web.head_of(it)) for it in addresses]
    known = [day for day in days if day is not None]
    return kept, max(known) if len(known) == len(days) else None, ", ".join(addresses)


def _downloaded(web: HttpClient, role: str, addresses: Sequence[str]) -> tuple[Evidence, ...]:
    """Return all parts of one file.

    Raises:
        NotThere: a part is not named, or is not where it should be.
    """
    if (missing := lacking(addresses)) is not None:
        raise NotThere(f"{missing} is not named")
    kept = []
    for address in addresses:
        path = urlsplit(address).path
        name = role if len(addresses) == 1 else f"{role}-{Path(unquote(path)).stem}"
        suffix = ".json.gz" if path.endswith((".gz", ".json")) else ".parquet"
        kept.append(
            web.download(address, name=f"{name}{suffix}", sites=_FILE_SITES, classify=refuse_absent, read=_formed)
        )
    return tuple(kept)


def _formed(kept: Evidence) -> Evidence:
    _form(kept.path)
    return kept


def scanned(fetch: FetchContext, sql: str, file: ArchiveFile, **parameters: object) -> Sequence[dict[str, object]]:
    """Return the rows of a small query over one file.

    Raises:
        InvalidResponse: the file is damaged.
    """
    try:
        return fetch.scan(sql, {file.role: list(file.paths), **parameters}).to_dicts()
    except ValueError as broken:
        raise damaged(file, broken) from None


def damaged(file: ArchiveFile, broken: ValueError) -> InvalidResponse:
    """Return the fault of a file that cannot be read to its end."""
    cause = str(broken)
    for path in file.paths:
        cause = cause.replace(path, Path(path).name)
    return InvalidResponse(f"it is damaged or cut off: {one_line(cause, 200)}", "fetch the file again")


def _checked(fetch: FetchContext, role: str, kept: Sequence[Evidence], day: date | None) -> ArchiveFile:
    """Return a file whose form and fields are right.

    Raises:
        InvalidResponse: it is neither Parquet nor JSON, or lacks a field.
    """
    forms = {_form(it.path) for it in kept}
    if len(forms) != 1:
        raise InvalidResponse(f"its parts are of several forms: {', '.join(sorted(forms))}")
    (form,) = forms
    file = ArchiveFile(role, tuple(it.ref for it in kept), tuple(str(it.path) for it in kept), day, "", ())
    reader = f"read_parquet(${role})" if form == "parquet" else _READ_JSON.format(role=role, form=form)
    described = f"select column_name, column_type from (describe select * from {reader})"  # noqa: S608 - of this module
    types = {str(row["column_name"]): str(row["column_type"]) for row in scanned(fetch, described, file)}
    _refuse_fields(role, types)
    strange = types.keys() - {*_NEEDED[role], *_OPTIONAL[role]} - _UNUSED[role]
    return replace(file, fields=_fields(role, form, types), strange=tuple(sorted(strange)))


_READ_JSON = "read_json(${role}, compression = '{form}', maximum_depth = 1, sample_size = 2000)"


def _refuse_fields(role: str, types: Mapping[str, str]) -> None:
    if missing := [it for it in _NEEDED[role] if it not in types]:
        other = next(iter(_NEEDED.keys() - {role}))
        swapped = f"; it seems to be the {other} file" if all(it in types for it in _NEEDED[other]) else ""
        raise InvalidResponse(f"it has no field {', '.join(missing)}{swapped}")
    for name, kinds in _TYPES.items():
        if name in types and not types[name].startswith(kinds):
            raise InvalidResponse(f"its field {name} is {types[name]}, none of {', '.join(kinds)}")


def _fields(role: str, form: str, types: Mapping[str, str]) -> str:
    wanted = (*_NEEDED[role], *_OPTIONAL[role])
    if form == "parquet":
        source = f"read_parquet(${role})"
    else:
        kinds = ", ".join(f"{it}: '{'JSON' if it == 'authors' else 'VARCHAR'}'" for it in wanted)
        source = f"read_json(${role}, format = 'auto', compression = '{form}', columns = {{{kinds}}})"
    return f"select {', '.join(_field(it, types) for it in wanted)} from {source}"  # noqa: S608 - of this module


def _field(name: str, types: Mapping[str, str]) -> str:
    if name not in types:
        return f"null as {name}"
    if name != "authors":
        return f"nullif(trim(cast({name} as varchar)), '') as {name}"
    as_list = name if types[name].endswith("[]") else f"try_cast({name} as json)"
    return f"try_cast({as_list} as varchar[]) as {name}"


def _form(path: Path) -> str:
    """Return what a file is: `parquet`, or JSON packed as `gzip` or `none`.

    Raises:
        InvalidResponse: it is neither.
    """
    with path.open("rb") as stream:
        start = stream.read(512)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    if start.lstrip()[:1] in {b"[", b"{"}:
        return "none"
    raise InvalidResponse(
        f"it is neither Parquet nor JSON, it begins {one_line(start.decode('utf-8', 'replace'), 60)!r}"
    )


def _day(headers: Mapping[str, str]) -> date | None:
    try:
        return parsedate_to_datetime(headers.get("last-modified", "")).date()
    except ValueError:
        return None
