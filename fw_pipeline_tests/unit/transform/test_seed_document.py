"""What the document of a small table must say: each way to get one wrong is one line that names the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from fw_pipeline.errors import PipelineError
from fw_pipeline.transform.seeds import seeds


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("type: DATE", "type: DAY", "seeds/x.yml: columns.day.type: 'DAY' is not known; one of: VARCHAR, DATE"),
        ("grain: [day]", "grain: [month]", "seeds/x.yml: the grain names month, which is no column"),
        ("grain: [day]", "key: [day]", "seeds/x.yml: lacks grain; add it"),
        ("rows_from: recorded", "rows_from: pipeline", "seeds/x.yml: the pipeline makes no such table; put the rows"),
        ("rows_from: recorded", "rows_from: afar", "'afar' is not known; one of: seeds, recorded or pipeline"),
        ("rows_from: recorded", "unique: [day]", "seeds/x.yml: unique.1: is not a list; write a list"),
    ],
)
def test_a_wrong_document_of_a_small_table_is_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = "description: d\nrows_from: recorded\ngrain: [day]\ncolumns:\n  day: {type: DATE, description: The day.}\n"
    (tmp_path / "x.yml").write_text(text, encoding="utf-8")
    assert [seed.name for seed in seeds(tmp_path)] == ["x"]
    seeds.cache_clear()
    (tmp_path / "x.yml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(PipelineError) as raised:
        seeds(tmp_path)
    assert told in str(raised.value)
