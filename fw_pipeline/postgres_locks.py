"""Locks, liveness and pace among machines: advisory locks of a PostgreSQL session, and rows by the server's clock.

A lock is as old as the session that holds it: the server frees it when the process is killed or its machine vanishes.
Nothing here waits for a server that is away: whoever would work under a lock hears that at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from fw_pipeline.errors import PipelineError
from fw_pipeline.locks import FAR, LockLost, StillHeld, acquire
from fw_pipeline.text import one_line

SUBJECT = "PostgreSQL (FW_LOCKS)"

_UNFINISHED = "the last request did not report its end, and may not have ended yet"

CLIENT = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
    "application_name": "fw-pipeline",
}
"""A lost server is noticed here after 25 seconds."""

_SERVER = """
set tcp_keepalives_idle = 20; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 4;
set statement_timeout = 20000; set idle_session_timeout = 0
"""
"""The server takes a client for lost after a minute: later than the client takes the server for lost."""

_TABLES = """
create table if not exists fw_pipeline_pace (
    service text primary key, free_at timestamptz not null, why text not null, asking_until timestamptz);
create table if not exists fw_pipeline_runs (run_id text primary key, since timestamptz not null default now())
"""
_LIST = """
insert into fw_pipeline_runs (run_id, since) select unnest(%s::text[]), {since} on conflict (run_id) {conflict}
"""
_LISTED = "select run_id from fw_pipeline_runs where run_id = any(%s) and since <= now()"
GRACE = "2 minutes"
"""From when a run says that it is at work until it certainly has its lock; it takes a moment."""


@dataclass(frozen=True, slots=True)
class PostgresLocks:
    """Locks of the sessions of one database; see `locks.Locks`. Printing shows no address."""

    address: str = field(repr=False)
    """Such as `postgresql://user:password@host/database`."""

    @contextlib.contextmanager
    def held(
        self, name: str, *, patience: float, told: Callable[[float], None], after: float = 0.0
    ) -> Iterator[StillHeld]:
        """Hold a lock in a session of its own; see `locks.Locks.held`."""
        with self.session() as session:
            acquire(partial(session.take, name), patience=patience, told=told, after=after)
            yield session.prove

    @contextlib.contextmanager
    def alive(self, run_id: str) -> Iterator[None]:
        """Hold the lock of a run, and list the run; see `locks.Locks.alive`."""
        with self.session() as session:
            if not session.take(_run(run_id)):
                cause = f"run {run_id} is at work in another process"
                raise PipelineError("Dagster's queue", cause, "let that one end; it was handed out twice")
            session.prepare()
            # listed after its lock is held, so that nobody finds it free
            session.ask(_LIST.format(since="now()", conflict="do update set since = now()"), [run_id])
            try:
                yield
            finally:
                with contextlib.suppress(LockLost):  # the run has ended, even if this cannot be noted
                    session.ask("delete from fw_pipeline_runs where run_id = %s", run_id)

    def killed(self, at_work: Collection[str]) -> list[str]:
        """Return the runs that are listed and whose lock is free; see `locks.Locks.killed`.

        A run that is not listed is about to take its lock, or was stopped before it could: it is listed for later.
        """
        with self.session() as session:
            session.prepare()
            session.ask("delete from fw_pipeline_runs where since < now() - interval '30 days'")
            session.ask(_LIST.format(since=f"now() + interval '{GRACE}'", conflict="do nothing"), list(at_work))
            gone = []
            for (run_id,) in session.ask(_LISTED, list(at_work)):
                if session.take(_run(run_id)):
                    gone += session.ask("delete from fw_pipeline_runs where run_id = %s returning run_id", run_id)
                    session.release(_run(run_id))
            return [run_id for (run_id,) in gone]

    def pace(self, service: str) -> PostgresPace:
        """Return the pace that all sessions share at a service."""
        return PostgresPace(self, service)

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session; closing it frees its locks.

        Raises:
            LockLost: the server does not answer, or lets nobody in.
        """
        session = Session(self.address)
        try:
            yield session
        finally:
            session.close()


@dataclass(frozen=True, slots=True)
class PostgresPace:
    """A pace in a row; see `locks.Pace`."""

    locks: PostgresLocks
    service: str
    others: str = "another process"

    @contextlib.contextmanager
    def turn(self, *, patience: float, told: Callable[[float], None]) -> Iterator[PostgresTurn]:
        """Hold the turn of all machines in a session of its own; see `locks.Pace.turn`."""
        with self.locks.session() as session:
            acquire(partial(session.take, f"turn:{self.service}"), patience=patience, told=told)
            session.prepare()
            yield PostgresTurn(session, self.service)

    def hold(self, seconds: float, why: str) -> None:
        """Let no turn begin for `seconds` from now; see `locks.Pace.hold`."""
        with self.locks.session() as session:
            session.prepare()
            PostgresTurn(session, self.service).postpone(seconds, why)


