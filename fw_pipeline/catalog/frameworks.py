"""The catalogue: what each framework is called in every source, and which populations the figures are about.

The names are exact, in the spelling and case of their source. Figures and counts do not belong here; the packages
of the Python Package Index, with the reasons why some must not be added up, are in `packages`, and the tags and
libraries of the Hugging Face Hub in `hub_names`. Both are offered here too, so that a reader needs one import.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from fw_pipeline.catalog.hub_names import HUB_NAMES, HubName, hub_name_rows
from fw_pipeline.catalog.packages import PACKAGES, Package, package_rows

__all__ = [
    "FRAMEWORKS",
    "HUB_NAMES",
    "LANGUAGES",
    "PACKAGES",
    "POPULATIONS",
    "TAGS",
    "Framework",
    "HubName",
    "Package",
    "Population",
    "Tag",
    "framework_rows",
    "hub_name_rows",
    "package_rows",
    "paper_framework_rows",
    "population_rows",
    "tag_rows",
]


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework: its key in every table, its title, its release, and its names in papers."""

    name: str
    title: str
    released: date | None = None
    """Day of the first public release; None where no source at hand says it."""
    release_reference: str | None = None
    paper_names: tuple[str, ...] = ()
    """Values of `framework` in the Papers with Code links file. That file has no Keras: it files Keras under `tf`."""
    arxiv_terms: tuple[str, ...] = ()
    """Words to look for in titles and abstracts; none where the word means other things too often."""


FRAMEWORKS: tuple[Framework, ...] = (
    Framework(
        "tensorflow",
        "TensorFlow",
        date(2015, 11, 9),
        "TensorFlow announcement",
        paper_names=("tf",),
        arxiv_terms=("tensorflow",),
    ),
    Framework(
        "pytorch",
        "PyTorch",
        date(2017, 1, 19),
        "PyTorch, a year in (pytorch.org, 2018-01-19)",
        paper_names=("pytorch",),
        arxiv_terms=("pytorch",),
    ),
    Framework(
        "keras",
        "Keras",
        date(2015, 3, 27),
        "centerconsulting.com/ai-library/milestones/2015-keras (a secondary source)",
        arxiv_terms=("keras",),
    ),
    Framework("jax", "JAX", paper_names=("jax",), arxiv_terms=("jax",)),
    Framework("mxnet", "Apache MXNet", paper_names=("mxnet",), arxiv_terms=("mxnet",)),
    Framework("theano", "Theano", arxiv_terms=("theano",)),
    Framework("caffe2", "Caffe2", paper_names=("caffe2",), arxiv_terms=("caffe2",)),
    Framework("lua-torch", "Torch (Lua), from before PyTorch", paper_names=("torch",)),
    Framework("cntk", "Microsoft Cognitive Toolkit (CNTK)", arxiv_terms=("cntk",)),
    Framework("chainer", "Chainer", arxiv_terms=("chainer",)),
    Framework("paddle", "PaddlePaddle", paper_names=("paddle",), arxiv_terms=("paddlepaddle",)),
    Framework("mindspore", "MindSpore", paper_names=("mindspore",), arxiv_terms=("mindspore",)),
    Framework("mlx", "MLX"),
    Framework("scikit-learn", "scikit-learn (no deep learning: a yardstick on Stack Overflow)"),
)
"""The frameworks. The first four are compared throughout; the others keep totals honest."""


@dataclass(frozen=True, slots=True)
class Tag:
    """What to count on Stack Overflow: a tag, or two tags that a question must both carry."""

    tagged: str
    """A tag; `a;b` = both."""
    framework: str | None
    """None where the tag belongs to no framework."""
    role: Literal["core", "variant", "language", "deployment"]
    """Only `core` tags are compared: a question carries up to five tags, so the others are counted in core as well."""


LANGUAGES: tuple[str, ...] = ("javascript", "java", "c++", "julia", "rust", "scala", "haskell")
"""Tags of the programming languages that the article names; asked for together with tensorflow and with pytorch."""

