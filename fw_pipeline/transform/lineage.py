"""Where each column of a model comes from: the columns of the relations that it reads, found in its SQL.

Only a column's value counts, not what joins, filters or groups it. What sqlglot's own `lineage` does a column at a
time, with a full qualification of the statement each, is done here in one walk over the scopes: it is needed for
every model of every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from fw_pipeline.contract import PROVENANCE
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform.project import Model

Origin = tuple[str, str]
"""A relation and one of its columns."""


def lineage(model: Model, models: Iterable[Model]) -> Mapping[str, tuple[Origin, ...]]:
    """Return, for each documented column, the columns that its value is made from; none for a constant.

    Args:
        model: the model whose columns are asked for.
        models: all models; their documents say which columns a `select *` brings.
    """
    known = {other.name: frozenset(other.doc.columns) for other in models}
    for name, source in SOURCES.items():
        columns = frozenset({*source.table.schema, *PROVENANCE, "vintage", "is_current"})
        known |= {f"raw.{name}{suffix}": columns for suffix in ("", "_vintages", "_unpartitioned")}
    root = build_scope(sqlglot.parse_one(model.sql, read="duckdb"))
    assert root is not None, "a model is one select statement, as loading has made sure"
    trace = _Trace(known)
    return MappingProxyType({column: tuple(sorted(trace.output(root, column))) for column in model.doc.columns})


class _Trace:
    """One walk over the scopes of a statement; what was found for a column of a scope is kept."""

    def __init__(self, known: Mapping[str, frozenset[str]]) -> None:
        self._known = known
        self._found: dict[tuple[int, str], frozenset[Origin]] = {}

    def output(self, scope: Scope, name: str) -> frozenset[Origin]:
        """Return the origins of one output column of a scope."""
        key = (id(scope), name.lower())
        if key not in self._found:
            self._found[key] = frozenset()  # a recursive CTE meets itself here
            self._found[key] = frozenset(self._origins(scope, name.lower()))
        return self._found[key]

    def _origins(self, scope: Scope, name: str) -> Iterator[Origin]:
        if scope.set_operation_scopes:
            left, right = scope.set_operation_scopes
            yield from self.output(left, name)
            yield from self.output(right, self._same_place(scope.expression, left, right, name))
            return
        if scope.is_udtf and scope.parent is not None:
            for column in scope.expression.find_all(exp.Column):
                yield from self._column(scope.parent, column, within=scope.expression)
            return
        projections = scope.expression.selects if isinstance(scope.expression, exp.Query) else [scope.expression]
        named = [item for item in projections if item.alias_or_name.lower() == name and not item.is_star]
        stars = [item for item in projections if item.is_star]
        # A struct that is unnested into columns names them nowhere as a projection: all it holds may be meant.
        spread = [item for item in projections if not item.alias_or_name and item.find(exp.Explode, exp.Unnest)]
        if named:
            for column in self._columns(named[0]):
                yield from self._column(scope, column, within=named[0])
        elif stars:
            for star in stars:
                yield from self._through_star(scope, star, name)
        else:
            for item in spread:
                for column in self._columns(self._field(item, name)):
                    yield from self._column(scope, column, within=item)

    def _same_place(self, union: exp.Expr, left: Scope, right: Scope, name: str) -> str:
        """Return what the right side of a union calls the column that the left side calls `name`."""
        if union.args.get("by_name"):
            return name
        names, others = self._names(left), self._names(right)
        return others[names.index(name)] if name in names and len(names) == len(others) else name

    @staticmethod
    def _names(scope: Scope) -> list[str]:
        selects = scope.expression.selects if isinstance(scope.expression, exp.Query) else []
        return [item.alias_or_name.lower() for item in selects]

    @staticmethod
    def _field(item: exp.Expr, name: str) -> exp.Expr:
        """Return the values that a struct gives one field, or the whole where it names no such field."""
        fields = [pair for pair in item.find_all(exp.PropertyEQ) if pair.this.name.lower() == name]
        return exp.Array(expressions=[pair.expression.copy() for pair in fields]) if fields else item

    @staticmethod
    def _columns(item: exp.Expr) -> Iterator[exp.Column]:
        """Return the columns that give a projection its value: not what orders or filters it."""
        beside = (exp.Where, exp.Order, exp.Join, exp.Group, exp.Having)
        for column in item.find_all(exp.Column):
            around = column.find_ancestor(*beside, exp.Query)
            if not isinstance(around, beside) or around.find_ancestor(exp.Query) is None:
                yield column

    def _column(self, scope: Scope, column: exp.Column, *, within: exp.Expr) -> Iterator[Origin]:
        name, table = column.name.lower(), column.table
        inner = next((sub for sub in scope.subquery_scopes if column in sub.columns), None)
        if inner is not None:
            yield from self._column(inner, column, within=within)
        elif table:
            yield from self._from(self._sources(scope).get(table), name)
        else:
            sources = list(self._sources(scope).values())
            holders = [source for source in sources if self._holds(source, name)]
            earlier = self._earlier(scope, name, within)
            if not holders and earlier is not None:
                for part in self._columns(earlier):
                    yield from self._column(scope, part, within=earlier)
            for source in holders or (sources if earlier is None else []):
                yield from self._from(source, name)

    @staticmethod
    def _earlier(scope: Scope, name: str, within: exp.Expr) -> exp.Expr | None:
        """Return the projection of the same select that a name repeats, as DuckDB allows."""
        projections = scope.expression.selects if isinstance(scope.expression, exp.Query) else []
        return next((item for item in projections if item.alias_or_name.lower() == name and item is not within), None)

    def _through_star(self, scope: Scope, star: exp.Expr, name: str) -> Iterator[Origin]:
        prefix = star.table if isinstance(star, exp.Column) else ""
        visible = self._sources(scope)
        sources = [visible.get(prefix)] if prefix else list(visible.values())
        for source in [held for held in sources if self._holds(held, name)] or sources[:1]:
            yield from self._from(source, name)

    def _holds(self, source: object, name: str) -> bool:
        """Say whether a relation or a scope is known to have a column of that name."""
        if isinstance(source, exp.Table):
            return name in self._known.get(self._relation(source), ())
        if isinstance(source, Scope) and isinstance(source.expression, exp.Query):
            selects = source.expression.selects
            inside = self._sources(source).values() if any(item.is_star for item in selects) else ()
            return name in {item.alias_or_name.lower() for item in selects} or any(
                self._holds(held, name) for held in inside
            )
        return False

    def _from(self, source: object, name: str) -> Iterator[Origin]:
        if isinstance(source, Scope):
            yield from self.output(source, name)
        elif isinstance(source, exp.Table) and not isinstance(source.this, exp.Func):
            relation = self._relation(source)
            if relation not in self._known or name in self._known[relation]:
                yield relation, name

    @staticmethod
    def _sources(scope: Scope) -> dict[str, exp.Table | Scope]:
        """Return what the scope selects from: of all CTEs in sight, only those that it names."""
        return {name: source for name, (_, source) in scope.selected_sources.items()}

    @staticmethod
    def _relation(table: exp.Table) -> str:
        return f"{table.db}.{table.name}".lower()
