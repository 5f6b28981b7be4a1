"""Layers in front of a network that is given pictures as bytes: chance in training, then numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from grda_edu.checks import whole


class RandomCropAndFlip(nn.Module):
    """In training every picture is moved by up to ``margin`` pixels, and mirrored every second time.

    What comes in from outside is black. In evaluation pictures pass as they are. The draws are made on
    the CPU, so that they are the same on every device.

    Args:
        margin: ≥ 0.
    """

    draws_at_random = True  # a training keeps and restores the generator for such modules

    def __init__(self, margin: int = 4) -> None:
        super().__init__()
        self.margin = whole("margin", margin)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> the same shape and kind."""
        if not self.training:
            return x
        count, _, height, width = x.shape
        top, left = torch.randint(0, 2 * self.margin + 1, (2, count))
        mirrored = torch.rand(count) < 0.5
        rows = top[:, None] + torch.arange(height)
        across = torch.arange(width).expand(count, width)
        columns = left[:, None] + torch.where(mirrored[:, None], across.flip(1), across)
        padded = pad(x, (self.margin,) * 4).movedim(1, -1)
        which = torch.arange(count)[:, None, None]
        moved = padded[
            which.to(x.device), rows[:, :, None].to(x.device), columns[:, None, :].to(x.device)
        ]
        return moved.movedim(-1, 1).contiguous()


class Standardised(nn.Module):
    """Bytes from 0 to 255 -> (x/255 - mean) / std, colour by colour.

    Args:
        mean: of each colour, for pixels from 0 to 1.
        std: of each colour, > 0.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(list(mean)).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(list(std)).view(-1, 1, 1), persistent=False)

    @classmethod
    def of(cls, images: Tensor) -> Standardised:
        """With the mean and deviation of these images.

        Args:
            images: uint8 [N, C, H, W].

        Returns:
            The layer.
        """
        counts = torch.stack(
            [torch.bincount(images[:, k].flatten(), minlength=256) for k in range(images.shape[1])]
        ).double()
        share, level = counts / counts.sum(1, keepdim=True), torch.arange(256) / 255
        mean = share @ level.double()
        return cls(mean.tolist(), ((share @ level.double() ** 2) - mean**2).sqrt().tolist())

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> float32 of the same shape."""
        return (x.to(self.mean.dtype) / 255 - self.mean) / self.std
