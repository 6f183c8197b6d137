"""Keys, tokens and certificates: nothing secret is written anywhere, and nobody false is believed."""

from __future__ import annotations

import contextlib
import html
import logging
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from fw_pipeline.errors import MonthRejected, PipelineError
from fw_pipeline.http import InvalidResponse
from fw_pipeline.http import Response as Received
from fw_pipeline.http.redaction import Redactor
from fw_pipeline.http.transport import Request as Sent
from fw_pipeline_tests.support.certificates import certificate
from fw_pipeline_tests.support.fake_services.faults import Answer as Answering
from fw_pipeline_tests.support.fake_services.faults import Fault
from fw_pipeline_tests.support.fake_services.messages import Request, Response, as_json
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.web_fetch import Bench, ask, rows_of

URL = "http://x/api/query"
KEY, TOKEN = "k3y+/with=odd&signs((", "hf_abcdefghijklmnop"
SPELLINGS = (KEY, TOKEN, "k3y%2B%2Fwith", "k3y%2b%2fwith", "k3y+/with%3Dodd", "odd%26signs", "odd&amp;signs")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, secrets={"STACKEXCHANGE_KEY": KEY, "HF_TOKEN": TOKEN})


def _echo(request: Request, _answer: Answering) -> Response:
    said = f"key {request.one('key')} and {request.headers['authorization']} are wrong"
    return as_json({"error": said, "url": f"https://x/?{request.query}"}, 400)


def _away(request: Request, _answer: Answering) -> Response:
    return Response(302, {"Location": f"http://localhost:1/{request.one('key')}?token={TOKEN}"})


def _linked(request: Request, answer: Answering) -> Response:
    true = answer(request)
    return Response(
        200, {**true.headers, "Link": f'<{request.base_url}?key={request.one("key")}>; rel="next"'}, true.body
    )


FAULTS: dict[str, Fault | str | None] = {
    "error": "error",
    "html": "html_200",
    "reset": "reset_mid_body",
    "truncated": "truncated_body",
    "loop": "redirect_loop",
    "echo": _echo,
    "away": _away,
    "linked": _linked,
    "none": None,
    "down": None,
    "bug": None,
}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        yield from _chain(error.__cause__)
        error = error.__context__


