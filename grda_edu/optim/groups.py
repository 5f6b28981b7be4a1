"""Which parameters are thresholded."""

from collections.abc import Callable
from typing import Any

from torch.nn import Module, Parameter

from grda_edu.optim.shards import is_spread

_WEIGHT_NORM = (".original0", ".original1", "weight_g", "weight_v")  # as torch names its parts


def usually_excluded(name: str, p: Parameter) -> bool:
    """Whether a parameter is of those that a penalty harms.

    Args:
        name: in its model.
        p: as it is initialised.

    Returns:
        True for biases and the scales of norms (at most one dimension); for the two parts of
        ``weight_norm``, since a row of its direction that dies is 0/0; and for what begins as zeros
        throughout, such as LoRA's B, which a growing threshold may never let go.
    """
    if p.ndim <= 1 or name.endswith(_WEIGHT_NORM):
        return True
    return not (is_spread(p) or p.is_meta) and not bool(p.detach().any())


def penalty_groups(
    model: Module,
    c: float,
    mu: float,
    exclude: Callable[[str, Parameter], bool] = usually_excluded,
) -> list[dict[str, Any]]:
    """Parameter groups in which some parameters are left to plain SGD (``c = 0``).

    ``GRDA(penalty_groups(model, c, mu), lr, c, mu)``. The authors' own code thresholds every
    parameter, biases and batch norm included; this is for those who want it otherwise.

    Args:
        model: its named parameters that require a gradient are divided.
        c: strength of the penalty in the group that is thresholded.
        mu: exponent of the threshold's growth in both groups.
        exclude: ``exclude(name, parameter)`` is True for what shall not be thresholded. By
            default biases, norms, ``weight_norm`` and what begins as zeros: ``usually_excluded``.

    Returns:
        The thresholded group, then the other; a group without members is left out.

    Examples:
        >>> from torch.nn import Linear
        >>> groups = penalty_groups(Linear(2, 1), c=0.02, mu=0.6)
        >>> [(group["c"], [name for name, _ in group["params"]]) for group in groups]
        [(0.02, ['weight']), (0.0, ['bias'])]
    """
    thresholded: list[tuple[str, Parameter]] = []
    excluded: list[tuple[str, Parameter]] = []
    for name, p in model.named_parameters():
        if p.requires_grad:
            (excluded if exclude(name, p) else thresholded).append((name, p))
    groups = [
        {"params": thresholded, "c": c, "mu": mu},
        {"params": excluded, "c": 0.0, "mu": mu},
    ]
    return [group for group in groups if group["params"]]
