"""What each source counts and cannot see, and plain names for the series that the tables keep under short ones."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SOURCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "stackoverflow": (
            "New questions a month that carry a framework's tag, as a number and as a share of all questions.",
            "People who ask elsewhere, or ask a chatbot. A question that was deleted is missing from later counts.",
        ),
        "huggingface": (
            "Public models by the framework that their files or tags name.",
            "Private models, use inside companies, and when a model was made if that was before March 2022.",
        ),
        "papers": (
            "Research papers that name a framework, or whose code uses one.",
            "Papers without code and without the name, and everything outside research.",
        ),
        "pypi": (
            "Downloads of each package from the Python Package Index, per day.",
            "People: build servers download a package again and again, caches hide downloads, and conda is missing.",
        ),
    }
)
"""By source: what is counted, and what cannot be seen."""

SERIES: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType(
    {
        ("stackoverflow", "recorded"): (
            "Stack Overflow, as published by N. Schlömer",
            "The curves behind the article's own figure. Up to March 2020 they were counted in one go.",
        ),
        ("stackoverflow", "api"): ("Stack Overflow, as its own API counts today", "What is left of each month now."),
        ("stackoverflow", "clickhouse"): (
            "Stack Overflow, ClickHouse's copy of the archive",
            "Every question that was left in April 2024.",
        ),
        ("stackoverflow", "dump"): (
            "Stack Overflow, the quarterly archive",
            "Every question that was left when it was made.",
        ),
        ("huggingface", "hub"): ("Hugging Face, all public models", "Every public model that still exists, by month."),
        ("huggingface", "hub, by tag"): (
            "Hugging Face, all public models by tag",
            "The Hub's own totals at one time; a model may carry several tags.",
        ),
        ("huggingface", "hub, by library_name"): (
            "Hugging Face, all public models by library",
            "The same models, by the one library that each names.",
        ),
        ("huggingface", "1000 most downloaded"): (
            "Hugging Face, the 1,000 most downloaded models",
            "A sample: decides nothing.",
        ),
        ("huggingface", "recent and trending, open licence"): (
            "Hugging Face, a selection of recent open models",
            "A sample: decides nothing.",
        ),
        ("papers", "nine venues"): (
            "Papers at nine conferences, as searched by Horace He",
            "Papers that name PyTorch or TensorFlow and not both, a year at a time.",
        ),
        ("papers", "papers with code"): ("Papers with Code, the whole archive", "It ended in July 2025."),
        ("papers", "papers with code sample"): ("Papers with Code, a sample", "Some of its links: decides nothing."),
        ("papers", "arxiv abstracts"): ("arXiv, titles and abstracts", "Most papers name no framework there."),
        ("pypi", "clickpy, all"): ("PyPI, all installers, by ClickPy", "Calendar months, from 2016 to today."),
        ("pypi", "StarScout, all"): ("PyPI, all installers, by StarScout", "Calendar months, up to July 2024."),
        ("pypi", "top-pypi-packages (ClickHouse), all"): (
            "PyPI, all installers, by top-pypi-packages from ClickHouse",
            "Calendar months, from June 2025.",
        ),
        ("pypi", "top-pypi-packages (BigQuery), all"): (
            "PyPI, all installers, by top-pypi-packages from BigQuery",
            "Windows of 30 days or less, from November 2024.",
        ),
        ("pypi", "top-pypi-packages (BigQuery), pip"): (
            "PyPI, pip only, by top-pypi-packages from BigQuery",
            "Windows of 30 days, up to November 2024.",
        ),
        ("pypi", "dashdown-pypi-stats (ClickHouse), all"): (
            "PyPI, all installers, by dashdown-pypi-stats",
            "A few packages only.",
        ),
        ("pypi", "pypistats, all"): ("PyPI, all installers, by pypistats.org", "The last 180 days."),
    }
)
"""By source and name of the series in the tables: its plain name, and what to know about it."""


def plain(source: str | None, series: str) -> str:
    """Return the plain name of a series; one that has none keeps the name that it has in the tables."""
    return SERIES.get((source or "", series), (series, ""))[0]


def glossary(used: Mapping[str, set[str]]) -> list[dict[str, str]]:
    """Return the plain name, the name in the tables and a remark for each series in use.

    Args:
        used: by source, the names of its series.
    """
    return [
        {"plain": name, "series": series, "remark": remark}
        for (source, series), (name, remark) in SERIES.items()
        if series in used.get(source, set())
    ]
