"""Tags and libraries of the Hugging Face Hub, and the framework that each stands for.

Libraries are exact, in the Hub's own spelling and case; tags are compared without regard to case. What a repository
holds is read from its tags; the library says only what it was made with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class HubName:
    """A name on the Hugging Face Hub, and the framework that it stands for."""

    name: str
    kind: Literal["tag", "library"]
    """`tag`: kept in the column `formats`; `library`: a value of the column `library`."""
    framework: str | None
    is_format: bool = False
    """Whether the name is a file format that several frameworks read, rather than a framework."""


# A legacy Keras 2 model runs on TensorFlow alone, so its tag stands for TensorFlow; `keras` may be any back end.
_TAG_FRAMEWORKS = {
    "pytorch": ("pytorch",),
    "tensorflow": ("tf", "tf-keras"),
    "jax": ("jax", "flax"),
    "keras": ("keras",),
    "mlx": ("mlx",),
    "paddle": ("paddlepaddle",),
    "mindspore": ("mindspore",),
}
_FORMATS = {"tensorflow": ("tflite", "litert"), "pytorch": ("executorch",)}
_SHARED_FORMATS = ("coreml", "gguf", "onnx", "openvino", "safetensors")

# Libraries whose models are PyTorch models, unless the tags say TensorFlow or JAX alone. The Hub shows a title where
# its filter is counted (`Transformers`) and a key where the model card is (`transformers`).
_LIBRARY_FRAMEWORKS = {
    "pytorch": (
        *("pytorch", "PyTorch", "torch", "transformers", "Transformers", "peft", "PEFT", "diffusers", "Diffusers"),
        *("sentence-transformers", "Sentence Transformers", "timm", "Timm", "flair", "Flair", "fastai"),
        *("stable-baselines3", "Stable-Baselines3", "RL-Baselines3-Zoo", "sample-factory", "Sample Factory"),
        *("adapter-transformers", "adapters", "Adapters", "setfit", "SetFit", "span-marker", "SpanMarker"),
        *("open_clip", "OpenCLIP", "nemo", "NeMo", "espnet", "ESPnet", "speechbrain", "Speechbrain"),
        *("asteroid", "Asteroid", "allennlp", "AllenNLP", "pyannote-audio", "pyannote", "Pyannote", "pythae", "Pythae"),
        *("fairseq", "fairseq2", "lerobot", "ultralytics", "segmentation-models-pytorch", "pytorch_geometric"),
        *(
            "trl",
            "unsloth",
            "yolov5",
            "yolov10",
            "gemma_torch",
            "cleanrl",
            "nanochat",
            "monai",
            "diffusion-single-file",
        ),
    ),
    "tensorflow": (
        *("tensorflow", "TensorFlow", "tf", "tf-keras", "TF-Keras (legacy)", "tensorflowtts", "TensorFlowTTS"),
        *("tf-lite", "litert", "litert-lm"),
    ),
    "keras": ("keras", "Keras", "keras-hub", "keras-nlp", "KerasNLP", "kerasformers"),
    "jax": ("jax", "JAX", "flax", "big_vision", "brax", "easydel"),
    "mlx": ("mlx", "MLX", "mlx-lm", "mlx-vlm", "mlx-audio", "mlx-image"),
    "paddle": ("paddlepaddle", "paddlenlp", "PaddleNLP", "PaddleOCR"),
    "scikit-learn": ("sklearn", "scikit-learn", "Scikit Learn (using skops)"),
}
_LIBRARY_FORMATS = ("coreml", "ggml", "gguf", "GGUF", "onnx", "openvino", "safetensors")

HUB_NAMES: tuple[HubName, ...] = (
    *(HubName(name, "tag", framework) for framework, names in _TAG_FRAMEWORKS.items() for name in names),
    *(HubName(name, "tag", framework, is_format=True) for framework, names in _FORMATS.items() for name in names),
    *(HubName(name, "tag", None, is_format=True) for name in _SHARED_FORMATS),
    *(HubName(name, "library", framework) for framework, names in _LIBRARY_FRAMEWORKS.items() for name in names),
    *(HubName(name, "library", None, is_format=True) for name in _LIBRARY_FORMATS),
)
"""Tags that are kept, and libraries whose framework is known. A library that is not here has none that is known."""


def hub_name_rows() -> list[dict[str, Any]]:
    """Return the rows of `meta.hub_names`."""
    return [
        {"name": it.name, "kind": it.kind, "framework": it.framework, "is_format": it.is_format} for it in HUB_NAMES
    ]
