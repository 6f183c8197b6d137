"""What the command line reads and writes: queries in every form, answers on every kind of output, and Ctrl-C."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from fw_pipeline.cli.output import Progress
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse import Warehouse
from fw_pipeline_tests.support.command import COMMAND, Done, called, environment, fw_pipeline, start

WIDE = f"select {', '.join(f'{n} as measure_{n}' for n in range(80))}"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a small published file."""
    folder = tmp_path_factory.mktemp("data")
    with Warehouse(folder).writing() as writer:
        for source in SOURCES:
            writer.load_raw(source)
        moment = "timestamptz '2023-01-01 00:00:00+00'"
        sql = f"select range as a, 'straße' as b, {moment} as moment from range(3)"
        writer.build("marts.x", sql, description="x", columns={})
        writer.build("raw.y", "select 1 as a", description="y", columns={})
    Warehouse(folder).publish()
    return folder


def through(data: Path, shell: str, *arguments: str, **settings: str) -> Done:
    """Run the command through a shell: `$0` and `$@` are the command and its arguments."""
    done = subprocess.run(
        ["/bin/sh", "-c", shell, *COMMAND, *arguments],
        env=environment(data, **settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def on_a_terminal(data: Path, columns: int, *arguments: str) -> str:
    """Return what the command writes to a terminal of so many columns."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (50, columns))
    given = {k: v for k, v in environment(data, TERM="xterm").items() if k not in {"COLUMNS", "LINES"}}
    with subprocess.Popen([*COMMAND, *arguments], env=given, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        parts = []
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:  # the other end is closed
            pass
        assert process.wait(60) == 0
    os.close(ours)
    return b"".join(parts).decode()


def seconds_of_work(process: int) -> float:
    """Return what a process has computed so far, in seconds of the processor."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("stop", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_a_running_query_stops_at_a_signal(data: Path, stop: signal.Signals) -> None:
    endless = "select a.range from range(100000000) a, range(100000000) b where (a.range + b.range) % 1000003 = -1"
    process = start(data, ["sql", endless])
    try:
        while seconds_of_work(process.pid) < 3:  # a start takes one: the query has begun
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        process.send_signal(stop)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, len(err.splitlines())) == (128 + stop, 1), err
    assert f"sql: interrupted before it was done, by {stop.name}" in err


@pytest.mark.parametrize("columns", [80, 200])
def test_no_column_is_left_out_on_a_terminal_however_narrow(data: Path, columns: int) -> None:
    said = on_a_terminal(data, columns, "sql", WIDE)
    assert [f"measure_{n}" for n in range(80)] == [line.split()[0] for line in said.splitlines() if "measure" in line]
    assert "row 1 of 1" in said
    assert "row 1 of" not in on_a_terminal(data, columns, "sql", "from marts.x")


@pytest.mark.parametrize("columns", [60, 120])
def test_what_is_too_wide_is_folded_and_every_word_of_it_is_there(data: Path, columns: int) -> None:
    words = [f"wörd{n}" for n in range(40)]
    said = on_a_terminal(data, columns, "sql", f"select '{' '.join(words)}' as \"a long name\", 'not enough data' as b")
    lines = said.replace("\r", "").splitlines()
    assert max(map(len, lines[1:])) <= columns
    assert " ".join(said.replace("not enough data", "").split()).endswith(" ".join(words))


def test_no_column_is_left_out_elsewhere_and_no_row_is_no_columns(data: Path) -> None:
    assert called(data, "sql", WIDE).out.count("measure_") == 80
    none = called(data, "sql", f"{WIDE} limit 0").out
    assert none.startswith("no rows of 80 columns: measure_0, ")


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (
            {"build": ["marts.x", "marts.y"], "check": ["marts.x: 1 of 1 rules hold"]},
            "made 2 tables; ran the rules of 1 table",
        ),
        (
            {"build": ["a"], "keep": ["b", "c"], "check": ["a: 0 of 1 rules hold"] * 2},
            "made 1 table, kept 2 that would come out the same; ran the rules of 1 table",
        ),
        (
            {"build": ["a"], "keep": ["b", "c"]},
            "made 1 table, kept 2 that would come out the same; ran no rule again, as the rows are the same",
        ),
        ({"build": ["marts/x", "marts/y"]}, "made 2 tables"),
    ],
)
def test_a_run_ends_with_what_it_made_kept_and_checked_on_one_line(
    steps: dict[str, list[str]], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress() as progress:
        for stage, named in steps.items():
            for what in named:
                progress(stage, what)
    assert capsys.readouterr().err == f"{said}\n"


QUERIES: list[tuple[Sequence[str], bytes]] = [
    (["-- how many?\nselect count(*) as n from marts.x"], b""),
    (["--how many?\nselect count(*) as n from marts.x"], b""),
    (["/* how many? */ select count(*) as n from marts.x"], b""),
    (["-"], b"-- how many?\nselect count(*) as n\nfrom marts.x;\n"),
    (["--file", "-"], b"\xef\xbb\xbfselect count(*) as n from marts.x"),
    (["--file", "{folder}/query.sql"], b""),
]


@pytest.mark.parametrize(("arguments", "stdin"), QUERIES)
def test_a_query_comes_as_text_with_comments_from_a_file_or_from_standard_input(
    data: Path, tmp_path: Path, arguments: Sequence[str], stdin: bytes
) -> None:
    (tmp_path / "query.sql").write_text("-- how many?\nselect count(*) as n from marts.x\n", encoding="utf-8")
    given = [it.replace("{folder}", str(tmp_path)) for it in arguments]
    for call in ([*given, "--format", "csv"], ["--format", "csv", *given]):
        done = called(data, "sql", *call, stdin=stdin)
        assert (done.status, done.out) == (0, "n\n3\n"), done.err


def test_a_query_comes_through_a_pipe(data: Path) -> None:
    done = through(data, 'echo \'select count(*) as n from marts.x\' | "$0" "$@"', "sql", "-", "--format", "csv")
    assert (done.status, done.out, done.err) == (0, "n\n3\n", "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--file PATH"),
        (["select 1", "--file", "/dev/null"], "one of them"),
        (["--fromat", "csv", "select 1"], "Did you mean '--format'?"),
        (["--file", "/nowhere.sql"], "No such file"),
    ],
)
def test_a_wrong_call_of_sql_says_what_is_right(data: Path, arguments: Sequence[str], says: str) -> None:
    done = called(data, "sql", *arguments)
    assert (done.status, says in done.err) == (2, True), done.err


