"""The `fw-pipeline` command: thin, over the same jobs that the UI launches.

What takes time to import is imported by the command that needs it.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import click

from fw_pipeline import stopping
from fw_pipeline.contract import FIRST_MONTH, Reason, Window, last_closed_month, parse_month
from fw_pipeline.plain import one_line, visible
from fw_pipeline.printing import SCREEN, drop_output, show, tell, tell_facts
from fw_pipeline.settings import SHIPPED_DIR, SettingError, Settings, read

if TYPE_CHECKING:
    from fw_pipeline.launching import Launched

FORMATS = click.Choice(["table", "json", "csv"])


class Month(click.ParamType[date]):
    """A month on the command line: `2023-01`."""

    name = "YYYY-MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the first day of the month, or say what is wrong with the text."""
        if isinstance(value, date):
            return value
        try:
            return parse_month(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Commands(click.Group):
    """The command group: every failure becomes one line on stderr and the right exit status."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command where paths are UTF-8, and show what the terminal has no letter for as an escape."""
        if sys.getfilesystemencoding() != "utf-8":  # a locale without it, in which DuckDB and others cannot name files
            told = {"PYTHONIOENCODING": f"{getattr(sys.stdout, 'encoding', 'ascii')}:backslashreplace", **os.environ}
            command = [sys.executable, *sys.orig_argv[1:]]
            os.execve(sys.executable, command, {**told, "PYTHONUTF8": "1"})  # noqa: S606 - our own interpreter
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a wrong setting is a wrong call, and a signal ends with 128 and its number."""
        with stopping.heard() as signals:
            try:
                return super().invoke(ctx)
            except SettingError as error:
                raise click.UsageError(str(error)) from None
            except Reason as reason:
                _complain(str(reason))
                ctx.exit(1)
            except KeyboardInterrupt:
                by = signals.last()
                _complain(f"{ctx.invoked_subcommand}: {stopping.INTERRUPTED}, by {by.name}; {stopping.REMEDY}")
                ctx.exit(128 + by)
            except BrokenPipeError:
                drop_output()  # the reader has left
                ctx.exit(0)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fw-pipeline")
def main() -> None:
    """Evidence for claims about deep-learning frameworks, month by month, in one DuckDB file."""


@main.command()
@click.option("--from", "first", type=Month(), help="First month; the first that there is when left out.")
@click.option("--to", "last", type=Month(), help="Last month; the last closed one when left out.")
@click.option("--source", "names", multiple=True, metavar="NAME", help="Only this source; may be repeated.")
@click.option("--mode", type=click.Choice(["recorded", "live"]), help="Recorded figures, or the live services.")
@click.option("--again", is_flag=True, help="Ask for months that are here already, too.")
def run(first: date | None, last: date | None, names: tuple[str, ...], mode: str | None, *, again: bool) -> None:
    """Fetch months, build, check and publish.

    What is published is the file to query, and the page. Months that are here already are not asked for again.
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
    from fw_pipeline.orchestration.choosing import choose, offered, out_of_reach
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
    from fw_pipeline.launching import launch

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
    from fw_pipeline.launching import launch

    _finish(settings, launch(settings, fetches=[("revisit", None)]))


@main.command()
def rebuild() -> None:
    """Build both DuckDB files anew, without a network.

    They are built from the raw vintages; nothing is fetched.
    """
    settings = read()
    from fw_pipeline.launching import launch
    from fw_pipeline.warehouse import Warehouse

    Warehouse(settings.data_dir).discard_working()
    _finish(settings, launch(settings))


@main.command()
@click.option("--as-of", type=Month(), help="What could be said then; the latest when left out.")
@click.option("--claim", help="Only this claim, with every definition; for example C2.")
@click.option("--explain", is_flag=True, help="With --claim: what decides, and every figure down to its evidence file.")
@click.option("--format", "shape", type=FORMATS, default="table", show_default=True)
def verdicts(as_of: date | None, claim: str | None, *, explain: bool, shape: str) -> None:
    """Print the verdict on every claim."""
    from fw_pipeline import answers

    if explain and claim is None:
        raise click.UsageError("--explain goes with --claim; for example --claim C14 --explain")
    settings = read()
    with answers.known_then(settings.published, as_of) as published:
        if claim is not None:
            _one_claim(settings, published, claim, as_of=as_of, explain=explain, shape=shape)
            return
        found = answers.verdicts(published, as_of=as_of)
        short = answers.in_short(published, found)
    month = found["as_of"].max()
    title = f"Verdicts as of {month:%Y-%m}" if isinstance(month, date) else "Verdicts"
    show(short if shape == "table" else found, shape, title=title, width=SCREEN)


def _one_claim(
    settings: Settings, published: Path, claim: str, *, as_of: date | None, explain: bool, shape: str
) -> None:
    """Print one claim: what to read first, and every definition, with the evidence if it is to be explained."""
    from fw_pipeline import answers, explanation

    if not explain:
        judged = explanation.judged(published, claim, as_of=as_of)
        if shape != "table":
            show(judged.verdicts, shape)
            return
        tell(visible(explanation.title(judged)))
        tell_facts(explanation.facts(judged))
        tell("")
        found, notes = answers.footnoted(answers.by_definition(judged.verdicts), "obstacle")
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

    One line for each source; the months that it lacks with --months.
    """
    from fw_pipeline import answers

    if months and only_settings:
        raise click.UsageError("--months and --settings are two questions; ask one of them")
    settings = read()
    if only_settings:
        show(answers.in_effect(settings), shape, title="Settings")
        return
    if shape == "json":
        found = answers.coverage(settings.published) if months else answers.sources(settings, now=datetime.now(UTC))
        show(found, shape)
        return
    if months:
        title, (found, notes) = "Months", answers.footnoted(answers.stretches(settings.published), "reason", "remedy")
    else:
        title, (found, notes) = "Sources", answers.on_a_screen(answers.sources(settings, now=datetime.now(UTC)))
    show(found, shape, title=title, width=SCREEN)
    _tell_notes(notes)
    if not months:
        tell("Which months are missing: fw-pipeline status --months")


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
            raise Reason("query", f"{file.name} is not valid UTF-8", "write it in UTF-8") from error
    assert query is not None
    show(ask(read().published, query), shape)


@main.command()
@click.option("--format", "form", type=click.Choice(["parquet", "csv"]), default="parquet", show_default=True)
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Folder; data/export when left out.")
@click.option("--table", "names", multiple=True, metavar="NAME", help="Only this table or schema; may be repeated.")
def export(form: Literal["parquet", "csv"], folder: Path | None, names: tuple[str, ...]) -> None:
    """Write the published tables as files.

    With a data dictionary and the licences of the figures.
    """
    from fw_pipeline.export import export as write

    settings = read()
    target = (folder or settings.data_dir / "export").absolute()
    tables = write(settings.published, target, form, only=names)
    click.echo(f"{len(tables)} tables, {sum(table.rows for table in tables):,} rows in {target}", err=True)


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; there is no login.")
def ui(port: int, host: str) -> None:
    """Start the Dagster UI and its daemon.

    It is closed to pages of other sites, and listens on this machine alone unless told otherwise.
    """
    from fw_pipeline.home import exposed, prepare, refuse_if_taken

    settings = read()
    refuse_if_taken(host, port)
    home = prepare(settings.data_dir)
    if warning := exposed(host):
        _complain(warning)
    click.echo(f"Dagster UI on http://{host}:{port} (history in {home}); stop it with Ctrl-C", err=True)
    command = [
        sys.executable, "-m", "fw_pipeline.serving", "dev",
        "--workspace", str(SHIPPED_DIR / "workspace.yaml"), "--host", host, "--port", str(port),
    ]  # fmt: skip
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts us in the background ignores it
    own = {"DAGSTER_HOME": str(home), "FW_UI_URL": settings.alerting.ui or f"http://{host}:{port}"}
    environment = {**os.environ, **settings.environment, **own}
    # where no `.env` lies: Dagster would let it win over the environment
    process = subprocess.Popen(command, cwd=home, env=environment)  # noqa: S603 - our own interpreter
    signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
    while process.poll() is None:
        try:
            process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)  # it closes its parts in order
    sys.exit(0 if process.returncode in (0, 130, -signal.SIGINT) else 1)


def _finish(settings: Settings, launched: Launched, refused: Sequence[str] = ()) -> None:
    """Say every failure on its line, then where the results are, and leave with the right status."""
    from fw_pipeline.launching import what_is_published

    for note in launched.notes:
        click.echo(note, err=True)
    launched = replace(launched, failures=tuple(dict.fromkeys([*launched.failures, *refused])))
    for line in launched.failures:
        _complain(line)
    if launched.published:
        click.echo(f"report    {settings.data_dir / 'report' / 'index.html'}", err=True)
    click.echo(what_is_published(settings, launched), err=True)
    if launched.failures:
        sys.exit(1)


def _complain(line: str) -> None:
    click.echo(f"fw-pipeline: {one_line(line, 2500)}", err=True)
