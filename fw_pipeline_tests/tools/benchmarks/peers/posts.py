"""A Posts.xml by others: `python posts.py lxml|floor FILE TAGS`, the results in FW_DATA_DIR.

lxml counts the questions of each month, and of each set of wanted tags that they carry; the floor reads the file and
counts its questions.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from pathlib import Path

FIRST_PLANTED = 1_000_000_000


def by_lxml(file: str, tags: frozenset[str]) -> dict[str, int]:
    """Parse every row with lxml, freeing it at once."""
    from lxml import etree  # noqa: PLC0415 - of one side only

    found: Counter[str] = Counter()
    for _, row in etree.iterparse(file, tag="row"):
        if row.get("PostTypeId") == "1" and int(row.get("Id")) < FIRST_PLANTED:
            month = row.get("CreationDate")[:7]
            found[month] += 1
            if carried := tags.intersection(re.split(r"[|<>]+", row.get("Tags") or "")):
                found[f"{month} {';'.join(sorted(carried))}"] += 1
        row.clear()
        while row.getprevious() is not None:
            del row.getparent()[0]
    return dict(found)


def by_hand(file: str, _: frozenset[str]) -> dict[str, int]:
    """Read the file in blocks and count its questions; a question over the edge of two blocks counts too."""
    sought, questions, rest = b' PostTypeId="1"', 0, b""
    with Path(file).open("rb") as stream:
        while block := stream.read(1 << 20):
            questions += (rest + block).count(sought)
            rest = block[-len(sought) + 1 :]
    return {"questions": questions}


if __name__ == "__main__":
    _, side, path, wanted = sys.argv
    figures = {"lxml": by_lxml, "floor": by_hand}[side](
        path, frozenset(json.loads(Path(wanted).read_text(encoding="utf-8")))
    )
    result = Path(os.environ["FW_DATA_DIR"]) / "figures.json"
    result.write_text(json.dumps(figures, sort_keys=True), encoding="utf-8")
