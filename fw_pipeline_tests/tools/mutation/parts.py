"""The parts of the product that are spoilt, and the tests that are asked about a mutant of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from fw_pipeline_tests.tools.mutation import in_python, in_sql
from fw_pipeline_tests.tools.mutation.mutant import Mutant

ROOT = Path(__file__).parents[3]

SQL = "claims-sql"
"""The part that is SQL; the others are Python."""

PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "claims": ("fw_pipeline/transform/claims.py",),
        SQL: (
            "dbt_like_sql/claims/*.sql",
            "dbt_like_sql/marts/deployment.sql",
            "dbt_like_sql/marts/figures_by_basis.sql",
            "dbt_like_sql/marts/huggingface_exclusivity_as_of.sql",
            "dbt_like_sql/marts/verdicts.sql",
            "dbt_like_sql/marts/headline_verdicts.sql",
        ),
        "warehouse": ("fw_pipeline/warehouse/*.py",),
        "raw": ("fw_pipeline/raw/*.py", "fw_pipeline/atomic_files.py"),
    }
)
"""The files of each part, as patterns below the root."""

OF_PYTHON = (
    "fw_pipeline_tests/unit/transform/test_claims.py",
    "fw_pipeline_tests/models/test_evidence_rows.py",
    "fw_pipeline_tests/unit/cli/test_export.py",
    "fw_pipeline_tests/unit/ingestion/test_ingest.py",
    "fw_pipeline_tests/integration/test_querying.py",
    "fw_pipeline_tests/unit/raw",
    "fw_pipeline_tests/unit/test_atomic_files.py",
    "fw_pipeline_tests/unit/warehouse",
)
"""The tests of which those that reach a line are asked about a mutant of Python."""

OF_SQL = (
    ("fw_pipeline_tests/models/test_ledger.py",),
    (
        "fw_pipeline_tests/unit/transform/test_claims.py",
        "-k",
        "not changes or 2023-01-01",
    ),  # of what repeats by month, one month
)
"""The tests that are asked, one after the other, once the examples of the model have passed."""

EXAMPLES = "fw_pipeline_tests/models/test_model_examples.py"


def mutants(part: str) -> Iterator[Mutant]:
    """Yield every mutant of a part. What a package only passes on is left alone."""
    for pattern in PARTS[part]:
        for path in sorted(ROOT.glob(pattern)):
            if path.stem != "__init__":
                make = in_sql.mutants if path.suffix == ".sql" else in_python.mutants
                yield from make(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