@pytest.mark.parametrize("case", FAULTS)
def test_no_secret_is_written_anywhere(
    case: str, bench: Bench, services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")  # other libraries set a level of their own
    fault = FAULTS[case]
    if fault is not None:
        services.faults.add("/pypistats", fault, times=-1)
    told: list[str] = []

    def read(answer: Received) -> int:
        told.extend((repr(answer), answer.request, str(answer.headers)))
        if case == "bug":
            raise InvalidResponse(f"a reader that repeats {KEY} and {TOKEN}", f"never write {TOKEN}")
        return rows_of(answer)

    with bench.web() as web:
        told.append(repr(web))
        try:
            with services.down() if case == "down" else contextlib.nullcontext():
                ask(web, services.url, read=read, params={"key": KEY}, headers={"Authorization": f"Bearer {TOKEN}"})
        except PipelineError as reason:
            told += traceback.format_exception(reason)
            told += [repr(error) + str(error.args) + str(error) for error in _chain(reason)]
            told += [repr(reason.__reduce__())]
        told += [repr(web)]
    assert case == "down" or dict(services.requests[0].query)["key"] == KEY
    assert caplog.records, "the libraries log at this level"
    everything = {"said": "\n".join(told), "log": "\n".join(bench.log), "libraries": caplog.text}
    everything |= {f"{path}": body.decode("utf-8", "replace") for path, body in bench.written().items()}
    for place, text in everything.items():
        for spelling in SPELLINGS:
            assert spelling not in text, place


def test_a_request_is_found_again_with_another_key_or_with_none(bench: Bench, services: FakeServices) -> None:
    for secrets in ({"STACKEXCHANGE_KEY": KEY}, {"STACKEXCHANGE_KEY": "another"}, {}):
        bench.secrets = secrets
        with bench.web() as web:
            ask(web, services.url, params={"mirrors": "true", "key": secrets.get("STACKEXCHANGE_KEY")})
    assert len(services.requests) == 1


WRITTEN = (KEY, quote(KEY), quote(KEY, safe=""), quote(KEY, safe="").lower(), quote_plus(KEY), html.escape(KEY))


@pytest.mark.parametrize("written", WRITTEN)
def test_a_secret_is_hidden_however_it_is_written(written: str) -> None:
    redactor = Redactor({"key": KEY})
    assert redactor.text(f"x={written}&y=1") == "x=[withheld]&y=1"
    assert redactor.body(f"<{written}>".encode()) == b"<[withheld]>"


def test_a_short_secret_does_not_change_figures() -> None:
    assert Redactor({"x": "12"}).body(b'{"downloads":123}') == b'{"downloads":123}'


@pytest.mark.parametrize("short", ["k", "1", "2023", "torch", "abs", "[wit", "pytorch"])
def test_a_short_secret_leaves_different_questions_apart(short: str, bench: Bench) -> None:
    bench.secrets = {"STACKEXCHANGE_KEY": short, "HF_TOKEN": "2"}
    redactor = Redactor(bench.secrets)
    asked = [
        Sent.of("GET", URL, {"search_query": f"(abs:pytorch) AND {month}", "page": page}, redactor=redactor)
        for month in ("202301", "202302")
        for page in (1, 2, short)
    ]
    assert len({sent.key for sent in asked}) == len({sent.url for sent in asked})
    with_key = Sent.of("GET", URL, {"page": "1", "key": short}, redactor=redactor)
    assert with_key.key == Sent.of("GET", URL, {"page": "1"}, redactor=redactor).key


def test_a_short_secret_is_hidden_where_it_is_one_and_nowhere_else() -> None:
    redactor = Redactor({"STACKEXCHANGE_KEY": "k"})
    assert redactor.text("the key k is wrong, https://x/?key=k&ok=k2: look at the packages") == (
        "the key [withheld] is wrong, https://x/?key=[withheld]&ok=k2: look at the packages"
    )
    assert redactor.address('<https://x/k?key=k>; rel="next"') == '<https://x/k?key=[withheld]>; rel="next"'


@dataclass(frozen=True)
class Certificate:
    """A certificate of the server, and what it leads to."""

    cause: str | None
    days: int = 10
    host: str = "127.0.0.1"
    is_trusted: bool = True


CERTIFICATES = (
    Certificate("the certificate is not valid: certificate has expired", days=-1),
    Certificate("the certificate is not valid: self-signed certificate", is_trusted=False),
    Certificate("the certificate is not valid: IP address mismatch", host="127.0.0.2"),
    Certificate(None),
)


@pytest.mark.parametrize("case", CERTIFICATES, ids=lambda case: f"{case.cause}".rpartition(": ")[2])
def test_certificates_are_checked(
    case: Certificate, bench: Bench, services: FakeServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path, days=case.days, host=case.host)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    if case.is_trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{path}")
    with services.over_tls(f"{path}") as url, bench.web() as web:
        if case.cause is None:
            assert ask(web, url) == 360
            return
        with pytest.raises(MonthRejected) as caught:
            ask(web, url)
    assert caught.value.cause.startswith(case.cause)
    assert not services.requests
    assert not bench.clock.slept


def test_a_token_does_not_follow_a_redirect_to_the_host_that_holds_the_files(
    bench: Bench, services: FakeServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path, days=10, host="127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{path}")
    asked, name = f"{services.url}/huggingface/file.parquet", "papers-with-abstracts.parquet"
    with services.over_tls(f"{path}") as url, bench.web() as web:
        away = Response(302, {"Location": f"{url}/pwc/{name}?signed={TOKEN}"})
        services.faults.add("/huggingface/file", lambda _request, _answer: away, times=-1)
        with pytest.raises(PipelineError, match=r"redirected to another site, 127\.0\.0\.1"):
            web.download(asked, name="a.parquet", read=lambda kept: kept.ref)
        services.faults.add("/huggingface/plain", "redirect_elsewhere")
        with pytest.raises(PipelineError, match="redirected to another site, localhost"):
            web.download(asked.replace("file", "plain"), name=name, read=lambda kept: kept.ref, sites=("localhost",))
        services.requests.clear()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        ref = web.download(asked, headers=headers, name=name, read=lambda kept: kept.ref, sites=("127.0.0.*",))
    first, second = services.requests
    assert first.headers["authorization"] == f"Bearer {TOKEN}"
    assert "authorization" not in second.headers
    assert second.headers["accept-encoding"] == "identity", "what says how the file is wanted goes along"
    assert (bench.folder / ref).stat().st_size > 1000
    assert all(TOKEN.encode() not in body for body in bench.written().values())
