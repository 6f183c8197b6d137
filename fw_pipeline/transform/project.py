"""The SQL models: path to name, SQL to upstream, document to facts; a backward read is refused.

`dbt_like_sql/marts/x.sql` is table `marts.x`. What a model reads is taken from its SQL and never declared.
Nothing is run here, and no database is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import accumulate
from pathlib import Path

from sqlglot import Dialect, Token, TokenType, exp
from sqlglot.errors import SqlglotError

from fw_pipeline.errors import PipelineError
from fw_pipeline.transform.model_document import Doc, Shared, read_doc, read_shared

MEASUREMENTS = "meta.measurements"
"""The union of all claims tables. The pipeline builds it after the claims; of the models, only marts read it."""

FORECASTS = "meta.forecasts"
FORECAST_SERIES = "marts.forecast_series"
"""The series that are forecast, and the forecasts, which the pipeline makes of them; only marts read those."""

READS: Mapping[str, tuple[str, ...]] = {
    "staging": ("raw", "detail", "meta"),
    "meta": ("raw", "staging", "meta"),
    "marts": ("staging", "marts", "meta"),
    "claims": ("staging", "marts", "meta"),
}
"""The schemas that a model of each schema may read. The rest would be a backward read."""

ROW_MAKERS = ("unnest", "range", "generate_series")
"""The table functions that a model may use: they make rows of what is already there, and read no file."""


_CHANGING = """
current_catalog current_connection_id current_database current_date current_localtime current_localtimestamp
current_query current_query_id current_role current_schema current_schemas current_setting current_time
current_timestamp current_transaction_id current_user currval gen_random_uuid get_current_time get_current_timestamp
getenv getvariable in_search_path localtime localtimestamp nextval now rand random session_user setseed setval
sleep_ms stats today transaction_timestamp txid_current user uuid uuidv4 uuidv7 vector_type write_log
"""
CHANGING = frozenset(_CHANGING.split())
"""Functions that give another value for the same rows, as DuckDB calls them, or sqlglot where it has a name of its own.

