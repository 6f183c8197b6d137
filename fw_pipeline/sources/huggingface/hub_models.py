"""The models of one page of the Hub's listing, as columns: from its rows as JSON gives them, read strictly.

Nothing here knows in which order a page should be, or what came before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from types import NoneType
from typing import Any, NamedTuple

import polars as pl

from fw_pipeline.http import InvalidResponse, needed, optional, text, truth, utc_moment, whole_number
from fw_pipeline.http.json_fields import ABSURD
from fw_pipeline.sources.huggingface.hub_counts import FORMATS, MODELS
from fw_pipeline.text import one_line, shown

EXPANDED = ("createdAt", "library_name", "tags", "downloads", "likes", "gated", "private")
"""The fields that are asked for; `_id` and `id` come by themselves."""

FIELDS = frozenset({"_id", "id", *EXPANDED})

LISTED = pl.Schema({**MODELS, "formats": pl.String(), "month": pl.Date(), "untagged": pl.Boolean()})
"""The columns of a page: those of `MODELS`, but the formats in one text, joined by `;`."""

_KEPT = frozenset(FORMATS)
_USUAL: dict[str, frozenset[type]] = {
    "_id": frozenset({str}),
    "id": frozenset({str}),
    "createdAt": frozenset({str}),
    "library_name": frozenset({str, NoneType}),
    "tags": frozenset({list, NoneType}),
    "downloads": frozenset({int, NoneType}),
    "likes": frozenset({int, NoneType}),
    "gated": frozenset({str, bool, NoneType}),
    "private": frozenset({bool, NoneType}),
}
"""The types in which the Hub gives its fields."""

_AS_GIVEN = "%Y-%m-%dT%H:%M:%S%.fZ"
"""How the Hub writes a moment."""

_OUR_TIME = frozenset(range(1990, 2100))
"""The years that `utc_moment` accepts."""


class Fault(NamedTuple):
    """A row that cannot be read."""

    number: int
    """Its place on the page, from 1 on."""
    created: datetime | None
    """When its model was created, where that can be told."""
    cause: str


@dataclass(frozen=True, slots=True)
class Models:
    """What the rows of a page say."""

    public: pl.DataFrame
    """The models that anybody can see, in the order of the page, with the columns `LISTED`."""
    created: tuple[tuple[int, datetime], ...]
    """The place of each row, from 1 on, and when its model was created, where that can be told."""
    faults: tuple[Fault, ...]


def models_of(rows: Sequence[dict[str, Any]]) -> Models:
    """Read the rows of a page: column by column if every value is of a usual type, else strictly row by row.

    Both ways give the same for rows that the first one takes; only the second one can say what is wrong with a row.
    """
    return _by_column(rows) or _by_row(rows)


def _by_column(rows: Sequence[dict[str, Any]]) -> Models | None:
    """Read rows in which everything is as the Hub usually gives it; None where anything is not."""
    fields: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in _USUAL}
    if not _are_usual(fields) or (moments := _moments(fields["createdAt"])) is None:
        return None
    tags = set(chain.from_iterable(filter(None, fields["tags"])))
    kept = {tag: name for tag in tags if (name := tag.lower()) in _KEPT}
    gated = {value: _gated(value) for value in set(fields["gated"])}
    frame = pl.DataFrame(
        {
            "model_id": fields["_id"],
            "id": fields["id"],
            "created_at": fields["createdAt"],
            "library": [value or None for value in fields["library_name"]],
            "formats": [";".join(sorted({kept[it] for it in kept.keys() & (own or ())})) for own in fields["tags"]],
            "gated": [gated[value] for value in fields["gated"]],
            "downloads_30d": fields["downloads"],
            "likes": fields["likes"],
            "untagged": [own is None for own in fields["tags"]],
        },
        schema_overrides={**LISTED, "created_at": pl.String()},
    )
    created = pl.col("created_at").str.to_datetime(_AS_GIVEN, time_unit="us", time_zone="UTC", strict=False)
    month = pl.col("created_at").dt.date().dt.month_start().alias("month")
    frame = frame.with_columns(created).with_columns(month).select(LISTED.names())
    if frame["created_at"].null_count():
        return None
    if any(fields["private"]):
        frame = frame.filter([not private for private in fields["private"]])
    return Models(frame, tuple(enumerate(moments, 1)), ())


def _are_usual(fields: Mapping[str, Sequence[Any]]) -> bool:
    """Say whether all values are of the usual types, no name is blank, and every number can be a count."""
    if not all(_USUAL[name].issuperset(map(type, values)) for name, values in fields.items()):
        return False
    if not {str}.issuperset(map(type, chain.from_iterable(filter(None, fields["tags"])))):
        return False
    names = [*fields["_id"], *fields["id"], *filter(None, set(fields["library_name"]))]
    counts = [it for it in chain(fields["downloads"], fields["likes"]) if it is not None]
    are_counts = not counts or 0 <= min(counts) <= max(counts) <= ABSURD
    return are_counts and all(map(str.strip, names)) and _is_utf8("".join(names))


def _moments(texts: Sequence[str]) -> list[datetime] | None:
    """Return moments that are written in UTC; None if one is not, or is not of our time."""
    try:
        moments = list(map(datetime.fromisoformat, texts))
    except ValueError:
        return None
    if {moment.tzinfo for moment in moments} - {UTC}:
        return None
    return moments if {moment.year for moment in moments} <= _OUR_TIME else None


def _by_row(rows: Sequence[dict[str, Any]]) -> Models:
    """Read each row by itself: one that cannot be read is a fault, and hides no other."""
    created: list[tuple[int, datetime]] = []
    public: list[tuple[Any, ...]] = []
    faults: list[Fault] = []
    for number, row in enumerate(rows, 1):
        moment: datetime | None = None
        try:
            moment = needed(row, "createdAt", utc_moment)
            public.extend(_model(row, moment))
        except InvalidResponse as fault:
            faults.append(Fault(number, moment, f"model {number} of the page, {_named(row)}: {fault.cause}"))
        if moment is not None:
            created.append((number, moment))
    return Models(pl.DataFrame(public, schema=LISTED, orient="row"), tuple(created), tuple(faults))


def _model(row: dict[str, Any], created: datetime) -> Iterator[tuple[Any, ...]]:
    """Yield one model, with the columns `LISTED`; nothing where it is private, which only its owner's token shows."""
    key, name = needed(row, "_id", _name), needed(row, "id", _name)
    library = None if row.get("library_name") == "" else optional(row, "library_name", _name)
    tags = optional(row, "tags", _tags)
    downloads, likes = optional(row, "downloads", whole_number), optional(row, "likes", whole_number)
    formats = ";".join(sorted(_KEPT.intersection(map(str.lower, tags or ()))))
    month = created.date().replace(day=1)
    if not optional(row, "private", truth):
        yield key, name, created, library, formats, _gated(row.get("gated")), downloads, likes, month, tags is None


def _name(value: Any, field_name: str) -> str:
    name = text(value, field_name)
    if not _is_utf8(name):
        raise InvalidResponse(f"field {field_name} is {shown(value)}, not a text")
    return name


def _is_utf8(name: str) -> bool:
    """Say whether a text can be stored: JSON can spell out half of a character."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _gated(value: Any) -> str | None:
    if value is None:
        return None
    return "no" if value is False else _words(value, 40)


def _tags(value: Any, field_name: str) -> list[str]:
    if not isinstance(value, list) or {*map(type, value)} - {str}:
        raise InvalidResponse(f"field {field_name} is {shown(value)}, not a list of texts")
    return value


def _named(row: dict[str, Any]) -> str:
    return _words(row.get("id") or row.get("_id") or "without a name", 60)


def _words(value: Any, limit: int) -> str:
    return one_line(value, limit) if isinstance(value, str) else shown(value, limit)
