"""DuckLake where it is not installed; real DuckLake is in `integration/test_lake.py`, in an environment of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from fw_pipeline.warehouse import Lake, WarehouseError
from fw_pipeline.warehouse.lake import s3_secret

ADDRESS = "ducklake:postgres:postgresql://me:a%20secret@127.0.0.1:5432/database"


def test_without_ducklake_one_line_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"DuckDB 2\.\S+ is installed without DuckLake; install requirements-lake"):
        Lake(ADDRESS, tmp_path, tmp_path).snapshots()


def test_printing_shows_no_address(tmp_path: Path) -> None:
    assert "secret" not in repr(Lake(ADDRESS, tmp_path, tmp_path))


def test_a_password_in_the_query_of_the_address_is_kept_to_itself_too(tmp_path: Path) -> None:
    lake = Lake("ducklake:postgres:postgresql://host/db?user=me&password=a%20secret", tmp_path, tmp_path)
    assert lake.without_secrets("no a secret, no a%20secret") == "no ***, no ***"


def test_a_message_of_duckdb_keeps_the_address_and_its_password_to_itself(tmp_path: Path) -> None:
    lake = Lake(ADDRESS, tmp_path, tmp_path)
    said = f"no answer from {ADDRESS}: user me with a secret (a%20secret) on 127.0.0.1"
    assert lake.without_secrets(said) == "no answer from ducklake:postgres:***: user me with *** (***) on 127.0.0.1"
    assert Lake("ducklake:/a.ducklake", tmp_path, tmp_path).without_secrets("no /a.ducklake") == "no /a.ducklake"


@pytest.mark.parametrize(
    ("environ", "sql"),
    [
        ({}, "create secret (type s3)"),
        (
            {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "it's", "AWS_DEFAULT_REGION": "eu"},
            "create secret (type s3, key_id 'me', secret 'it''s', region 'eu')",
        ),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:9000", "AWS_REGION": "us", "AWS_DEFAULT_REGION": "eu"},
            "create secret (type s3, region 'us', endpoint '127.0.0.1:9000', url_style 'path', use_ssl 'false')",
        ),
        (
            {"AWS_ENDPOINT": "https://s3.example.org", "AWS_TOKEN": "for an hour"},
            "create secret (type s3, session_token 'for an hour', endpoint 's3.example.org', url_style 'path')",
        ),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:9000", "AWS_ENDPOINT_URL_S3": "https://s3.example.org"},
            "create secret (type s3, endpoint 's3.example.org', url_style 'path')",
        ),
        (
            {"AWS_ENDPOINT_URL": "https://s3.example.org", "AWS_SESSION_TOKEN": "for an hour"},
            "create secret (type s3, session_token 'for an hour', endpoint 's3.example.org', url_style 'path')",
        ),
    ],
)
def test_the_object_store_is_reached_by_the_variables_that_lead_everything_else_there(
    environ: dict[str, str], sql: str
) -> None:
    assert s3_secret(environ) == sql


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", "connect_timeout=10&"),
        ("?options=-c%20x%3D1&password=a+b", "options=-c%20x%3D1&password=a+b&connect_timeout=10&"),
        ("?connect_timeout=60", "connect_timeout=60&keepalives_idle=10&"),
    ],
)
def test_a_lost_server_is_noticed_and_what_the_address_says_itself_stays_as_it_is(
    tmp_path: Path, given: str, kept: str
) -> None:
    found = Lake(f"{ADDRESS}{given}", tmp_path, tmp_path).waiting_briefly()
    assert found.startswith(f"{ADDRESS}?{kept}")
    assert found.count("connect_timeout") == 1
    assert Lake("ducklake:/a.ducklake", tmp_path, tmp_path).waiting_briefly() == "ducklake:/a.ducklake"
