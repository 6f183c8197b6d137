"""A YAML document is read strictly: what is wrong is one line that names the place, the cause and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from fw_pipeline.errors import PipelineError
from fw_pipeline.transform.yaml_document import Count, List, Number, Strict, Text, read


class Part(Strict):
    """A part of a document."""

    size: Number
    often: Count = 0


class Document(Strict):
    """A document as the test writes it."""

    name: Text
    parts: List[Part] = ()
    is_new: bool = False


def refused(path: Path) -> str:
    with pytest.raises(PipelineError) as reason:
        read("x.yml", path, Document)
    line = str(reason.value)
    assert "\n" not in line
    return line


def test_a_document_is_read_with_its_texts_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text("name: |\n  in two\n  lines\nparts: [{size: 2}]\n", encoding="utf-8")
    found = read("x.yml", path, Document)
    assert (found.name, found.parts, found.is_new) == ("in two lines", (Part(size=2.0),), False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "x.yml: expected keys with values here; write name"),
        ("- name", "x.yml: expected keys with values here; write name"),
        ("is_new: true", "x.yml: lacks name; add it"),
        ("name: a\nsize: 1", "x.yml: has the unknown key size; known keys: name, parts, is_new"),
        ("name: a\nparts:", "x.yml: has nothing in parts; write a value, or leave the key out"),
        ("name: 7", "x.yml: name: is not a text; write a sentence or a name, in quotes where YAML reads it otherwise"),
        (
            "name: ' '",
            "x.yml: name: is not a text; write a sentence or a name, in quotes where YAML reads it otherwise",
        ),
        ("name: a\nparts: b", "x.yml: parts: is not a list; write a list, [] where there is nothing"),
        ("name: a\nparts: [{size: 1}, {size: big}]", "x.yml: parts.2.size: 'big' is not a number; write a number"),
        ("name: a\nparts: [{size: .nan}]", "x.yml: parts.1.size: nan is not a number; write a number"),
        ("name: a\nparts: [{size: 1, often: -1}]", "x.yml: parts.1.often: -1 is not a count; write a whole number"),
        ("name: a\nis_new: 1", "x.yml: is_new: 1 is neither true nor false; write true or false"),
        ("name: a\nname: b", "x.yml: the key name stands there twice; keep one of them"),
        ("name: a\nparts: [{size: 1, size: 2}]", "x.yml: the key size stands there twice; keep one of them"),
        ("name: &a [*a]", "x.yml: name: is not a text"),
        ("name: [", "x.yml: not valid YAML"),
        ("name: 2020-13-45", "x.yml: not valid YAML: month must be in 1..12; mend the file"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "x.yml"
    path.write_text(text, encoding="utf-8")
    assert refused(path).startswith(says)


def test_a_file_that_is_not_there_or_is_no_text_is_one_line(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.yml").startswith("x.yml: cannot be read: No such file or directory; restore it")
    (tmp_path / "x.yml").write_bytes(b"name: \xff")
    assert refused(tmp_path / "x.yml").startswith("x.yml: not valid YAML")
