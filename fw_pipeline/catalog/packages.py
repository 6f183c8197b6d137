"""The packages of the Python Package Index that belong to each framework, and which of them may be added up.

One download of a framework often counts under several names, because one package pulls another. A family is therefore
the sum of the packages with `counts_in_family` alone; each of the others says why it is left out.

The ecosystems of TensorFlow and PyTorch are compared by one list with one rule for both. A package is admitted if it

1. is built on this framework and never served the other one: transformers served both, so it is not;
2. is not pulled by the framework itself: tensorboard and tensorflow-estimator come with every TensorFlow;
3. is not there under a second name: lightning is pytorch-lightning;
4. has no part of its own in another comparison: packages for serving and for devices are compared as such.

What the framework's own organisation on GitHub publishes is a `companion`, what others publish is `community`. The
lists are as long as what the two organisations publish and the figures hold; a package without recorded figures is
asked for by live providers alone. So in recorded figures TensorFlow has companions only, PyTorch has companions and
community packages, and recorded comparisons are fair between companions alone; tflearn and spektral are there so that
live comparisons are fair beyond them. A comparison that leaving out one package would turn decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Ecosystem = Literal["companion", "community"]
Role = Literal["core", "variant", "dependency", "ecosystem", "serving", "edge", "interchange", "stub"]

ROLES: Mapping[Role, str] = MappingProxyType(
    {
        "core": "the framework itself",
        "variant": "the framework itself under another name: another build, a nightly, an older generation",
        "dependency": "pulled by another package of the family",
        "ecosystem": "built on the framework",
        "serving": "answers requests with a trained model",
        "edge": "runs a trained model on phones, browsers and small devices",
        "interchange": "reads models of every framework, and belongs to none",
        "stub": "a name that installs nothing",
    }
)
"""What each role means."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package, the framework whose family it belongs to, and how it counts."""

    name: str
    """Normalised name in the index."""
    framework: str | None
    """None where the package belongs to no framework."""
    role: Role
    reason: str
    """Why it has this role, and what a reader must know before adding it to another."""
    counts_in_family: bool = False
    ecosystem: Ecosystem | None = None
    """How it is admitted to the list of ecosystem packages that are compared; None where it is not."""


