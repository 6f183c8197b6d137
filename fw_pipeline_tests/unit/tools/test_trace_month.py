"""The way of a month to a raw row is listed from what runs, and gets no longer unnoticed."""

from __future__ import annotations

from fw_pipeline_tests.tools.trace_month import entered, room_of

MOST = 65
"""Functions that one Stack Overflow month enters: 57 before evidence, locks and pace could be kept elsewhere, too.

Before the HTTP layer was straightened, it entered 114.
"""


def test_a_month_enters_each_layer_once_and_no_more_functions_than_before() -> None:
    functions = entered()
    assert functions[0] == "sources.stackoverflow.stackexchange_api._fetch"
    way = ["http.client.HttpClient.get", "http.cache.ResponseCache.find", "http.transport.opened"]
    way += ["http.transport.whole_body", "raw.evidence.EvidenceStore.keep", "http.response.Response.check"]
    assert [function for function in functions if function in way] == way, "evidence first, then the reader"
    assert functions.index(way[-1]) < functions.index("http.json_fields.integer")
    assert {room_of(function) for function in functions} >= {"http", "sources", "raw"}
    assert len(functions) <= MOST, "\n".join(functions)
