"""What all commands share: the group, in which every failure is one line, and the types of their options.

What takes time to import is imported by the command that needs it.
"""

from __future__ import annotations

import io
import os
import sys
from datetime import date
from typing import Any

import click

from fw_pipeline import signals
from fw_pipeline.cli.output import drop_output
from fw_pipeline.errors import PipelineError
from fw_pipeline.months import parse_month
from fw_pipeline.settings_values import SettingError
from fw_pipeline.text import one_line

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
        import polars as pl  # noqa: F401 - with it comes a handler of SIGINT, which would take the place of ours

        with signals.heard() as stopped_by:
            try:
                return super().invoke(ctx)
            except SettingError as error:
                raise click.UsageError(str(error)) from None
            except PipelineError as reason:
                complain(str(reason))
                ctx.exit(1)
            except signals.RunsContinue:
                by = stopped_by.last()
                complain(f"{ctx.invoked_subcommand}: stopped by {by.name}; {signals.CONTINUING}")
                ctx.exit(128 + by)
            except KeyboardInterrupt:
                by = stopped_by.last()
                complain(f"{ctx.invoked_subcommand}: {signals.INTERRUPTED}, by {by.name}; {signals.REMEDY}")
                ctx.exit(128 + by)
            except BrokenPipeError:
                drop_output()  # the reader has left
                ctx.exit(0)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fw-pipeline")
def main() -> None:
    """Evidence for claims about deep-learning frameworks, month by month, in one DuckDB file."""


def complain(line: str) -> None:
    """Say on stderr what is wrong, in one line."""
    click.echo(f"fw-pipeline: {one_line(line, 2500)}", err=True)