PACKAGES: tuple[Package, ...] = (
    Package("tensorflow", "tensorflow", "core", "Installs the framework for most users.", counts_in_family=True),
    Package(
        "tensorflow-cpu", "tensorflow", "variant", "Build without GPU, instead of tensorflow.", counts_in_family=True
    ),
    Package(
        "tensorflow-gpu",
        "tensorflow",
        "variant",
        "GPU build, instead of tensorflow; from 2.12 a name that only raises an error, so late figures are attempts.",
        counts_in_family=True,
    ),
    Package("tensorflow-rocm", "tensorflow", "variant", "Build for AMD, instead of tensorflow.", counts_in_family=True),
    Package(
        "intel-tensorflow", "tensorflow", "variant", "Build of Intel, instead of tensorflow.", counts_in_family=True
    ),
    Package("tf-nightly", "tensorflow", "variant", "Nightly build, instead of tensorflow.", counts_in_family=True),
    Package("tf-nightly-cpu", "tensorflow", "variant", "Nightly build without GPU.", counts_in_family=True),
    Package("tf-nightly-gpu", "tensorflow", "variant", "Nightly build with GPU.", counts_in_family=True),
    Package("tensorflow-intel", "tensorflow", "dependency", "tensorflow pulls it on Windows: the same installation."),
    Package(
        "tensorflow-macos",
        "tensorflow",
        "dependency",
        "tensorflow pulls it on Apple machines in several releases: mostly the same installation.",
    ),
    Package(
        "tensorflow-cpu-aws", "tensorflow", "dependency", "tensorflow pulls it on Linux for ARM: the same installation."
    ),
    Package(
        "tensorflow-datasets",
        "tensorflow",
        "ecosystem",
        "Ready-made data sets; also used from JAX.",
        ecosystem="companion",
    ),
    Package("tensorflow-hub", "tensorflow", "ecosystem", "Reuse of trained parts.", ecosystem="companion"),
    Package(
        "tensorflow-probability",
        "tensorflow",
        "ecosystem",
        "Probabilistic models; has a part for JAX, under another name.",
        ecosystem="companion",
    ),
    Package("tensorboard", "tensorflow", "dependency", "tensorflow pulls it; PyTorch's users install it, too."),
    Package("tensorflow-estimator", "tensorflow", "dependency", "tensorflow pulled it until 2.15."),
    Package(
        "tensorflow-addons",
        "tensorflow",
        "ecosystem",
        "Layers and losses beside the core; archived in 2024.",
        ecosystem="companion",
    ),
    Package(
        "tensorflow-data-validation",
        "tensorflow",
        "ecosystem",
        "Checks of data sets; no recorded figures.",
        ecosystem="companion",
    ),
    Package("tensorflow-io", "tensorflow", "ecosystem", "File formats and storage.", ecosystem="companion"),
    Package(
        "tensorflow-metadata",
        "tensorflow",
        "ecosystem",
        "Descriptions of data sets; tensorflow-datasets pulls it; no recorded figures.",
        ecosystem="companion",
    ),
    Package(
        "tensorflow-model-analysis",
        "tensorflow",
        "ecosystem",
        "Evaluation of models; tfx pulls it.",
        ecosystem="companion",
    ),
    Package(
        "tensorflow-model-optimization", "tensorflow", "ecosystem", "Pruning and quantisation.", ecosystem="companion"
    ),
    Package(
        "tensorflow-recommenders",
        "tensorflow",
        "ecosystem",
        "Recommendation; no recorded figures.",
        ecosystem="companion",
    ),
    Package("tensorflow-text", "tensorflow", "ecosystem", "Reading of text.", ecosystem="companion"),
    Package(
        "tensorflow-transform", "tensorflow", "ecosystem", "Preparation of data; tfx pulls it.", ecosystem="companion"
    ),
    Package(
        "tf-models-official",
        "tensorflow",
        "ecosystem",
        "Models to start from; pulls others of the list.",
        ecosystem="companion",
    ),
    Package(
        "tfx", "tensorflow", "ecosystem", "Pipelines for production; pulls others of the list.", ecosystem="companion"
    ),
    Package("spektral", "tensorflow", "ecosystem", "Graph networks; no recorded figures.", ecosystem="community"),
    Package("tflearn", "tensorflow", "ecosystem", "Training loops; no recorded figures.", ecosystem="community"),
    Package(
        "tensorflow-serving-api",
        "tensorflow",
        "serving",
        "Client of TensorFlow Serving; inflated by automatic installations: 21.7 million against 15.1 million of "
        "tensorflow itself in January 2023.",
    ),
    Package("tflite-runtime", "tensorflow", "edge", "TensorFlow Lite interpreter; renamed ai-edge-litert in 2024."),
    Package("ai-edge-litert", "tensorflow", "edge", "LiteRT, the new name of tflite-runtime: one chain, two names."),
    Package("ai-edge-litert-nightly", "tensorflow", "edge", "Nightly build of ai-edge-litert."),
    Package("tflite-runtime-nightly", "tensorflow", "edge", "Nightly build of tflite-runtime."),
    Package("tflite-support", "tensorflow", "edge", "Wraps models for the TensorFlow Lite task library."),
    Package("tflite-support-nightly", "tensorflow", "edge", "Nightly build of tflite-support."),
    Package("tflite-model-maker", "tensorflow", "edge", "Trains models for TensorFlow Lite."),
    Package("tensorflowjs", "tensorflow", "edge", "Converts models for the browser; the runtime is not in Python."),
    Package(
        "keras",
        "keras",
        "core",
        "tensorflow pulls it, so most of it is TensorFlow: never added to that family. From 3.0 it runs on three "
        "frameworks.",
        counts_in_family=True,
    ),
    Package("keras-nightly", "keras", "variant", "Nightly build; tf-nightly pulls it.", counts_in_family=True),
    Package(
        "tf-keras",
        "keras",
        "variant",
        "Keras 2 under its new name; it requires tensorflow, which pulls keras: the same installation twice.",
    ),
    Package(
        "torch",
        "pytorch",
        "core",
        "Installations from conda and from PyTorch's own index are not seen: a lower bound.",
        counts_in_family=True,
    ),
    Package("pytorch", "pytorch", "stub", "A placeholder that fails to install and says to use torch."),
    Package("torchvision", "pytorch", "ecosystem", "Pulls torch.", ecosystem="companion"),
    Package("torchaudio", "pytorch", "ecosystem", "Pulls torch.", ecosystem="companion"),
    Package("torchtune", "pytorch", "ecosystem", "Fine-tuning recipes; uses torch.", ecosystem="companion"),
    Package(
        "torch-tensorrt",
        "pytorch",
        "ecosystem",
        "Compiles models for NVIDIA cards; pulls torch.",
        ecosystem="companion",
    ),
    Package("torchao", "pytorch", "ecosystem", "Quantisation; uses torch.", ecosystem="companion"),
    Package("torchx", "pytorch", "ecosystem", "Starts jobs on clusters.", ecosystem="companion"),
    Package(
        "torchtext", "pytorch", "ecosystem", "Reading of text; archived; no recorded figures.", ecosystem="companion"
    ),
    Package("torchdata", "pytorch", "ecosystem", "Loading of data; no recorded figures.", ecosystem="companion"),
    Package("torchrec", "pytorch", "ecosystem", "Recommendation; no recorded figures.", ecosystem="companion"),
    Package("captum", "pytorch", "ecosystem", "Explanation of models; no recorded figures.", ecosystem="companion"),
    Package("pytorch-ignite", "pytorch", "ecosystem", "Training loops; no recorded figures.", ecosystem="companion"),
    Package("torch-geometric", "pytorch", "ecosystem", "Graph networks; uses torch.", ecosystem="community"),
    Package("pytorch-lightning", "pytorch", "ecosystem", "Training loops; pulls torch.", ecosystem="community"),
    Package(
        "lightning",
        "pytorch",
        "ecosystem",
        "pytorch-lightning under a second name, so the list has that one; pulls torch.",
    ),
    Package("fastai", "pytorch", "ecosystem", "Training library; pulls torch.", ecosystem="community"),
    Package("timm", "pytorch", "ecosystem", "Vision models; pulls torch.", ecosystem="community"),
    Package(
        "diffusers",
        "pytorch",
        "ecosystem",
        "Image generation; uses torch; had pipelines for JAX, never for TensorFlow.",
        ecosystem="community",
    ),
    Package(
        "transformers",
        "pytorch",
        "ecosystem",
        "Served TensorFlow and JAX too until version 5 dropped them (huggingface/transformers#38758): not in the list. "
        "Its rise begins in 2019-09; the few downloads before are not evidence of use.",
    ),
    Package("torchserve", "pytorch", "serving", "Model server, archived on 2025-08-07 (pytorch/serve#3396)."),
    Package(
        "torch-model-archiver",
        "pytorch",
        "serving",
        "Packs models for torchserve, and is installed beside it: the same use counted under two names.",
    ),
    Package("executorch", "pytorch", "edge", "Runs PyTorch models on devices."),
    Package("jax", "jax", "core", "Spikes of automatic installations in 2021-12 and 2023-12.", counts_in_family=True),
    Package("jaxlib", "jax", "dependency", "jax pulls it: the same installation."),
    Package("flax", "jax", "ecosystem", "Neural networks; pulls jax."),
    Package("dm-haiku", "jax", "ecosystem", "Neural networks; uses jax."),
    Package("equinox", "jax", "ecosystem", "Neural networks; pulls jax."),
    Package("optax", "jax", "ecosystem", "Optimisers; pulls jax."),
    Package("mlx", "mlx", "core", "The framework itself; for Apple machines.", counts_in_family=True),
    Package("mxnet", "mxnet", "core", "Builds for CUDA have other names and are not seen.", counts_in_family=True),
    Package("theano", "theano", "core", "The framework itself.", counts_in_family=True),
    Package("chainer", "chainer", "core", "The framework itself.", counts_in_family=True),
    Package("cntk", "cntk", "core", "The framework itself; recorded figures end in 2019-10.", counts_in_family=True),
    Package("paddlepaddle", "paddle", "core", "Build without GPU.", counts_in_family=True),
    Package("paddlepaddle-gpu", "paddle", "variant", "GPU build, instead of paddlepaddle.", counts_in_family=True),
    Package("mindspore", "mindspore", "core", "The framework itself.", counts_in_family=True),
    Package("onnx", None, "interchange", "The exchange format itself."),
    Package("onnxruntime", None, "interchange", "Runs exported models of every framework."),
)
"""The packages, by family. A live provider asks for these and no others."""


def package_rows() -> list[dict[str, Any]]:
    """Return the rows of `meta.packages`."""
    return [
        {
            "package": package.name,
            "framework": package.framework,
            "role": package.role,
            "ecosystem": package.ecosystem,
            "counts_in_family": package.counts_in_family,
            "reason": package.reason,
        }
        for package in PACKAGES
    ]
