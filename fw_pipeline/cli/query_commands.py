"""Commands that answer from what is there: `verdicts`, `status`, `sql`, `export`, `snapshots`, `restore`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import click

from fw_pipeline.cli.main import FORMATS, Month, main
from fw_pipeline.cli.output import SCREEN, show, tell, tell_facts
from fw_pipeline.errors import PipelineError
from fw_pipeline.settings import Settings, read
from fw_pipeline.text import one_line, visible

if TYPE_CHECKING:
    from fw_pipeline.warehouse import Lake


@main.command()
@click.option("--as-of", type=Month(), help="What could be said in that month; by default the last that has closed.")
@click.option("--claim", help="Only this claim, with every definition; for example C2.")
@click.option("--explain", is_flag=True, help="With --claim: what decides, and every figure down to its evidence file.")
@click.option("--format", "shape", type=FORMATS, default="table", show_default=True)
def verdicts(as_of: date | None, claim: str | None, *, explain: bool, shape: str) -> None:
    """Print the verdict on every claim, or one claim with every definition."""
    from fw_pipeline.cli.verdicts import every_claim, in_short, known_then

    if explain and claim is None:
        raise click.UsageError("--explain goes with --claim; for example --claim C14 --explain")
    settings = read()
    with known_then(_published(settings), as_of) as published:
        if claim is not None:
            _one_claim(settings, published, claim, as_of=as_of, explain=explain, shape=shape)
            return
        found = every_claim(published, as_of=as_of)
        short = in_short(published, found)
    month = found["as_of"].max()
    title = f"Verdicts as of {month:%Y-%m}" if isinstance(month, date) else "Verdicts"
    show(short if shape == "table" else found, shape, title=title, width=SCREEN)


def _one_claim(
    settings: Settings, published: Path, claim: str, *, as_of: date | None, explain: bool, shape: str
) -> None:
    """Print one claim: what to read first, and every definition, with the evidence if it is to be explained."""
    from fw_pipeline.cli import explanation, status
    from fw_pipeline.cli.verdicts import by_definition, facts, judged, title

    if not explain:
        told = judged(published, claim, as_of=as_of)
        if shape != "table":
            show(told.verdicts, shape)
            return
        tell(visible(title(told)))
        tell_facts(facts(told))
        tell("")
        found, notes = status.footnoted(by_definition(told.verdicts), "obstacle")
        show(
            found,
            shape,
            title="By each definition: * decides the verdict, (old) is too old to decide now",
            width=SCREEN,
        )
        _tell_notes(notes)
        return
    explained = explanation.explain(settings, claim, as_of=as_of, published=published)
    if shape == "csv":
        show(explanation.as_rows(explained), shape)
    else:
        lines = "\n".join(explanation.as_text(explained))
        tell(explanation.as_json(explained) if shape == "json" else visible(lines))


@main.command()
@click.option("--months", is_flag=True, help="Which months there are, and what would supply those that are missing.")
@click.option("--settings", "only_settings", is_flag=True, help="The settings in effect, and where they are set.")
@click.option("--format", "shape", type=click.Choice(["table", "json"]), default="table", show_default=True)
def status(shape: str, *, months: bool, only_settings: bool) -> None:
    """Print how far each source has come, and what comes next.

    One line for each source; --months lists the months that are missing.
    """
    from fw_pipeline.cli import status

    if months and only_settings:
        raise click.UsageError("--months and --settings are two questions; ask one of them")
    settings = read()
    if only_settings:
        show(status.in_effect(settings), shape, title="Settings")
        return
    if shape == "json":
        found = status.coverage(_published(settings)) if months else status.sources(settings, now=datetime.now(UTC))
        show(found, shape)
        return
    if months:
        title, (found, notes) = "Months", status.footnoted(status.stretches(_published(settings)), "reason", "remedy")
    else:
        title, (found, notes) = "Sources", status.on_a_screen(status.sources(settings, now=datetime.now(UTC)))
    show(found, shape, title=title, width=SCREEN)
    _tell_notes(notes)
    if not months:
        tell("Which months are missing: fw-pipeline status --months")


def _published(settings: Settings) -> Path:
    from fw_pipeline.warehouse import latest

    return latest(settings.published, settings.data_dir)


def _tell_notes(notes: Sequence[str]) -> None:
    tell_facts((str(number), note) for number, note in enumerate(notes, start=1))


class Query(click.Command):
    """A command whose argument is SQL: one that begins with a comment (`-- ...`) is no option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options, and what holds white space as the argument that it is."""
        sql = [it for it in args if it.startswith("-") and any(c.isspace() for c in it)]
        return super().parse_args(ctx, [*(it for it in args if it not in sql), *(["--", *sql] if sql else [])])


@main.command(cls=Query)
@click.argument("query", required=False)
@click.option("--file", "file", type=click.File("rb"), help="Read the query from a file; - is standard input.")
@click.option("--format", "shape", type=FORMATS, default="table", show_default=True)
def sql(query: str | None, file: IO[bytes] | None, shape: str) -> None:
    """Run one read-only query on the published file.

    QUERY is SQL, or - to read it from standard input.
    """
    from fw_pipeline.warehouse import query as ask

    if (query is None) == (file is None):
        raise click.UsageError("Missing argument: write a query, - for standard input, or --file PATH; one of them")
    if query == "-":
        file = sys.stdin.buffer
    if file is not None:
        try:
            query = file.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise PipelineError("query", f"{file.name} is not valid UTF-8", "write it in UTF-8") from error
    assert query is not None
    show(ask(_published(read()), query), shape)


@main.command()
@click.option("--format", "form", type=click.Choice(["parquet", "csv"]), default="parquet", show_default=True)
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Folder; by default data/export.")
@click.option("--table", "names", multiple=True, metavar="NAME", help="Only this table or schema; may be repeated.")
def export(form: Literal["parquet", "csv"], folder: Path | None, names: tuple[str, ...]) -> None:
    """Write the published tables as files.

    With a data dictionary and the licences of the figures.
    """
    from fw_pipeline.cli.export import export as write

    settings = read()
    target = (folder or settings.work_dir / "export").absolute()
    tables = write(_published(settings), target, form, only=names)
    click.echo(f"{len(tables)} tables, {sum(table.rows for table in tables):,} rows in {target}", err=True)


@main.command()
@click.option("--format", "shape", type=FORMATS, default="table", show_default=True)
def snapshots(shape: str) -> None:
    """Print every version that was published, newest first.

    DuckLake keeps them, where FW_WAREHOUSE names one.
    """
    import polars as pl

    found = _lake(read()).snapshots()
    if shape == "table":
        brief = [one_line(it, 90) for it in found["changed"]]
        found = found.with_columns(found["published_at"].dt.strftime("%Y-%m-%d %H:%M:%S UTC"), changed=pl.Series(brief))
    show(found, shape, title="Published versions", width=SCREEN)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--version", type=click.IntRange(min=1), help="Which version; by default the newest.")
def restore(file: Path, version: int | None) -> None:
    """Make a DuckDB file of what was published, as FILE.

    From DuckLake, where FW_WAREHOUSE names one. `fw-pipeline snapshots` lists the versions.
    """
    _lake(read()).restore(file.absolute(), version)
    click.echo(f"{file.absolute()}, {file.stat().st_size:,} bytes", err=True)


def _lake(settings: Settings) -> Lake:
    from fw_pipeline.warehouse import Lake

    if not settings.lake:
        raise PipelineError("DuckLake", "FW_WAREHOUSE names none", "set it: docs/scaling.md says how")
    return Lake(settings.lake, settings.data_dir, settings.work_dir)
