"""Alerts reach a real web server and a real mail server; when they cannot, that is seen, and no secret is."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from fw_pipeline.alerts import LIMITS, SHOWN_LINES, Alert, AlertError, send
from fw_pipeline.settings import Settings, read
from fw_pipeline_tests.support.certificates import certificate
from fw_pipeline_tests.support.loopback_alerts import Hook, Mailbox, hook, mailbox

LINE = "pypi 2022-05: HTTP 500 Internal Server Error (6 tries); run again later; what is done is kept"
ALERT = Alert("everything failed for 2022-05", (LINE,), "http://127.0.0.1:3000/runs/r1", "r1")
QUICK = replace(LIMITS, connect_seconds=2, read_seconds=2, answer_seconds=2, first_wait=0.01, longest_wait=0.02)


def settings(**given: str) -> Settings:
    return read({**given}, dotenv=Path("none"))


def by_mail(box: Mailbox, *, password: str = "", host: str = "127.0.0.1") -> dict[str, str]:
    login = f"{quote(box.user)}:{quote(password, safe='')}@" if password else ""
    return {"FW_ALERT_MAIL_TO": "a@example.org, b@example.org", "FW_SMTP_URL": f"smtp://{login}{host}:{box.port}"}


@pytest.fixture
def told() -> Iterator[Hook]:
    with hook() as made:
        yield made


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as made:
        yield made


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for the loopback address that this process trusts."""
    path = certificate(tmp_path, days=10, host="127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", f"{path}")
    return path


def test_a_webhook_gets_the_job_the_cause_the_remedy_and_the_link(told: Hook) -> None:
    assert send(ALERT, settings(FW_ALERT_WEBHOOK=told.url, FW_CONTACT="me@example.org"), limits=QUICK) == ("webhook",)
    [said] = told.told
    assert said["text"].splitlines() == [ALERT.subject, f"* {LINE}", ALERT.link]
    assert (said["failures"], said["run_id"]) == ([LINE], "r1")
    assert "me@example.org" in told.requests[0].headers["user-agent"]


def test_markup_of_a_chat_service_in_a_cause_stays_text(told: Hook) -> None:
    send(replace(ALERT, lines=("pypi: <!channel> & <http://evil|click>; wait",)), settings(FW_ALERT_WEBHOOK=told.url))
    assert "&lt;!channel&gt; &amp; &lt;http://evil|click&gt;" in told.told[0]["text"]


def test_a_long_list_of_failures_is_cut_in_the_text_and_whole_beside_it(told: Hook) -> None:
    send(replace(ALERT, lines=(LINE,) * (SHOWN_LINES + 12)), settings(FW_ALERT_WEBHOOK=told.url))
    assert "and 12 more" in told.told[0]["text"]
    assert len(told.told[0]["failures"]) == SHOWN_LINES + 12


def test_a_webhook_that_is_unwell_is_asked_again(told: Hook) -> None:
    told.statuses, said = [503, 429], list[str]()
    send(ALERT, settings(FW_ALERT_WEBHOOK=told.url), limits=QUICK, say=said.append)
    assert len(told.requests) == 3
    assert [line.partition(";")[0] for line in said] == [
        "alert by webhook: HTTP 503 Service Unavailable",
        "alert by webhook: HTTP 429 Too Many Requests",
    ]


def test_mail_goes_encrypted_and_with_the_password_where_the_server_offers_it(trusted: Path) -> None:
    with mailbox(trusted) as box:
        sent = send(ALERT, settings(**by_mail(box, password=box.password)), limits=QUICK)
    assert sent == ("mail",)
    [mail], [envelope] = box.mails, box.envelopes
    assert box.encrypted == [True]
    assert envelope.rcpt_tos == ["a@example.org", "b@example.org"]
    assert mail["subject"] == "fw-pipeline: everything failed for 2022-05"
    assert mail["from"] == "a@example.org"
    assert mail.get_content().splitlines() == [ALERT.subject, f"* {LINE}", ALERT.link]


def test_a_relay_on_this_machine_may_do_without_encryption(box: Mailbox) -> None:
    send(ALERT, settings(**by_mail(box), FW_ALERT_MAIL_FROM="pipeline@example.org"), limits=QUICK)
    assert (box.mails[0]["from"], box.encrypted) == ("pipeline@example.org", [False])


REFUSALS = {
    "wrong password": "refuses the user or the password of FW_SMTP_URL",
    "550 no such mailbox": "answers 550 no such mailbox",
    "451 try later": "answers 451 try later",
    "untrusted": "the certificate of the mail server is not valid",
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_mail_server_that_refuses_is_one_line_and_the_webhook_is_told_all_the_same(
    case: str, told: Hook, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if case == "untrusted":
        monkeypatch.delenv("SSL_CERT_FILE")
    with mailbox(trusted) as box:
        box.answer = case if case[0].isdigit() else box.answer
        password = "wr0ng/secret" if case == "wrong password" else box.password
        given = settings(**by_mail(box, password=password), FW_ALERT_WEBHOOK=told.url)
        with pytest.raises(AlertError, match=REFUSALS[case]) as caught:
            send(ALERT, given, limits=QUICK)
    assert (len(told.requests), box.mails) == (1, [])
    assert password not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(("status", "says"), [(404, "HTTP 404 Not Found"), (500, "HTTP 500 Internal Server Error")])
def test_a_webhook_that_refuses_is_one_line_without_its_address(status: int, says: str, told: Hook) -> None:
    told.statuses = [status] * QUICK.tries
    with pytest.raises(AlertError, match=f"^alert r1: webhook: {says}; ") as caught:
        send(ALERT, settings(FW_ALERT_WEBHOOK=told.url), limits=QUICK)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_a_webhook_that_is_down_is_one_line_and_the_mail_goes_out_all_the_same(box: Mailbox) -> None:
    with hook() as told:
        pass
    with pytest.raises(AlertError, match="webhook: the server refuses the connection"):
        send(ALERT, settings(FW_ALERT_WEBHOOK=told.url, **by_mail(box)), limits=QUICK)
    assert len(box.mails) == 1


def test_a_mail_server_elsewhere_that_offers_no_encryption_gets_nothing(box: Mailbox) -> None:
    """`127.1` leads here, and is not written as this machine is."""
    with pytest.raises(AlertError, match="offers no encryption"):
        send(ALERT, settings(**by_mail(box, password="s3cret/word", host="127.1")), limits=QUICK)
    assert not box.mails
