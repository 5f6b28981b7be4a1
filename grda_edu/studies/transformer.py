"""A small transformer that guesses the next character, in plain PyTorch."""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from grda_edu.checks import whole


class Block(nn.Module):
    """Attention to the characters so far, then two layers at each place; both are added."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[N, places, width] -> the same."""
        parts = self.attend(self.norm1(x)).unflatten(-1, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each [N, heads, places, width / heads]
        seen = scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.mix(seen.transpose(1, 2).flatten(2))
        made: Tensor = self.down(gelu(self.up(self.norm2(x))))
        return x + made


class Transformer(nn.Module):
    """Characters -> a guess at the next one after each: int64 [N, places] -> [N, places, alphabet].

    Layer norms stand before attention and layers. Embeddings begin as large as the weights of a
    linear layer, so that one threshold treats them alike; the rest begins as PyTorch has it.

    Args:
        alphabet: how many characters there are.
        width: of each place's vector, a multiple of ``heads``.
        layers: how many blocks.
        context: the most places.
        heads: parts that attend each by itself.
        seed: what the initial weights are drawn from, an integer ≥ 0.

    Raises:
        ValueError: if ``seed`` is no such integer.
    """

    def __init__(
        self,
        alphabet: int,
        width: int = 64,
        layers: int = 2,
        context: int = 64,
        heads: int = 4,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.context = context
        with torch.random.fork_rng(devices=[]):  # which puts the CPU's generator back
            torch.default_generator.manual_seed(whole("seed", seed))
            self.characters = nn.Embedding(alphabet, width)
            self.places = nn.Embedding(context, width)
            self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
            self.norm, self.guess = nn.LayerNorm(width), nn.Linear(width, alphabet)
            for embedding in (self.characters, self.places):
                nn.init.uniform_(embedding.weight, -(width**-0.5), width**-0.5)

    def forward(self, characters: Tensor) -> Tensor:
        x = self.characters(characters) + self.places.weight[: characters.shape[1]]
        guesses: Tensor = self.guess(self.norm(self.blocks(x)))
        return guesses