@dataclass(frozen=True, slots=True)
class PostgresTurn:
    """A turn that a session holds; see `locks.Turn`."""

    session: Session
    service: str

    def wait(self) -> tuple[float, str]:
        """Return how many seconds to wait by the server's clock, and why."""
        found = self.session.ask(
            "select extract(epoch from free_at - clock_timestamp())::float8, why,"
            " extract(epoch from coalesce(asking_until, 'epoch') - clock_timestamp())::float8"
            " from fw_pipeline_pace where service = %s",
            self.service,
        )
        waits = [(seconds, why) for free, why, asking in found for seconds, why in ((free, why), (asking, _UNFINISHED))]
        return max((one for one in waits if one[0] <= FAR), default=(0.0, ""))

    def begin(self, longest: float) -> None:
        """Note that a request is sent now; see `locks.Turn.begin`.

        Whoever has the turn after a session was lost waits until that request has certainly ended.
        """
        while (seconds := self.wait()[0]) > 0:
            time.sleep(seconds)
        self.session.ask(
            "insert into fw_pipeline_pace as pace"
            " values (%s, clock_timestamp(), '', clock_timestamp() + make_interval(secs => %s))"
            " on conflict (service) do update set asking_until = excluded.asking_until",
            self.service,
            longest,
        )

    def end(self, seconds: float, why: str) -> None:
        """Note that the request has ended; where that cannot be noted, the others wait as `begin` says."""
        with contextlib.suppress(LockLost):
            self.postpone(seconds, why)
            self.session.ask("update fw_pipeline_pace set asking_until = null where service = %s", self.service)

    def postpone(self, seconds: float, why: str) -> None:
        """Let no turn begin for `seconds` from now, or longer where that was known already."""
        self.session.ask(
            "insert into fw_pipeline_pace as pace values (%s, clock_timestamp() + make_interval(secs => %s), %s)"
            " on conflict (service) do update set free_at = excluded.free_at, why = excluded.why"
            " where pace.free_at < excluded.free_at or pace.free_at > clock_timestamp() + make_interval(secs => %s)",
            self.service,
            seconds,
            why,
            FAR,
        )


class Session:
    """One session, each of whose statements stands by itself; whatever fails in it is `LockLost`."""

    def __init__(self, address: str) -> None:
        """Open it. Raises `LockLost`."""
        parts = urlsplit(address)
        self._password = unquote(parts.password or "")
        named = {
            "host": parts.hostname,
            "port": parts.port,
            "user": parts.username and unquote(parts.username),
            "password": self._password,
            "dbname": unquote(parts.path.lstrip("/")),
        }
        try:
            import psycopg2  # noqa: PLC0415 - of the extra `cluster`, and only where it is set
        except ImportError as error:
            remedy = "install it with: pip install 'fw-pipeline[cluster]'"
            raise PipelineError(SUBJECT, f"its driver cannot be loaded: {error}", remedy) from None
        self._error = psycopg2.Error
        try:
            known = {name: value for name, value in named.items() if value}
            # never as one address: an error could repeat it, password and all
            self._connection = psycopg2.connect(**{**CLIENT, **known, **dict(parse_qsl(parts.query))})
        except psycopg2.Error as error:
            raise self._lost(error) from None
        try:
            self._connection.autocommit = True
            self.ask(_SERVER)
        except BaseException:
            self.close()
            raise

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows.

        Raises:
            LockLost: it fails, and with it whatever the session held.
        """
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        except self._error as error:
            self.close()
            raise self._lost(error) from None

    def prove(self) -> None:
        """Do nothing while the session lives, and with it its locks. Raises `LockLost`."""
        self.ask("select 1")

    def take(self, name: str) -> bool:
        """Say whether a lock is ours now; it stays so as long as the session lives."""
        return bool(self.ask("select pg_try_advisory_lock(%s)", number(name))[0][0])

    def release(self, name: str) -> None:
        """Let a lock go that this session holds."""
        self.ask("select pg_advisory_unlock(%s)", number(name))

    def prepare(self) -> None:
        """Make the tables where they are missing, one session at a time."""
        if None in self.ask("select to_regclass('fw_pipeline_pace'), to_regclass('fw_pipeline_runs')")[0]:
            self.ask(f"select pg_advisory_xact_lock({number('tables')}); {_TABLES}")

    def close(self) -> None:
        """End the session and free its locks."""
        with contextlib.suppress(self._error):
            self._connection.close()

    def _lost(self, error: Exception) -> LockLost:
        cause = one_line(str(error), 300) or "it does not answer"
        if self._password:
            cause = cause.replace(self._password, "***")
        return LockLost(SUBJECT, cause, "what is done is kept; see that it runs, then run again")


def number(name: str) -> int:
    """Return the number by which PostgreSQL knows a lock: 64 bits of a hash, so that no two names meet."""
    return int.from_bytes(hashlib.sha256(f"fw_pipeline:{name}".encode()).digest()[:8], "big", signed=True)


def _run(run_id: str) -> str:
    return f"run:{run_id}"
