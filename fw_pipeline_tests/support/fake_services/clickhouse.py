"""A real ClickHouse engine within the test process: the tables of downloads and of posts, as on the public server."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fw_pipeline_tests.support.fake_services.world import CROWD_AT, CROWD_STEP, PACKAGE_NAMES, Question, World

_TABLES = """
CREATE TABLE pypi.pypi_downloads_per_day (date Date, project String, count Int64)
ENGINE = SummingMergeTree ORDER BY (project, date)
"""
_POSTS = """
CREATE TABLE stackoverflow.posts (
    Id Int32,
    PostTypeId Enum8('Question' = 1, 'Answer' = 2, 'Wiki' = 3, 'TagWikiExcerpt' = 4, 'TagWiki' = 5,
        'ModeratorNomination' = 6, 'WikiPlaceholder' = 7, 'PrivilegeWiki' = 8),
    CreationDate {kind},
    Title String,
    Tags String
)
ENGINE = MergeTree ORDER BY (PostTypeId, toDate(CreationDate), CreationDate)
"""
_CROWD = """
INSERT INTO stackoverflow.posts
SELECT 900000000 + number, 'Question', toDateTime({begin} + {at} + number * {step}, 'UTC'), 'Else', '|css|html|'
FROM numbers({many})
"""
_PARTS = 3
"""A day of a project is spread over so many parts that are never merged, as on the busy public server."""


class Engine:
    """One engine for the process: it cannot have two."""

    def __init__(self) -> None:
        """Start the engine, with the tables empty."""
        from chdb import session  # noqa: PLC0415 - a large library, for one service only

        self._session = session.Session()
        self._lock = threading.Lock()
        self._loaded: tuple[Any, ...] = ()
        self._posts: tuple[Any, ...] = ()
        self._session.query("CREATE DATABASE IF NOT EXISTS pypi")

    def run(
        self, sql: str, form: str, *, settings: Mapping[str, str], parameters: Mapping[str, str], world: World
    ) -> tuple[tuple[int, str] | None, bytes]:
        """Return an exception (code, message) or None, and the result in the wanted format."""
        with self._lock:
            self._load(world)
            if "stackoverflow" in sql:
                self._load_posts(world)
            changed = [f"SET {name} = '{value}'" for name, value in settings.items() if re.fullmatch(r"\w+", name)]
            try:
                for statement in changed:
                    self._session.query(statement)
                result = self._session.query(sql, form, params=dict(parameters))
                return None, result.bytes()
            except Exception as error:  # noqa: BLE001 - the engine's errors are the answer
                found = re.search(r"Code: (\d+)\. DB::Exception: (.*)", str(error), re.DOTALL)
                return (int(found[1]), found[2]) if found else (1001, str(error)), b""
            finally:
                for name in settings:
                    if re.fullmatch(r"\w+", name):
                        self._session.query(f"SET {name} = DEFAULT")

    def _load(self, world: World) -> None:
        wanted = (type(world), world.today, world.missing_days)
        if wanted == self._loaded:
            return
        self._session.query("DROP TABLE IF EXISTS pypi.pypi_downloads_per_day SYNC")
        self._session.query(_TABLES)
        self._session.query("SYSTEM STOP MERGES pypi.pypi_downloads_per_day")
        rows = [
            (f"{day}", package, count)
            for day in world.days()
            for package in PACKAGE_NAMES
            if (count := world.downloads(package, day)) is not None
        ]
        for part in range(_PARTS):
            values = ",".join(f"('{day}','{name}',{_share(count, part)})" for day, name, count in rows)
            self._session.query(f"INSERT INTO pypi.pypi_downloads_per_day VALUES {values}")
        self._loaded = wanted

    def _load_posts(self, world: World) -> None:
        span = (world.questions_a_month, world.first_question, world.last_question)
        wanted = (span, world.dead_tags, world.posts_kind, world.posts_until, world.posts_gone)
        if wanted == self._posts:
            return
        self._session.query("DROP DATABASE IF EXISTS stackoverflow SYNC")
        self._session.query("CREATE DATABASE stackoverflow")
        if not world.posts_gone:
            self._session.query(_POSTS.format(kind=world.posts_kind))
            rows = [
                f"({it.number},'Question',toDateTime({it.created},'UTC'),'How?','{written(it)}')"
                for it in world.questions()
                if it.created < world.posts_until
            ]
            rows += [row.replace("'Question'", "'Answer'") for row in rows[::3]]
            self._session.query(f"INSERT INTO stackoverflow.posts VALUES {','.join(rows)}")
            begin = int(datetime.combine(world.first_question, datetime.min.time(), UTC).timestamp())
            many = world.crowd_between(0, world.posts_until - 1)
            self._session.query(_CROWD.format(begin=begin, at=CROWD_AT, step=CROWD_STEP, many=many))
        self._posts = wanted


def written(question: Question) -> str:
    """Write the tags of a question as the dumps do: some in the way of 2024, some in that of the years before."""
    if question.number % 2:
        return "|" + "|".join(sorted(question.tags)) + "|"
    return "".join(f"<{tag}>" for tag in sorted(question.tags))


@lru_cache(maxsize=1)
def engine() -> Engine:
    """Return the engine of this process, started when first asked for."""
    return Engine()


def _share(count: int, part: int) -> int:
    return count // _PARTS + (count % _PARTS if part == 0 else 0)
