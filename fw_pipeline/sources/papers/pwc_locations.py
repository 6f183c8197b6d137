"""Where the two files of the Papers with Code archive are: named by the user, or found by listing their repository.

A repository may hold a table in several Parquet files, and nobody promises their names. Nothing here reads a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from fw_pipeline.contract import FetchContext, Setting
from fw_pipeline.errors import SourceError
from fw_pipeline.http import HttpClient, InvalidResponse, Response, needed, rows, text
from fw_pipeline.text import one_line

SUBJECT = "papers archive"

WRITE = "write papers=archive:links=FILE;papers=FILE, each a path, an address or a pattern of addresses"

_ARCHIVE = "https://huggingface.co/datasets/pwc-archive"

SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "links": Setting(
            "FW_PWC_LINKS_URL",
            "The links between papers and repositories of Papers with Code: addresses, or patterns with `*`.",
            default=f"{_ARCHIVE}/links-between-paper-and-code/resolve/main/data/*.parquet",
            of_files=True,
        ),
        "papers": Setting(
            "FW_PWC_PAPERS_URL",
            "The papers of Papers with Code: addresses, or patterns with `*`.",
            default=f"{_ARCHIVE}/papers-with-abstracts/resolve/main/data/*.parquet",
            of_files=True,
        ),
    }
)
"""Where the two files are, by their role."""

_ON_THE_HUB = re.compile(
    r"(?P<base>https?://.+?)/datasets/(?P<repository>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)"
)
_PART = re.compile(r".*-(\d{5})-of-(\d{5})\.parquet", re.ASCII)
_GONE = frozenset({404, 410})


class NotThere(Exception):  # noqa: N818 - a signal, not a bug
    """Nothing is at an address."""


def places(fetch: FetchContext) -> dict[str, tuple[str, ...]]:
    """Return where the two files are: what the user named, else the addresses of the settings.

    Raises:
        SourceError: what the user named cannot be understood.
    """
    found = {role: fetch.options.get(setting.name, "") for role, setting in SETTINGS.items()}
    for part in filter(None, (it.strip() for it in fetch.options.get("path", "").split(";"))):
        role, sign, place = part.partition("=")
        if role not in found or not sign or not place:
            raise SourceError(SUBJECT, f"{one_line(part, 80)!r} names neither of its two files", WRITE)
        found[role] = place
    return {role: tuple(re.split(r"[,\s]+(?=https?://)", place)) for role, place in found.items()}


def is_address(place: str) -> bool:
    """Say whether a place is to be asked for over HTTP."""
    return urlsplit(place).scheme in {"http", "https"}


def is_pattern(place: str) -> bool:
    """Say whether an address stands for every file that fits it."""
    return is_address(place) and "*" in place


def can_be_listed(place: str) -> bool:
    """Say whether an address lies in a repository of the Hub, or of a mirror of it."""
    return _ON_THE_HUB.fullmatch(place) is not None


def lacking(addresses: Sequence[str]) -> str | None:
    """Return which part of a table is not among its files, going by their names, or None."""
    found = [match for it in addresses if (match := _PART.fullmatch(unquote(urlsplit(it).path)))]
    for total in {match[2] for match in found}:
        there = {int(match[1]) for match in found if match[2] == total}
        if missing := sorted(set(range(int(total))) - there):
            return f"part {missing[0]:05} of {total}"
    return None


def refuse_absent(answer: Response) -> None:
    """Let every answer pass but that of an address where nothing is.

    Raises:
        NotThere: nothing is there.
    """
    if answer.status in _GONE:
        raise NotThere(f"HTTP {answer.status}: {answer.first_words()}")


def listed(fetch: FetchContext, web: HttpClient, role: str, place: str) -> tuple[str, ...]:
    """Return the address of every Parquet file that a pattern fits, or that lies beside a name which does not exist.

    Asked for is the folder of the repository, and where that is not there, the Hub's own list of its Parquet files.

    Raises:
        SourceError: the place is in no repository, there is no such file, or a part of the table is missing.
    """
    found = _ON_THE_HUB.fullmatch(place)
    if found is None:
        cause = f"{place} is a pattern, and no address in a repository of the Hub"
        raise SourceError(SUBJECT, cause, f"write it like {_LIKE}, or name each file")
    base, repository, revision, path = found.group("base", "repository", "revision", "path")
    folder, _, name = path.rpartition("/")
    try:
        kept = "" if not folder else f"/{folder}"
        pages = web.pages(
            f"{base}/api/datasets/{repository}/tree/{revision}{kept}",
            name=f"{role}-files",
            read=_names,
            classify=refuse_absent,
            accept=("application/json",),
        )
        listing = list(pages)
    except NotThere:
        listing = []
    fitting = name if "*" in name else "*.parquet"
    fit = sorted(it for _, names in listing for it in names if fnmatchcase(it.rpartition("/")[2], fitting))
    addresses = tuple(f"{base}/datasets/{repository}/resolve/{revision}/{quote(it)}" for it in fit)
    if not addresses:
        addresses = _converted(web, role, base, repository)
    if not addresses or (missing := lacking(addresses)):
        cause = f"the repository {repository} has no {missing if addresses else 'Parquet file'} of the {role} file"
        for ref, _ in listing:  # to be asked for anew
            fetch.evidence.reject(ref, cause)
        raise SourceError(SUBJECT, cause, f"run again later, or {WRITE}")
    return addresses


_LIKE = "https://huggingface.co/datasets/OWNER/NAME/resolve/main/data/*.parquet"


def _converted(web: HttpClient, role: str, base: str, repository: str) -> tuple[str, ...]:
    """Return the addresses in the Hub's list of a repository's Parquet files, at the host that we ask."""
    url = f"{base}/api/datasets/{repository}/parquet"
    try:
        found = web.get(url, name=f"{role}-parquet", read=_addresses, classify=refuse_absent)
    except NotThere:
        return ()
    return tuple(f"{base}{it[it.index('/api/datasets/') :]}" for it in found)


def _names(answer: Response) -> tuple[str, list[str]]:
    """Return where a listing of a folder is kept, and its Parquet files by their paths in the repository."""
    listing = rows(answer.json(list), "files")
    found = [needed(row, "path", text) for row in listing if row.get("type") != "directory"]
    if strange := [it for it in found if ".." in it.split("/") or it.startswith("/")]:
        raise InvalidResponse(f"the listing has a path that leads elsewhere: {one_line(strange[0], 80)}")
    return answer.evidence.ref, [it for it in found if it.endswith(".parquet")]


def _addresses(answer: Response) -> list[str]:
    """Return the addresses of Parquet files in an answer, in its order, however deep they lie in it."""

    def inside(value: Any) -> Iterator[str]:
        if isinstance(value, dict | list):
            for item in value.values() if isinstance(value, dict) else value:
                yield from inside(item)
        elif isinstance(value, str) and value.endswith(".parquet") and "/api/datasets/" in value:
            yield value

    return list(inside(answer.json(dict)))
