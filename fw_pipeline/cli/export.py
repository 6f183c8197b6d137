"""Tables of the published file as Parquet or CSV, with a data dictionary and the licences of the figures.

An export is one folder: written aside, then renamed as a whole. What an earlier export left there is replaced; a folder
that holds anything else is refused.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import io
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fw_pipeline.atomic_files import LEFTOVER, sync_folder, unwritable
from fw_pipeline.errors import PipelineError
from fw_pipeline.report import page_tables
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse import CopiedTable, DescribedTable, Form, copy_tables, described, query

NULLS_IN_CSV = 'NULL is an empty cell, an empty text is `""`, and a column of lists or structures is JSON.'

DICTIONARY, COLUMNS, LICENCES = "DICTIONARY.md", "dictionary.csv", "LICENCES.md"


def export(published: Path, folder: Path, form: Form, *, only: Sequence[str] = ()) -> list[CopiedTable]:
    """Write tables, their dictionary and their licences into `folder`, all of it or nothing.

    Args:
        published: the published file.
        folder: where to, or a link to it; it may hold an earlier export, which is replaced, and nothing else.
        form: the format of the tables.
        only: tables (`marts.verdicts`) or schemas (`marts`); every table when empty.

    Raises:
        PipelineError: nothing is published, there is no such table, the folder holds something else
            or cannot be written.
    """
    folder = _led_to(folder)
    names = _chosen([table.name for table in described(published)], only)
    _refuse_what_is_not_ours(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=LEFTOVER, dir=folder.parent))
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        tables = copy_tables(published, names, aside, form)
        (aside / DICTIONARY).write_text(_dictionary(tables, form), encoding="utf-8")
        (aside / COLUMNS).write_text(_columns(tables), encoding="utf-8")
        (aside / LICENCES).write_text(_licences(published), encoding="utf-8")
        aside.chmod(0o755)
        _replace(folder, aside)
    except OSError as error:
        raise unwritable(folder, error) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return tables


def _chosen(known: Sequence[str], only: Sequence[str]) -> list[str]:
    for name in only:
        if not any(table == name or table.startswith(f"{name}.") for table in known):
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"did you mean {near[0]}?" if near else "see them: fw-pipeline sql 'show tables'"
            raise PipelineError("export", f"there is no table or schema {name!r}", remedy)
    return [table for table in known if not only or table in only or table.partition(".")[0] in only]


def _led_to(folder: Path) -> Path:
    """Return the folder itself where a link leads to it: what is replaced is the folder, and the link stays."""
    led_to = Path(os.path.realpath(folder))
    if led_to.is_symlink():  # links that lead to one another
        raise PipelineError("export", f"{folder} leads nowhere", "name another folder with --to")
    return led_to


def _refuse_what_is_not_ours(folder: Path) -> None:
    remedy = "name another folder with --to, or empty this one"
    if folder.parent == folder or folder.is_mount():
        raise PipelineError("export", f"{folder} cannot be replaced as a whole", "name a folder inside it with --to")
    for place in (folder, *folder.parents):
        if place.exists() and not place.is_dir():
            raise PipelineError("export", f"{place} is a file", remedy)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    with contextlib.suppress(OSError, KeyError, UnicodeDecodeError, csv.Error):
        with (folder / COLUMNS).open(encoding="utf-8", newline="") as stream:
            stems = {row["table"].replace(".", "/", 1) for row in csv.DictReader(stream)}
        there -= {DICTIONARY, COLUMNS, LICENCES, *(f"{stem}.{form}" for stem in stems for form in ("parquet", "csv"))}
    if there:
        raise PipelineError("export", f"{folder} holds {min(there)}, which is not of an earlier export", remedy)


def _replace(folder: Path, fresh: Path) -> None:
    """Put a folder in the place of another; on failure the old one is there again."""
    with tempfile.TemporaryDirectory(prefix=LEFTOVER, dir=folder.parent) as spare:
        old = Path(spare) / folder.name
        if folder.exists():
            folder.rename(old)
        try:
            fresh.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    sync_folder(folder.parent)


def _dictionary(tables: Sequence[CopiedTable], form: Form) -> str:
    lines = [
        "# Data dictionary",
        "",
        f"What each table and column means. `{COLUMNS}` has the same for programs; `{LICENCES}` says whose figures",
        "they are. A missing figure is NULL, never zero. Months are first days, moments are UTC.",
        *([NULLS_IN_CSV] if form == "csv" else []),
    ]
    for table in tables:
        rows = [f"| `{it.name}` | {it.type} | {_cell(it.comment)} |" for it in table.columns]
        head = [f"`{table.file(form)}`, {table.rows:,} rows", "", "| column | type | meaning |", "|---|---|---|"]
        lines += ["", f"## {table.name}", "", table.comment, "", *head, *rows]
    return "\n".join(lines) + "\n"


def _columns(tables: Sequence[DescribedTable]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", "column", "type", "meaning"])
    writer.writerows([table.name, it.name, it.type, it.comment] for table in tables for it in table.columns)
    return out.getvalue()


def _licences(published: Path) -> str:
    credits_ = page_tables.credited(query(published, page_tables.ORIGINS))
    columns = ("source", "origin", "where", "what", "licence")
    alike = [it for it in credits_ if "CC BY-SA" in it["licence"] and "counts are facts" not in it["licence"]]
    lines = [
        "# Licences and attributions",
        "",
        "Figures and lists come from the origins below. Whoever passes them on names the origin and the licence, and",
        "says that they were selected, aggregated and computed with. The column `origin` of the raw tables says which",
        "row is whose.",
        "",
        "| source | origin | published at | what was taken | licence |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(_cell(it[column]) for column in columns)} |" for it in credits_),
        "",
        "## Share-alike",
        "",
        "Rows of these origins, and what is computed from them, may be passed on under the same licence only:",
        "[CC BY-SA 4.0](https://creativecommons.org/licenses/by-sa/4.0/).",
        "",
        *(f"* {it['origin']} ({it['source']}): {it['licence']}" for it in alike),
        *(["* none in this export"] if not alike else []),
        "",
        "## The sources themselves",
        "",
        *(f"* [{it.title}]({it.url}): {it.licence}." for it in SOURCES.values()),
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
