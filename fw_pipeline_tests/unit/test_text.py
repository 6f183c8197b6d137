"""Texts from outside: on one line, without control characters, no longer than anybody reads, and never markup."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from fw_pipeline.text import in_markdown, one_line, shown, visible


@given(st.text(max_size=500), st.integers(2, 100))
def test_any_text_becomes_one_printable_line_of_at_most_the_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert line.isprintable()


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_value_is_shown_on_one_short_line(value: object) -> None:
    assert len(shown(value)) <= 60
    assert "\n" not in shown(value)


def test_control_characters_are_seen_and_lines_stay_lines() -> None:
    assert visible("a\x1b\x9b\u202e\ud800\nb é🙂") == "a\\x1b\\x9b\\u202e\\ud800\nb é🙂"


@given(st.text(max_size=200))
def test_in_markdown_a_text_is_nothing_but_text(text: str) -> None:
    tokens = MarkdownIt().parseInline(in_markdown(text))[0].children or []
    assert {token.type for token in tokens} <= {"text", "text_special"}
