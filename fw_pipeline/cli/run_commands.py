"""Commands that fetch, build and publish: `run`, `revisit`, `rebuild`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from fw_pipeline.cli.main import Month, complain, main
from fw_pipeline.cli.output import tell, tell_facts
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month
from fw_pipeline.settings import Settings, read

if TYPE_CHECKING:
    from fw_pipeline.cli.launch import Launched


@main.command()
@click.option("--from", "first", type=Month(), help="First month; by default the first that there is.")
@click.option("--to", "last", type=Month(), help="Last month; by default the last that has closed.")
@click.option("--source", "names", multiple=True, metavar="NAME", help="Only this source; may be repeated.")
@click.option("--mode", type=click.Choice(["recorded", "live"]), help="Recorded figures, or the live services.")
@click.option("--again", is_flag=True, help="Fetch months that are here already, too.")
def run(first: date | None, last: date | None, names: tuple[str, ...], mode: str | None, *, again: bool) -> None:
    """Fetch months, build, check and publish.

    What is published is the file to query, and the page. Months that are here already are not fetched again.
    """
    settings = read(given={"FW_MODE": mode} if mode else {})
    now = datetime.now(UTC)
    closed = last_closed_month(now)
    start, end = first or FIRST_MONTH, last or closed
    if start < FIRST_MONTH or end > closed or start > end:
        raise click.UsageError(
            f"{start:%Y-%m} to {end:%Y-%m} is no range of closed months; "
            f"choose --from and --to between {FIRST_MONTH:%Y-%m} and {closed:%Y-%m}"
        )
    window = Window.of(start, end)
    from fw_pipeline.ingestion.providers import choose, offered, out_of_reach
    from fw_pipeline.orchestration.jobs import fetch
    from fw_pipeline.sources import SOURCES

    if unknown := sorted(set(names) - set(SOURCES)):
        raise click.UsageError(f"no source named {unknown[0]!r}; choose from {', '.join(SOURCES)}")
    chosen = [choose(SOURCES[name], settings) for name in names or SOURCES]
    refused = (
        [str(reason) for one in chosen for reason in out_of_reach(one, window, settings, now=now)]
        if first or last
        else []
    )
    from fw_pipeline.cli.launch import launch

    asked = {name: window.common(offered(SOURCES[name], settings, now=now)) for name in names or SOURCES}
    fetches = [(fetch(name), months) for name, months in asked.items() if months]
    launched = launch(settings, fetches=fetches, again=again)
    _finish(settings, launched, refused)


@main.command()
def revisit() -> None:
    """Fetch the last three closed months again.

    The tables are built anew: marts.drift shows what has changed since.
    """
    settings = read()
    from fw_pipeline.cli.launch import launch

    _finish(settings, launch(settings, fetches=[("revisit", None)]))


@main.command()
def rebuild() -> None:
    """Build both DuckDB files anew, without a network.

    They are built from the raw vintages; nothing is fetched.
    """
    settings = read()
    from fw_pipeline.cli.launch import launch
    from fw_pipeline.warehouse import Warehouse

    Warehouse(settings.data_dir).discard_working()
    _finish(settings, launch(settings))


def _finish(settings: Settings, launched: Launched, refused: Sequence[str] = ()) -> None:
    """Say every failure on its line, then the answer and where the results are, and leave with the right status."""
    from fw_pipeline.cli.launch import what_is_published
    from fw_pipeline.report.answer import answer
    from fw_pipeline.warehouse import query

    for note in launched.notes:
        click.echo(note, err=True)
    launched = replace(launched, failures=tuple(dict.fromkeys([*launched.failures, *refused])))
    for line in launched.failures:
        complain(line)
    if launched.published:
        found = answer(partial(query, settings.published))
        tell(found.question)
        tell_facts(("", sentence) for sentence in found.sentences)
        click.echo(f"report    {settings.data_dir / 'report' / 'index.html'}", err=True)
    click.echo(what_is_published(settings, launched), err=True)
    if launched.failures:
        sys.exit(1)
