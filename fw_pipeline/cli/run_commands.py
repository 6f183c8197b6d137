"""Commands that start something: `run`, `revisit` and `rebuild` fetch, build and publish; `ui` serves the UI."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from fw_pipeline.cli.main import Month, complain, main
from fw_pipeline.cli.output import Progress, tell, tell_facts
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month
from fw_pipeline.object_path import on_this_machine
from fw_pipeline.settings import Settings, read

if TYPE_CHECKING:
    from fw_pipeline.orchestration.jobs import Launched


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
    asked = {name: window.common(offered(SOURCES[name], settings, now=now)) for name in names or SOURCES}
    fetches = [(fetch(name), months) for name, months in asked.items() if months]
    _finish(settings, _launch(settings, fetches, again=again), refused)


@main.command()
def revisit() -> None:
    """Fetch the last three closed months again.

    The tables are built anew: marts.drift shows what has changed since.
    """
    settings = read()
    _finish(settings, _launch(settings, [("revisit", None)]))


@main.command()
def rebuild() -> None:
    """Build both DuckDB files anew from the raw vintages.

    Nothing is fetched.
    """
    settings = read()
    from fw_pipeline.warehouse import Warehouse

    Warehouse(settings.work_dir, locks=settings.locks).discard_working()
    shutil.rmtree(settings.work_dir / ".work" / "drawn", ignore_errors=True)  # pictures, too, are made anew
    _finish(settings, _launch(settings))


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; there is no login.")
def ui(port: int, host: str) -> None:
    """Start the Dagster UI and its daemon.

    It is closed to pages of other sites, and listens on this machine alone unless told otherwise.
    """
    from fw_pipeline.orchestration.instance import prepare
    from fw_pipeline.webserver import exposed, refuse_if_taken, serve

    settings = read()
    refuse_if_taken(host, port)
    home = prepare(settings.work_dir)
    if warning := exposed(host):
        complain(warning)
    click.echo(f"Dagster UI on http://{host}:{port} (history in {home}); stop it with Ctrl-C", err=True)
    own = {"DAGSTER_HOME": str(home), "FW_UI_URL": settings.alerting.ui or f"http://{host}:{port}"}
    status = serve(host, port, folder=home, environment={**settings.environment, **own})
    sys.exit(0 if status in (0, 130, -signal.SIGINT) else 1)


def _launch(settings: Settings, fetches: Sequence[tuple[str, Window | None]] = (), *, again: bool = True) -> Launched:
    """Run jobs that fetch, each for its months, and build what came in, with a bar that shows how far they are."""
    from fw_pipeline.orchestration.instance import prepare

    prepare(settings.work_dir)
    with Progress() as progress:
        from fw_pipeline.definitions import build_defs, load_models
        from fw_pipeline.orchestration.jobs import fetch_and_build
        from fw_pipeline.orchestration.pipeline import Pipeline
        from fw_pipeline.orchestration.runs import held_by_runs
        from fw_pipeline.sources import SOURCES

        models = load_models()
        pipeline = Pipeline(SOURCES, models, given=settings, progress=progress, again=again)
        definitions = build_defs(models=models, resources={"pipeline": held_by_runs(pipeline)}, settings=settings)
        return fetch_and_build(definitions, pipeline, fetches)


def _finish(settings: Settings, launched: Launched, refused: Sequence[str] = ()) -> None:
    """Say every failure on its line, then the answer and where the results are, and leave with the right status."""
    from fw_pipeline.report.answer import answer
    from fw_pipeline.warehouse import latest, reading

    for note in launched.notes:
        click.echo(note, err=True)
    launched = replace(launched, failures=tuple(dict.fromkeys([*launched.failures, *refused])))
    for line in launched.failures:
        complain(line)
    if launched.published:
        with reading(latest(settings.published, settings.data_dir)) as ask:
            found = answer(ask)
        tell(found.question)
        tell_facts(("", sentence) for sentence in found.sentences)
        click.echo(f"report    {launched.page or settings.work_dir / 'report' / 'index.html'}", err=True)
    click.echo(_published(settings, launched), err=True)
    if launched.failures or not launched.published:
        sys.exit(1)


def _published(settings: Settings, launched: Launched) -> str:
    """Return the last line of a command: what the published file rests on, and what it lacks."""
    from fw_pipeline.warehouse import WarehouseError, latest, query

    failed = len(launched.failures)
    why = "the line above says why" if failed == 1 else f"the {failed} lines above say why"
    try:
        path = latest(settings.published, settings.data_dir)
        here = f"{path} is as it was" if path.exists() else "there is no file yet"
    except WarehouseError as reason:  # the file here is of another data folder
        path, here = settings.published, reason.cause
    if not launched.published:
        return f"nothing was published, and {here}: {why}"
    months = query(path, "select source, months, first_month, last_month from meta.sources order by source").rows()
    rests = [f"{source} {Window.of(first, last)} ({count} months)" for source, count, first, last in months if count]
    lacks = [source for source, count, _, _ in months if not count]
    there = path if on_this_machine(settings.data_dir) else f"{settings.data_dir / path.name}, here {path}"
    said = f"published {there}: {', '.join(rests)}"
    if lacks:
        said += f"; not {', '.join(lacks)}, of which no month has come in"
    return f"{said}; not all that was asked for: {why}" if failed else said
