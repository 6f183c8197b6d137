"""Settings: what is wrong stops at once, with its name; secrets are never shown."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline.settings import read
from fw_pipeline.settings_values import SettingError

NOWHERE = Path("no-such-dotenv-file")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FW_MOD", "live", "did you mean FW_MODE"),
        ("FW_MODE", "lively", "recorded or live"),
        ("FW_PROVIDERS", "pypi", "source=provider"),
        ("FW_PROVIDERS", "=pypistats", "source=provider"),
        ("FW_ARXIV_URL", "ftp://somewhere", "write an address"),
        ("FW_ARXIV_URL", "http://user:password@somewhere", "without a password"),
        ("FW_FORCE", "yes", "write 1"),
        ("FW_KEEP_RUNS", "0", "from 1 on"),
        ("FW_CONTACT", "me\nX-Injected: 1", "one line"),
        ("HF_TOKEN", "hf_x\r\nHost: elsewhere", "one line"),
        ("FW_ALERT_WEBHOOK", "chat.example.org/hf_x", "write it like https"),
        ("FW_ALERT_WEBHOOK", "https://[hf_x", "write it like https"),
        ("FW_ALERT_MAIL_TO", "you", "write addresses like"),
        ("FW_ALERT_MAIL_TO", "you@example.org", "needs FW_SMTP_URL"),
        ("FW_SMTP_URL", "smtp://me:hf_x@mail.example.org", "needs FW_ALERT_MAIL_TO"),
        ("FW_LOCKS", "mysql://me:hf_x@here/locks", "write it like postgresql://"),
        ("FW_LOCKS", "postgresql://me:hf_x@here", "write it like postgresql://"),
        ("FW_LOCKS", "postgresql://me:hf_x@here:port/locks", "write it like postgresql://"),
        ("FW_UI_URL", "localhost:3000", "write an address like"),
    ],
)
def test_a_wrong_setting_stops_with_its_name_and_the_remedy(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingError, match=says) as caught:
        read({name: value}, dotenv=NOWHERE)
    assert name in str(caught.value)
    assert "hf_x" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["mail.example.org:25", "http://hf_x@here", "smtp://me:hf_x@here:port", "smtp://me@here"]
)
def test_a_wrong_mail_server_stops_without_being_repeated(url: str) -> None:
    with pytest.raises(SettingError, match="FW_SMTP_URL") as caught:
        read({"FW_SMTP_URL": url, "FW_ALERT_MAIL_TO": "you@example.org"}, dotenv=NOWHERE)
    assert "hf_x" not in str(caught.value)


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match="which is a file"):
        read({"FW_DATA_DIR": str(tmp_path / "file")}, dotenv=NOWHERE)


@pytest.mark.parametrize(
    "address",
    [
        "s3://",
        "s3://me:hf_x@bucket/a",
        "s3://B/a",
        "s3://bucket/a?x=1",
        "s3://bucket/../a",
        "s3://bucket/a b",
        "s3://bucket//a",
        "s3:bucket",
        "s3:/bucket/a",
        "S3://bucket/a",
        "s3a://bucket/a",
        "gs://bucket/a",
        "az://hf_x@container/a",
        "https://me:hf_x@example.org/a",
        "file:///data",
        "://bucket",
    ],
)
def test_an_address_that_no_object_store_has_is_refused(address: str) -> None:
    cause = "FW_DATA_DIR is no folder, and no address of an object store; write it like s3://bucket/prefix"
    with pytest.raises(SettingError, match=cause) as caught:
        read({"FW_DATA_DIR": address}, dotenv=NOWHERE)
    assert "hf_x" not in str(caught.value)


@pytest.mark.parametrize("name", ["FW_WORK_DIR", "DAGSTER_HOME"])
@pytest.mark.parametrize("address", ["s3://bucket/a", "gs://hf_x@bucket", "s3:bucket"])
def test_an_address_where_only_a_folder_will_do_is_refused(name: str, address: str) -> None:
    with pytest.raises(SettingError, match=f"setting {name} is an address; name a folder") as caught:
        read({name: address}, dotenv=NOWHERE)
    assert "hf_x" not in str(caught.value)


def test_a_folder_with_a_colon_in_its_name_is_named_with_a_slash_before_it(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("FW_DATA_DIR=./s3:bucket\nFW_WORK_DIR=./s3:bucket\n", encoding="utf-8")
    assert read({}, dotenv=dotenv).data_dir == tmp_path / "s3:bucket"


def test_where_the_data_is_in_an_object_store_all_else_is_in_the_work_folder(tmp_path: Path) -> None:
    found = read({"FW_DATA_DIR": "s3://bucket/a/b/", "FW_WORK_DIR": str(tmp_path)}, dotenv=NOWHERE)
    assert (str(found.data_dir), found.work_dir) == ("s3://bucket/a/b", tmp_path)
    assert found.published == tmp_path / "warehouse.duckdb"
    assert found.recorded_dir == PROJECT_DIR / "data" / "recorded"
    (tmp_path / "recorded").mkdir()
    assert found.recorded_dir == tmp_path / "recorded"
    assert {name: value for name, value, _ in found.shown if name.endswith("_DIR")} == {
        "FW_DATA_DIR": "s3://bucket/a/b/",
        "FW_WORK_DIR": str(tmp_path),
    }
    by_default = read({"FW_DATA_DIR": "s3://bucket"}, dotenv=NOWHERE)
    assert by_default.work_dir == PROJECT_DIR / "data"
    assert ("FW_WORK_DIR", str(PROJECT_DIR / "data"), "default") in by_default.shown
    again = read(by_default.environment, dotenv=NOWHERE)
    assert (again.data_dir, again.work_dir) == (by_default.data_dir, by_default.work_dir)


def test_a_work_folder_may_be_apart_from_a_data_folder_too(tmp_path: Path) -> None:
    alone = read({"FW_DATA_DIR": str(tmp_path)}, dotenv=NOWHERE)
    assert alone.work_dir == alone.data_dir == tmp_path
    assert "FW_WORK_DIR" not in {name for name, _, _ in alone.shown}
    apart = read({"FW_DATA_DIR": str(tmp_path / "data"), "FW_WORK_DIR": str(tmp_path / "work")}, dotenv=NOWHERE)
    assert apart.published == tmp_path / "work" / "warehouse.duckdb"


def test_defaults_are_the_recorded_figures_in_the_project(tmp_path: Path) -> None:
    found = read({}, dotenv=NOWHERE)
    assert (found.mode, found.data_dir) == ("recorded", PROJECT_DIR / "data")
    assert found.recorded_dir == PROJECT_DIR / "data" / "recorded"
    assert read({"FW_DATA_DIR": str(tmp_path)}, dotenv=NOWHERE).recorded_dir == PROJECT_DIR / "data" / "recorded"


def test_the_environment_wins_over_the_dotenv_file_and_the_command_line_over_both(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("FW_MODE=live\nFW_CONTACT=a@example.org\n", encoding="utf-8")
    assert read({}, dotenv=dotenv).mode == "live"
    assert read({"FW_MODE": "recorded"}, dotenv=dotenv).mode == "recorded"
    assert read({"FW_MODE": "recorded"}, dotenv=dotenv, given={"FW_MODE": "live"}).mode == "live"
    assert read({"FW_MODE": "recorded"}, dotenv=dotenv).contact == "a@example.org"


def test_settings_are_handed_on_whole_to_a_process_that_stands_elsewhere(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("FW_PROVIDERS=stackoverflow=dump:p.xml\nHF_TOKEN=hf_x\nFW_CONTACT=a@b.c\n", encoding="utf-8")
    found = read({"FW_CONTACT": ""}, dotenv=dotenv)
    again = read(found.environment, dotenv=NOWHERE)
    assert (again.data_dir, again.providers, dict(again.secrets), again.contact) == (
        found.data_dir, {"stackoverflow": f"dump:{tmp_path / 'p.xml'}"}, {"HF_TOKEN": "hf_x"}, "",
    )  # fmt: skip
    assert found.environment["FW_DATA_DIR"] == str(PROJECT_DIR / "data")
    assert found.environment["FW_MODE"] == "", "so that no other file can set what is set nowhere"


def test_what_leads_to_an_object_store_may_stand_in_the_dotenv_file_and_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(
        "AWS_ACCESS_KEY_ID=k-of-the-file\nAWS_SECRET_ACCESS_KEY=s-of-the-file\nAWS_REGION=\nAWS_PROFILE=p\n"
    )
    monkeypatch.chdir(tmp_path)
    for name in [it for it in os.environ if it.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.setenv(name, "to be put back")
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k-of-the-environment")
    monkeypatch.setenv("FW_DATA_DIR", str(tmp_path))
    assert not {name for name, *_ in read().shown if name.startswith("AWS_")}
    assert "AWS_SECRET_ACCESS_KEY" not in os.environ, "of a folder it is nobody's business"
    monkeypatch.setenv("FW_DATA_DIR", "s3://bucket/data")
    found = read()
    assert {name: by for name, value, by in found.shown if name.startswith("AWS_") and value == "set"} == {
        "AWS_ACCESS_KEY_ID": "environment",
        "AWS_SECRET_ACCESS_KEY": str(tmp_path / ".env"),
        "AWS_PROFILE": str(tmp_path / ".env"),
    }
    assert (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]) == (
        "k-of-the-environment",
        "s-of-the-file",
    )
    assert "AWS_REGION" not in os.environ
    assert not any(secret in f"{found}{found.shown}" for secret in ("k-of-", "s-of-"))


def test_secrets_are_in_no_text_made_of_the_settings() -> None:
    mail = {"FW_SMTP_URL": "smtp://user:key_value@here", "FW_ALERT_MAIL_TO": "you@example.org"}
    hook = {"FW_ALERT_WEBHOOK": "https://here/hf_secret_value"}
    database = {"FW_LOCKS": "postgresql://me:hf_secret_value@here/locks"}
    found = read(
        {"HF_TOKEN": "hf_secret_value", "STACKEXCHANGE_KEY": "key_value((", **mail, **hook, **database}, dotenv=NOWHERE
    )
    shown = "".join(traceback.format_exception(ValueError(f"{found} {found.secrets!r} {found.secrets}")))
    assert "hf_secret_value" not in shown
    assert "key_value" not in shown
    assert found.secrets["HF_TOKEN"] == "hf_secret_value"


@pytest.mark.parametrize(
    "given",
    ["a.duckdb", "ducklake:", "ducklake:relative.ducklake", "ducklake:postgres:", "ducklake:postgres:host=a dbname=b"],
)
def test_an_address_that_is_no_ducklake_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(
        SettingError, match=r"FW_WAREHOUSE is no DuckLake; write it like ducklake:postgres:postgresql://"
    ) as raised:
        read({"FW_WAREHOUSE": given}, dotenv=Path("none"))
    assert given == "ducklake:" or given not in str(raised.value).replace("ducklake:postgres:postgresql", "")


@pytest.mark.parametrize("given", ["ducklake:/data/a.ducklake", "ducklake:postgres:postgresql://me:secret@host/a"])
def test_a_ducklake_that_is_not_installed_is_refused_at_once(given: str) -> None:
    with pytest.raises(SettingError, match="FW_WAREHOUSE needs DuckLake, which is not installed; install") as raised:
        read({"FW_WAREHOUSE": given}, dotenv=Path("none"))
    assert "secret" not in str(raised.value)
