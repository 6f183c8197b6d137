"""The parts of the product that are spoilt, and the tests that are asked about a mutant of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from fw_pipeline_tests.mutation import in_python, in_sql
from fw_pipeline_tests.mutation.mutant import Mutant

ROOT = Path(__file__).parents[2]

SQL = "claims-sql"
"""The part that is SQL; the others are Python."""

PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "claims": ("fw_pipeline/claims.py",),
        SQL: (
            "dbt_like_sql/claims/*.sql",
            "dbt_like_sql/marts/deployment.sql",
            "dbt_like_sql/marts/figures_by_basis.sql",
            "dbt_like_sql/marts/huggingface_exclusivity_as_of.sql",
            "dbt_like_sql/marts/verdicts.sql",
            "dbt_like_sql/marts/headline_verdicts.sql",
        ),
        "warehouse": ("fw_pipeline/warehouse/*.py",),
        "raw": ("fw_pipeline/raw/*.py",),
    }
)
"""The files of each part, as patterns below the root."""

OF_PYTHON = tuple(
    f"fw_pipeline_tests/test_{name}.py"
    for name in (
        "claims",
        "evidence",
        "export",
        "ingest",
        "querying",
        "raw",
        "raw_damage",
        "raw_on_disk",
        "replay",
        "user_query",
        "warehouse",
        "warehouse_words",
        "writer",
    )
)
"""The tests of which those that reach a line are asked about a mutant of Python."""

OF_SQL = (
    ("fw_pipeline_tests/test_ledger.py",),
    ("fw_pipeline_tests/test_claims.py", "-k", "not changes or 2023-01-01"),  # of what repeats by month, one month
)
"""The tests that are asked, one after the other, once the examples of the model have passed."""

EXAMPLES = "fw_pipeline_tests/test_model_examples.py"


def mutants(part: str) -> Iterator[Mutant]:
    """Yield every mutant of a part. What a package only passes on is left alone."""
    for pattern in PARTS[part]:
        for path in sorted(ROOT.glob(pattern)):
            if path.stem != "__init__":
                make = in_sql.mutants if path.suffix == ".sql" else in_python.mutants
                yield from make(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
