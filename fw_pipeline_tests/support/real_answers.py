"""Answers recorded from the real services, where they are on this machine, to hold the fake ones against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from fw_pipeline_tests.support.fake_services.server import FakeServices

REAL = Path(__file__).parents[3] / "shared" / "real"

real_answers = pytest.mark.skipif(not REAL.is_dir(), reason="the recorded real answers are not on this machine")


def get(services: FakeServices, path: str, **params: Any) -> requests.Response:
    """Ask a fake service."""
    return requests.get(f"{services.url}{path}", params=params, timeout=10)


def real_json(path: str) -> Any:
    """Return a recorded answer."""
    return json.loads((REAL / path).read_text(encoding="utf-8"))


def shape(value: Any) -> Any:
    """Return a value of JSON with its types in the place of its texts and numbers."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__
