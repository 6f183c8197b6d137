"""Paths of the files that ship with the code, in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_IN_THE_WHEEL = _PACKAGE / "shipped"

SHIPPED_DIR = _IN_THE_WHEEL if _IN_THE_WHEEL.is_dir() else _PACKAGE.parent
"""Where `dbt_like_sql/`, `data/recorded/` and `workspace.yaml` lie: the checkout, or inside an installed package."""

PROJECT_DIR = Path.cwd() if _IN_THE_WHEEL.is_dir() else _PACKAGE.parent
"""Where `.env` and `data/` lie: the checkout; the folder in which an installed command is called."""

SEEDS_DIR = SHIPPED_DIR / "dbt_like_sql" / "seeds"
"""The small tables that people edit, one CSV file each, and the documents of all small tables."""
