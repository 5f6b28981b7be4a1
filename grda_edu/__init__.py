"""gRDA and directional pruning: a small, correct core and an interactive course built on it.

The names below are the public ones. Each is imported when it is first used, so that
``import grda_edu`` loads neither torch nor any widget: the concept lessons need numpy only.
"""

import sys
from importlib import import_module
from importlib.metadata import version as _version
from types import ModuleType as _ModuleType

_HOME_OF = {
    "GRDA": "optim",
    "penalty_groups": "optim",
    "soft_threshold": "shrinkage",
    "hard_threshold": "shrinkage",
    "tuning_function": "shrinkage",
    "tuning_increment": "shrinkage",
    "PowerTuning": "shrinkage",
    "zeros_by_layer": "sparsity",
    "sparsity": "sparsity",
    "masks": "sparsity",
    "digits": "data",
    "mnist5k": "data",
    "digits_cnn": "models",
    "mnist_cnn": "models",
    "small_digits_cnn": "models",
    "train": "train",
    "sweep": "sweep",
    "Checkpoint": "train",
    "find_c": "tune",
    "stopping_epoch": "choosing",
    "Run": "run",
    "direction_scores": "pruning",
    "directional_pruning": "pruning",
    "flat_l1": "pruning",
    "quadratic_twin": "pruning",
    "magnitude_pruning": "pruning",
    "obs_pruning": "pruning",
    "straight_line": "valley",
    "bezier": "valley",
    "train_curve": "valley",
    "measure_along": "valley",
    "plane_through": "valley",
    "measure_plane": "valley",
    "weights_of": "valley",
    "FixedLoss": "curvature",
    "hessian": "curvature",
    "spectrum": "curvature",
    "top_eigenpairs": "curvature",
    "flat_subspace": "curvature",
    "share_in_subspace": "curvature",
    "Explorable": "explore",
}

__all__ = sorted(_HOME_OF)
__version__ = _version("grda-edu")


def __getattr__(name: str) -> object:
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(_ModuleType):
    """``train``, ``sweep`` and ``sparsity`` are functions in modules of the same name. Importing such a
    module would bind it here in the function's place; the public name stays the function."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME_OF and isinstance(value, _ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
