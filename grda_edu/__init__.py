"""gRDA and directional pruning: a small, correct core and an interactive course built on it.

The names below are the public ones. Each is imported when it is first used, so that
``import grda_edu`` loads neither torch nor any widget: the concept lessons need numpy only.
"""

from importlib import import_module
from importlib.metadata import version as _version

_HOME_OF = {  # __init__.pyi says the same to editors and type checkers
    "GRDA": "optim",
    "DualAveraging": "optim",
    "AccumulatorAverage": "optim",
    "penalty_groups": "optim",
    "soft_threshold": "shrinkage",
    "hard_threshold": "shrinkage",
    "tuning_function": "shrinkage",
    "tuning_increment": "shrinkage",
    "PowerTuning": "shrinkage",
    "zeros_by_layer": "zeros",
    "sparsity": "zeros",
    "masks": "zeros",
    "digits": "data",
    "mnist5k": "data",
    "split_data": "data",
    "cifar10": "cifar",
    "download_cifar10": "cifar",
    "digits_cnn": "models",
    "mnist_cnn": "models",
    "small_digits_cnn": "models",
    "resnet20": "models",
    "train": "training.loop",
    "train_kept": "training.kept",
    "sweep": "training.grids",
    "Checkpoint": "training.checkpoint",
    "find_c": "training.search",
    "stopping_epoch": "training.rules",
    "Run": "training.run",
    "interrupted": "training.interrupt",
    "direction_scores": "geometry.pruning",
    "directional_pruning": "geometry.pruning",
    "flat_l1": "geometry.pruning",
    "quadratic_twin": "geometry.pruning",
    "magnitude_pruning": "geometry.pruning",
    "obs_pruning": "geometry.pruning",
    "finite_time_scores": "geometry.finite_time",
    "directional_pruning_in_steps": "geometry.finite_time",
    "matched_units": "geometry.matching",
    "straight_line": "geometry.valley",
    "bezier": "geometry.valley",
    "train_curve": "geometry.valley",
    "measure_along": "geometry.valley",
    "plane_through": "geometry.valley",
    "measure_plane": "geometry.valley",
    "weights_of": "geometry.valley",
    "FixedLoss": "geometry.curvature",
    "hessian": "geometry.curvature",
    "spectrum": "geometry.curvature",
    "top_eigenpairs": "geometry.curvature",
    "flat_subspace": "geometry.curvature",
    "compact": "sparse.compaction",
    "keep_zeros": "sparse.masks",
    "report": "sparse.account",
    "save_sparse": "sparse.storage",
    "load_sparse": "sparse.storage",
    "share_in_subspace": "geometry.curvature",
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
