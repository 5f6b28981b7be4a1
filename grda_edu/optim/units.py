"""Thresholding whole units: filters of a convolution, neurons of a linear layer, rows of a table.

    w_i = v_i · max(0, 1 - τ √s / ‖v_i‖),   v_i the i-th row along dimension 0, of s numbers

the minimum of ½‖w - v‖² + τ √s Σ‖w_i‖ (the group lasso's proximal map). The root of s makes rows of
any size comparable: one of numbers of size τ is just at the threshold, as a single number of that
size is at the threshold of S_τ.

Source: Yuan and Lin 2006, "Model selection and estimation in regression with grouped variables".
"""

import math
from typing import Any

import torch
from torch import Tensor


def shrunk(v: Tensor, tau: Any) -> Tensor:
    """The rows of ``v`` along dimension 0, each moved towards zero as one; NaN stays NaN.

    Args:
        v: of two dimensions or more; a DTensor's norms are taken over all processes.
        tau: the threshold of a single number, ≥ 0, a number or a tensor of one element.

    Returns:
        A new tensor like ``v``.
    """
    norms, tau = _norms_and_limit(v, tau)
    scale = torch.where(norms <= tau, torch.zeros_like(norms), (norms - tau) / norms)
    return v * scale.to(v.dtype)


def grown(w: Tensor, tau: Any) -> Tensor:
    """Of which ``w`` is what is left when it is shrunk: each row longer by its limit, zeros zeros.

    Args:
        w: as ``v`` of ``shrunk``.
        tau: as of ``shrunk``.

    Returns:
        A new tensor like ``w``.
    """
    norms, tau = _norms_and_limit(w, tau)
    scale = torch.where(norms == 0, torch.zeros_like(norms), (norms + tau) / norms)
    return w * scale.to(w.dtype)


def _norms_and_limit(v: Tensor, tau: Any) -> tuple[Tensor, Any]:
    """Each row's length, and the length at which it dies."""
    dtype = torch.promote_types(v.dtype, torch.float32)
    norms = torch.linalg.vector_norm(v, dim=tuple(range(1, v.ndim)), keepdim=True, dtype=dtype)
    return norms, tau * math.sqrt(math.prod(v.shape[1:]))
