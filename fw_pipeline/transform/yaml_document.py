"""Reading a YAML document strictly, as a pydantic model: whatever is wrong is one line with place, cause and remedy.

Knows nothing of what the documents mean. A key that is missing, unknown or there twice is refused, and so is a value
of another kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from fw_pipeline.errors import PipelineError
from fw_pipeline.text import shown

_T = TypeVar("_T")
_M = TypeVar("_M", bound=BaseModel)


class Refusal(ValueError):  # noqa: N818 - what a document is told, not a failure
    """What a validator raises: cause and remedy; `read` puts the place before them."""

    def __init__(self, cause: str, remedy: str) -> None:
        """Keep the parts apart."""
        super().__init__(cause, remedy)
        self.cause, self.remedy = cause, remedy


class Strict(BaseModel):
    """A mapping with known keys, each of a known kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _has_its_keys(cls, content: Any) -> Any:
        required = [name for name, key in cls.model_fields.items() if key.is_required()]
        if not isinstance(content, dict):
            raise Refusal("expected keys with values here", f"write {', '.join(required)}")
        if missing := [key for key in required if key not in content]:
            raise Refusal(f"lacks {', '.join(missing)}", "add it")
        if unknown := [str(key) for key in content if key not in cls.model_fields]:
            raise Refusal(f"has the unknown key {', '.join(unknown)}", f"known keys: {', '.join(cls.model_fields)}")
        if empty := [key for key, value in content.items() if value is None]:
            raise Refusal(f"has nothing in {', '.join(empty)}", "write a value, or leave the key out")
        return content


def _on_one_line(text: str) -> str:
    if not text.strip():
        raise Refusal(*_WORDS["string_type"])
    return " ".join(text.split())


def _listed(value: Any) -> Any:
    if not isinstance(value, list):
        raise Refusal("is not a list", "write a list, [] where there is nothing")
    return tuple(value)


Text = Annotated[str, AfterValidator(_on_one_line)]
"""A text, put on one line."""
Number = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
List = Annotated[tuple[_T, ...], BeforeValidator(_listed)]
"""A list, and nothing else that Python could walk through."""

_WORDS: Mapping[str, tuple[str, str]] = {
    "string_type": ("is not a text", "write a sentence or a name, in quotes where YAML reads it otherwise"),
    "bool_type": ("{} is neither true nor false", "write true or false"),
    "float_type": ("{} is not a number", "write a number"),
    "finite_number": ("{} is not a number", "write a number"),
    "int_type": ("{} is not a count", "write a whole number from 0"),
    "greater_than_equal": ("{} is not a count", "write a whole number from 0"),
    "date_type": ("{} is no day", "write a day, as 2028-01-01"),
    "too_short": ("is empty", "write at least one"),
    "dict_type": ("expected names with values here", "write name: value"),
}
"""What to say of an error of pydantic's: its cause, with the value, and the remedy."""


def read(where: str, path: Path, kind: type[_M]) -> _M:
    """Return the document at `path`; `where` is what to call it in a message.

    Raises:
        PipelineError: it is not valid YAML, one mapping holds a key twice, or it is not what `kind` says.
    """
    try:
        return kind.model_validate(_parsed(where, path))
    except ValidationError as wrong:
        raise PipelineError(*_told(where, wrong)) from None


def _told(where: str, wrong: ValidationError) -> tuple[str, str, str]:
    """Return place, cause and remedy of the first thing that is wrong."""
    first = wrong.errors(include_url=False)[0]
    place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
    said, value = first.get("ctx", {}), shown(first["input"])
    cause, remedy = _WORDS.get(first["type"], (first["msg"], "correct the value"))
    if isinstance(refusal := said.get("error"), Refusal):
        cause, remedy = refusal.cause, refusal.remedy
    elif first["type"] == "literal_error":
        cause, remedy = f"{value} is not known", f"one of: {said['expected'].replace(chr(39), '')}"
    elif first["type"] in _WORDS:
        cause = cause.format(value)
    return f"{where}: {place}" if place else where, cause, remedy


def _parsed(where: str, path: Path) -> Any:
    try:
        loader = yaml.CSafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        if (twice := _said_twice(node)) is not None:
            raise PipelineError(where, f"the key {twice} stands there twice", "keep one of them")
        return loader.construct_document(node) if node else None
    except OSError as missing:
        raise PipelineError(where, f"cannot be read: {missing.strerror}", "restore it from the repository") from None
    except (yaml.YAMLError, ValueError, RecursionError) as broken:  # a date or number that is none is a ValueError
        raise PipelineError(where, f"not valid YAML: {broken}", "mend the file") from None


def _said_twice(node: yaml.Node | None) -> str | None:
    """Return a key that one mapping holds twice: YAML would silently keep the last."""
    open_nodes, seen = [node] if node is not None else [], set[int]()
    while open_nodes:
        current = open_nodes.pop()
        if id(current) in seen:  # an alias leads to a node again, and may lead back to itself
            continue
        seen.add(id(current))
        if isinstance(current, yaml.MappingNode):
            keys = [str(key.value) for key, _ in current.value]
            if doubled := next((key for key in keys if keys.count(key) > 1), None):
                return doubled
            open_nodes += [value for _, value in current.value]
        elif isinstance(current, yaml.SequenceNode):
            open_nodes += current.value
    return None
