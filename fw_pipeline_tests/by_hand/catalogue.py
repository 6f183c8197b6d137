"""Which packages and tags belong to whom, written down once more: the other path takes nothing from the product."""

from __future__ import annotations

from datetime import date

from fw_pipeline_tests.by_hand.figures import downloads

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

ECOSYSTEM = {
    "tensorflow": ("tensorflow-datasets", "tensorflow-hub", "tensorflow-probability"),
    "pytorch": ("torchvision", "torchaudio", "torchtune", "torch-geometric", "pytorch-lightning", "lightning", "fastai",
                "timm", "diffusers", "transformers"),
}  # fmt: skip

DEPLOYMENT = {
    "tensorflow": ("tensorflow-serving-api", "tflite-runtime", "ai-edge-litert", "tflite-model-maker", "tensorflowjs"),
    "pytorch": ("torchserve", "executorch"),
}


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