TAGS: tuple[Tag, ...] = (
    *(
        Tag(name, name, "core")
        for name in (
            *("tensorflow", "pytorch", "keras", "jax", "mxnet", "theano", "caffe2", "cntk", "chainer"),
            "scikit-learn",
        )
    ),
    Tag("torch", "lua-torch", "core"),
    Tag("tensorflow2.0", "tensorflow", "variant"),
    Tag("tf.keras", "keras", "variant"),
    *(Tag(f"{name};{language}", name, "language") for name in ("tensorflow", "pytorch") for language in LANGUAGES),
    Tag("tensorflow.js", "tensorflow", "language"),
    Tag("libtorch", "pytorch", "language"),
    Tag("tensorflow-serving", "tensorflow", "deployment"),
    Tag("tensorflow-lite", "tensorflow", "deployment"),
    Tag("torchserve", "pytorch", "deployment"),
    Tag("executorch", "pytorch", "deployment"),
    Tag("onnx", None, "deployment"),
)
"""What is counted on Stack Overflow, beside the whole site."""


@dataclass(frozen=True, slots=True)
class Population:
    """What a set of figures is about: all there is, or a sample of it."""

    source: str
    name: str
    what: str
    is_sample: bool = False
    undated_allowed: bool = False
    """Whether a figure may have no month."""
    early_allowed: bool = False
    """Whether a figure may lie before 2015-11."""


POPULATIONS: tuple[Population, ...] = (
    Population("huggingface", "hub", "All public models on the Hub that still exist when observed."),
    Population(
        "huggingface",
        "hub, by tag",
        "All models on the Hub, as its library filter counts them; a model may be in several libraries.",
        undated_allowed=True,
    ),
    Population(
        "huggingface",
        "hub, by library_name",
        "All models on the Hub that name a library in the field library_name; one library each.",
        undated_allowed=True,
    ),
    Population(
        "huggingface",
        "1000 most downloaded",
        "A sample: the 999 models on top of the Hub's download ranking on 2025-03-24.",
        is_sample=True,
        undated_allowed=True,
    ),
    Population(
        "huggingface",
        "recent and trending, open licence",
        "A sample: 15,904 models of 2026-08-22, taken from the newest and the trending ones with an open licence.",
        is_sample=True,
    ),
    Population(
        "papers",
        "nine venues",
        "All papers of nine conferences (ACL, CVPR, ECCV, EMNLP, ICCV, ICLR, ICML, NAACL, NeurIPS), searched for the "
        "names of frameworks; papers that name both sides are in neither count.",
        early_allowed=True,
    ),
    Population(
        "papers",
        "papers with code sample",
        "A sample: 2,296 links between papers and repositories out of about 300,000 of Papers with Code.",
        is_sample=True,
        undated_allowed=True,
        early_allowed=True,
    ),
    Population(
        "papers",
        "papers with code",
        "All papers with a repository in the frozen Papers with Code archive, which ends in 2025-07.",
        undated_allowed=True,
        early_allowed=True,
    ),
    Population("papers", "arxiv abstracts", "All arXiv papers that name a framework in title or abstract."),
)
"""The populations that figures may be about. Stack Overflow and PyPI have none: their counts are of everything."""


def framework_rows() -> list[dict[str, Any]]:
    """Return the rows of `meta.frameworks`."""
    return [
        {"framework": it.name, "title": it.title, "released": it.released, "release_reference": it.release_reference}
        for it in FRAMEWORKS
    ]


def tag_rows() -> list[dict[str, Any]]:
    """Return the rows of `meta.tags`."""
    return [{"tagged": tag.tagged, "framework": tag.framework, "role": tag.role} for tag in TAGS]


def paper_framework_rows() -> list[dict[str, Any]]:
    """Return the rows of `meta.paper_frameworks`."""
    return [{"name": name, "framework": it.name} for it in FRAMEWORKS for name in it.paper_names]


def population_rows() -> list[dict[str, Any]]:
    """Return the rows of `meta.populations`."""
    return [
        {"source": it.source, "population": it.name, "is_sample": it.is_sample, "what": it.what} for it in POPULATIONS
    ]
