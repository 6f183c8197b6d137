"""Which packages and tags belong to whom, written down once more: the other path takes nothing from the product."""

from __future__ import annotations

from datetime import date

from fw_pipeline_tests.second_path.figures import downloads

CORE = {
    "tensorflow": "tensorflow", "pytorch": "torch", "keras": "keras", "jax": "jax", "mlx": "mlx", "mxnet": "mxnet",
    "theano": "theano", "chainer": "chainer", "cntk": "cntk", "paddle": "paddlepaddle", "mindspore": "mindspore",
}  # fmt: skip
"""The package of each framework."""

INSTEAD = {
    "tensorflow": ("tensorflow-cpu", "tensorflow-gpu", "tensorflow-rocm", "intel-tensorflow", "tf-nightly",
                   "tf-nightly-cpu", "tf-nightly-gpu"),
    "keras": ("keras-nightly",),
    "paddle": ("paddlepaddle-gpu",),
}  # fmt: skip
"""Packages that stand in for it, so that adding them counts nothing twice."""

COMPANIONS = {
    "tensorflow": ("tensorflow-addons", "tensorflow-data-validation", "tensorflow-datasets", "tensorflow-hub",
                   "tensorflow-io", "tensorflow-metadata", "tensorflow-model-analysis", "tensorflow-model-optimization",
                   "tensorflow-probability", "tensorflow-recommenders", "tensorflow-text", "tensorflow-transform",
                   "tf-models-official", "tfx"),
    "pytorch": ("captum", "pytorch-ignite", "torch-tensorrt", "torchao", "torchaudio", "torchdata", "torchrec",
                "torchtext", "torchtune", "torchvision", "torchx"),
}  # fmt: skip
"""What the organisation of each framework publishes beside it."""

ECOSYSTEM = {
    "tensorflow": (*COMPANIONS["tensorflow"], "spektral", "tflearn"),
    "pytorch": (*COMPANIONS["pytorch"], "diffusers", "fastai", "pytorch-lightning", "timm", "torch-geometric"),
}
"""These, and what others publish."""

SERVING = {"tensorflow": ("tensorflow-serving-api",), "pytorch": ("torchserve", "torch-model-archiver")}
EDGE = {
    "tensorflow": ("tflite-runtime", "tflite-runtime-nightly", "ai-edge-litert", "ai-edge-litert-nightly",
                   "tflite-support", "tflite-support-nightly", "tflite-model-maker", "tensorflowjs"),
    "pytorch": ("executorch",),
}  # fmt: skip
DEPLOYMENT = {side: (*SERVING[side], *EDGE[side]) for side in SERVING}
OWN_SERVING = "tensorflow-serving-api"
"""Fetched by machines more than by people."""


def core_of(package: str) -> str:
    """The framework of a core package."""
    (framework,) = [name for name, core in CORE.items() if core == package]
    return framework


def family(framework: str, series: tuple[str, str]) -> dict[date, float | None]:
    """Downloads a day of all packages that install a framework; None without its core package."""
    core = downloads(CORE[framework], series)
    variants = [downloads(package, series) for package in INSTEAD.get(framework, ())]
    months = sorted({month for found in (core, *variants) for month in found})
    summed: dict[date, float | None] = {}
    for month in months:
        first = core.get(month)
        rest = [value for found in variants if (value := found.get(month)) is not None]
        summed[month] = None if first is None else first + sum(rest)
    return summed if any(value is not None for value in core.values()) else {}