@pytest.mark.parametrize("sql", ["show tables", " SHOW  TABLES;\n"])
def test_show_tables_names_the_tables_with_their_schemas(data: Path, sql: str) -> None:
    done = called(data, "sql", sql, "--format", "csv")
    names = [line.split(",")[0] for line in done.out.splitlines()]
    assert names[0] == "name"
    assert {"marts.x", "raw.y", "raw.pypi"} < set(names)


ANSWERS = (
    ["sql", "from marts.x"],
    ["sql", "from marts.x", "--format", "csv"],
    ["sql", "from marts.x", "--format", "json"],
    ["status", "--settings"],
)


@pytest.mark.parametrize("arguments", ANSWERS, ids=" ".join)
@pytest.mark.parametrize(
    ("shell", "says"),
    [('"$0" "$@" > /dev/full', "cannot be written: No space left on device"), ('"$0" "$@" >&-', "is closed")],
    ids=["full", "closed"],
)
def test_an_output_that_takes_nothing_is_one_line(data: Path, arguments: list[str], shell: str, says: str) -> None:
    done = through(data, shell, *arguments)
    assert (done.status, len(done.err.splitlines())) == (1, 1), done.err
    assert done.err.startswith("fw-pipeline: output: standard output ")
    assert says in done.err


@pytest.mark.parametrize("arguments", ANSWERS[:3], ids=" ".join)
def test_what_the_terminal_has_no_letter_for_is_shown_as_an_escape(data: Path, arguments: list[str]) -> None:
    done = fw_pipeline(data, *arguments, PYTHONIOENCODING="ascii")
    assert (done.status, done.err) == (0, "")
    assert "stra\\xdfe" in done.out


@pytest.mark.parametrize("zone", ["GMT+5", "Nowhere/Else", "CET-1CEST", ":"])
def test_a_moment_is_shown_in_utc_whatever_the_machine_calls_its_zone(data: Path, zone: str) -> None:
    done = fw_pipeline(data, "sql", "select moment from marts.x limit 1", "--format", "csv", TZ=zone)
    assert (done.status, done.out, done.err) == (0, "moment\n2023-01-01 00:00:00+00:00\n", "")


@pytest.mark.parametrize("more", [{}, {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}], ids=["C", "C without UTF-8"])
def test_a_folder_with_umlauts_is_read_under_a_c_locale(data: Path, tmp_path: Path, more: dict[str, str]) -> None:
    folder = tmp_path / "Zürich"
    folder.mkdir()
    (folder / "warehouse.duckdb").write_bytes((data / "warehouse.duckdb").read_bytes())
    done = fw_pipeline(folder, "sql", "select count(*) as n from marts.x", "--format", "csv", LC_ALL="C", **more)
    assert (done.status, done.out, done.err) == (0, "n\n3\n", "")
    made = fw_pipeline(folder, "export", "--to", str(folder / "Maße"), LC_ALL="C", **more)
    assert (made.status, (folder / "Maße" / "marts" / "x.parquet").exists()) == (0, True), made.err
    prepare = (
        "import sys; from pathlib import Path; from fw_pipeline.orchestration.instance import prepare; "
        "prepare(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", prepare, str(folder)], check=True, env=environment(folder))


def test_a_folder_whose_name_dagster_would_read_otherwise_is_refused_with_the_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "100%41"
    done = fw_pipeline(folder, "rebuild")
    assert (done.status, len(done.complaints)) == (1, 1), done.err
    assert "holds a % with a number after it" in done.err
    assert "choose a folder without one" in done.err
    assert "free space" not in done.err


def test_a_folder_that_is_a_link_to_itself_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    refused = fw_pipeline(tmp_path / "loop", "run")
    assert (refused.status, len(refused.complaints)) == (1, 1), refused.err
    assert "Too many levels of symbolic links" in refused.err


def test_an_export_keeps_a_link_and_refuses_the_root(data: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for _ in range(2):
        done = called(data, "export", "--to", str(tmp_path / "link"))
        assert done.status == 0, done.err
        assert (tmp_path / "link").readlink() == Path("real")
        assert (tmp_path / "real" / "marts" / "x.parquet").exists()
    (tmp_path / "loop").symlink_to("loop")
    for place, says in (("/", "cannot be replaced as a whole"), (str(tmp_path / "loop"), "leads nowhere")):
        refused = called(data, "export", "--to", place)
        assert (refused.status, len(refused.complaints)) == (1, 1), refused.err
        assert says in refused.err