A build keeps a table whose SQL and rows have not changed, so it would keep yesterday's date.
"""

DEEPEST = 1000
"""How deeply a statement may be nested: DuckDB takes no deeper expression (its setting `max_expression_depth`)."""

_DUCKDB = Dialect.get_or_raise("duckdb")
_OPEN = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSE = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}


@dataclass(frozen=True, slots=True)
class Model:
    """One SQL file and its document: the table that it makes, and what it reads."""

    name: str
    """`schema.table`."""
    schema: str
    table: str
    sql: str
    upstream: tuple[str, ...]
    """Every `schema.table` that the SQL reads, sorted."""
    doc: Doc


def load(folder: Path, registered: frozenset[str]) -> tuple[Model, ...]:
    """Read all models below `folder`, in an order in which each comes after what it reads.

    Args:
        folder: holds one folder a schema, with one `.sql` and one `.yml` a model.
        registered: the relations that exist before any model is built (`raw.*`, seeds in `meta`), and
            `meta.measurements` and `meta.forecasts`.

    Raises:
        PipelineError: a file lacks its partner, a document or an SQL text is broken, or a relation that is read is
            unknown, has no schema, is read backward, or closes a circle.
    """
    if not folder.is_dir():
        raise PipelineError(
            str(folder.name), "the folder of the SQL models is not there", "restore it from the repository"
        )
    shared = {path.stem: read_shared(path) for path in folder.glob("*.yml") if path.stem in READS}
    found = tuple(_read(path, shared.get(path.parent.name)) for path in _pairs(folder))
    names = frozenset(model.name for model in found)
    if twice := sorted(names & registered):
        raise PipelineError(twice[0], "is a model and also a table that the pipeline makes", "rename the model")
    for model in found:
        for relation in model.upstream:
            _permit(model, relation, known=names | registered, models=names)
        _examples_fit(model, found)
    return _in_order(found)


def ancestors(model: Model, models: Iterable[Model]) -> frozenset[str]:
    """Return every relation that the model reads, and that those read in turn."""
    reads = {other.name: other.upstream for other in models}
    found: set[str] = set()
    waiting = [*model.upstream]
    while waiting:
        if (relation := waiting.pop()) not in found:
            found.add(relation)
            waiting += reads.get(relation, ())
    return frozenset(found)


@cache
def relations_read(where: str, sql: str) -> frozenset[str]:
    """Return every `schema.table` that a query reads; `where` is what to call it in a message.

    Raises:
        PipelineError: it is not one valid select statement, reads a table without its schema, or gives another value
            for the same rows.
    """
    return frozenset(_upstream(where, _parsed(where, sql)))


def _pairs(folder: Path) -> list[Path]:
    """Return every `.sql` file, having refused files that lack their partner or lie in the wrong place."""
    shared = {folder / f"{schema}.yml" for schema in READS}
    paths = sorted(path for path in folder.rglob("*") if path.suffix in {".sql", ".yml"} and path not in shared)
    paths = [path for path in paths if path.parent != folder / "seeds"]  # small tables, read by `seeds`
    if lost := sorted(path for path in folder.rglob("*.csv") if path.parent != folder / "seeds"):
        raise PipelineError(str(lost[0].relative_to(folder)), "is read by nobody there", "put it into seeds/")
    for path in paths:
        where = str(path.relative_to(folder))
        if len(path.relative_to(folder).parts) != 2 or path.parent.name not in READS:  # noqa: PLR2004 - schema/table
            raise PipelineError(where, "lies in no schema", f"put it straight into one of {', '.join(READS)}")
        if not path.stem.isidentifier() or not path.stem.islower():
            raise PipelineError(where, "is no name of a table", "use small letters, digits and _")
        other = path.with_suffix(".yml" if path.suffix == ".sql" else ".sql")
        if not other.is_file():
            raise PipelineError(where, f"has no {other.name} beside it", f"write {path.parent.name}/{other.name}")
    return [path for path in paths if path.suffix == ".sql"]


def _read(path: Path, shared: Shared | None) -> Model:
    schema, table = path.parent.name, path.stem
    try:
        sql = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as broken:
        raise PipelineError(f"{schema}/{path.name}", f"is not UTF-8: {broken}", "write it in UTF-8") from None
    query = _parsed(f"{schema}/{path.name}", sql)
    upstream = _upstream(f"{schema}/{path.name}", query)
    yields = _yields(query) if shared else ()
    doc = read_doc(path.with_suffix(".yml"), is_claim=schema == "claims", shared=shared, yields=yields)
    return Model(name=f"{schema}.{table}", schema=schema, table=table, sql=sql, upstream=upstream, doc=doc)


def _parsed(where: str, sql: str) -> exp.Query:
    try:
        tokens = _DUCKDB.tokenize(sql)
        _refuse_if_too_deep(tokens)
        statements = [statement for statement in _DUCKDB.parser().parse(tokens, sql) if statement is not None]
    except SqlglotError as broken:
        cause = str(broken).replace("\x1b[4m", "").replace("\x1b[0m", "")
        raise PipelineError(where, f"not valid SQL: {cause}", "try it in the duckdb shell") from None
    except RecursionError:
        raise PipelineError(where, "is nested too deeply", "name its parts, with common table expressions") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise PipelineError(where, "is not one select statement", "keep one select, and nothing that changes anything")
    _refuse_changing(where, statements[0])
    return statements[0]


def _refuse_changing(where: str, query: exp.Query) -> None:
    """Refuse what gives another value for the same rows: the clock, chance, a sample, what belongs to a connection."""
    for call in query.find_all(exp.Func):
        name = (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).lower()
        if name in CHANGING or (name == "age" and len(call.expressions) == 1):  # of one moment, until today
            cause = f"calls {name}, which gives another value for the same rows"
            raise PipelineError(where, cause, "leave it out; meta.months ends with the last closed month")
    if query.find(exp.TableSample):
        raise PipelineError(where, "draws a sample, which is another one each time", "read all rows")


def _refuse_if_too_deep(tokens: Iterable[Token]) -> None:
    """Refuse more open brackets and cases than `DEEPEST`: of many, the parser overflows the stack and ends the process.

    Raises:
        RecursionError: as the parser does where Python stops it in time.
    """
    steps = (1 if token.token_type in _OPEN else -1 if token.token_type in _CLOSE else 0 for token in tokens)
    if max(accumulate(steps), default=0) > DEEPEST:
        raise RecursionError


def _yields(query: exp.Query) -> tuple[str, ...]:
    """Return the names of the columns that a statement yields; through `select * from` one of its parts, if need be."""
    parts = {cte.alias: cte.this for cte in query.find_all(exp.CTE)}
    while query.is_star and (table := query.find(exp.From)) is not None and table.this.name in parts:
        query = parts.pop(table.this.name)
    return tuple(name for name in query.named_selects)


def _upstream(where: str, query: exp.Query) -> tuple[str, ...]:
    """Return every relation that one select statement reads."""
    named_inside = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    read = set()
    for table in query.find_all(exp.Table):
        if isinstance(table.this, exp.Func):
            function = table.this.name if isinstance(table.this, exp.Anonymous) else table.this.sql_name().lower()
            if function.lower() not in ROW_MAKERS:
                raise PipelineError(where, f"reads through {function}()", "read tables, as schema.table")
        elif table.db:
            read.add(f"{table.db}.{table.name}".lower())
        elif table.name.lower() not in named_inside:
            raise PipelineError(where, f"reads {table.name} without its schema", "write schema.table")
    return tuple(sorted(read))


def _permit(model: Model, relation: str, *, known: frozenset[str], models: frozenset[str]) -> None:
    """Refuse a relation that does not exist or that this model may not read."""
    if relation not in known:
        near = get_close_matches(relation, sorted(known), n=3)
        remedy = f"did you mean {' or '.join(near)}?" if near else "register it, or add the model"
        raise PipelineError(model.name, f"reads {relation}, which is not registered and no model", remedy)
    schema = relation.partition(".")[0]
    allowed = schema in READS[model.schema] or (model.schema == "marts" and relation.endswith("_vintages"))
    if relation in (MEASUREMENTS, FORECASTS):
        allowed = model.schema == "marts"
    elif schema == "meta" and model.schema == "staging":
        allowed = relation not in models
    if not allowed:
        may = ", ".join(READS[model.schema])
        raise PipelineError(model.name, f"reads {relation}, which is a backward read", f"{model.schema} may read {may}")


def _examples_fit(model: Model, models: Iterable[Model]) -> None:
    """Refuse an example that gives a relation that is not read, or expects a column that is not documented."""
    for example in model.doc.examples:
        where = f"{model.name}: example {example.name!r}"
        if not set(example.given) <= set(model.upstream):
            unread = sorted(set(example.given) - ancestors(model, models))
            if unread:
                raise PipelineError(where, f"gives {unread[0]}, which the SQL does not read", "give what is read")
        if strange := sorted({column for row in example.expect for column in row} - set(model.doc.columns)):
            raise PipelineError(where, f"expects {strange[0]}, which is no column", "expect documented columns")


def _in_order(models: Iterable[Model]) -> tuple[Model, ...]:
    by_name = {model.name: model for model in models}
    claims = {model.name for model in by_name.values() if model.schema == "claims"}
    reads = {name: sorted(model.upstream) for name, model in sorted(by_name.items())}
    try:
        made = {MEASUREMENTS: sorted(claims), FORECASTS: [FORECAST_SERIES]}
        order = list(TopologicalSorter({**reads, **made}).static_order())
    except CycleError as circle:
        raise PipelineError(
            circle.args[1][0], f"reads itself: {' <- '.join(circle.args[1])}", "break the circle"
        ) from None
    return tuple(by_name[name] for name in order if name in by_name)
