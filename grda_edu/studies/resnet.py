"""The theorem on a network of a quarter of a million weights, with batch norm: products alone.

Batch norm makes some directions flat exactly. In training it divides by the statistics of the batch, so
that a filter in front of it may be scaled and nothing changes; with statistics that are fixed, its own
weight and bias have to be scaled back. ``sign(w)`` lies to more than half along a filter that is scaled.
So the scores are taken both ways, and what the scale directions explain of them stands beside.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from grda_edu import files
from grda_edu.geometry import Floats
from grda_edu.geometry.curvature import IMAGES, FixedLoss
from grda_edu.geometry.evidence import (
    cosine,
    evidence_of,
    partial_correlation,
    score_estimates,
    shuffled,
    size_and_layer,
    strength,
)
from grda_edu.geometry.finite_time import krylov
from grda_edu.geometry.matching import scale_directions, with_batch_statistics
from grda_edu.geometry.pruning import directional_pruning, soft_pruning, threshold_for
from grda_edu.geometry.valley import weights_of
from grda_edu.optim import GRDA
from grda_edu.studies.plan import DATA, MODELS, kept_folder
from grda_edu.training.kept import train_kept
from grda_edu.training.loop import evaluate
from grda_edu.training.run import Run

Pair = tuple[float, float]  # c, mu
Cell = tuple[str, int]  # "scores" or "order", seed

KINDS = ("fixed", "batch")  # batch norm's statistics: of the training, or of the images at hand
RIVALS = ("scale, fixed", "scale, batch", "fixed without scale", "batch without scale")
BLIND = ("size", "fixed, shuffled in layers", "batch, shuffled in layers", "soft")
ROWS = (*KINDS, *RIVALS, *BLIND)
MEASURES = ("correlation", "partial", "beyond scale", "auc", "slope", "cosine", "grew", "negative")
OTHER_ORDER = 100  # added to a seed: the same start, another order of the images


@dataclass(frozen=True)
class ResNetStudy:
    """SGD and gRDA from the same weights on the same batches, and finite-time scores at SGD's end.

    "partial" is the correlation of ŝ with the scores given size and layer, "beyond scale" given the scores
    of batch norm's scale directions too.
    """

    pairs: tuple[Pair, ...] = ((0.005, 0.51), (0.01, 0.6))
    epochs: int = 20
    lr: float = 0.1
    batch_size: int = 32
    seeds: tuple[int, ...] = (0, 1)
    ordered: tuple[int, ...] = (0,)  # trained once more, in another order, for the noise
    images: int = 512  # of the training images, evenly spaced, those of the Hessian
    products: int = 40
    sample: int = 6000  # weights of which all is kept
    edges: tuple[float, float, float] = (-1.5, 2.5, 0.05)  # of the bins of s and ŝ
    data: str = "mnist5k"
    model: str = "resnet20"
    name: str = "resnet20"

    def cells(self) -> Iterator[Cell]:
        yield from (("scores", seed) for seed in self.seeds)
        yield from (("order", seed) for seed in self.ordered)

    def label(self, cell: Cell) -> str:
        what, seed = cell
        return f"{what}, seed {seed}"

    @property
    def mus(self) -> list[float]:
        """The exponents, each once, rising."""
        return sorted({mu for _, mu in self.pairs})

    def time(self, images: int) -> float:
        """t = γ·steps at the end of training on so many images."""
        return self.epochs * -(-images // self.batch_size) * self.lr

    def measure(self, cell: Cell) -> dict[str, Any]:
        what, seed = cell
        pairs = self.pairs[:1] if what == "order" else self.pairs
        order = seed + OTHER_ORDER if what == "order" else seed
        runs = [self._trained(c, mu, seed, order) for c, mu in ((0.0, pairs[0][1]), *pairs)]
        sgd, *grda = (weights_of(model).numpy().astype(np.float64) for model, _ in runs)
        sizes = [p.numel() for p in runs[0][0].parameters()]
        sampled = self._sampled(seed, len(sgd))
        found = {
            "sample/sgd": sgd[sampled].astype(np.float32),
            "sample/grda": np.stack(grda)[:, sampled].astype(np.float32),
        }
        if what == "order":
            return found
        kept, scores = self._scores(runs[0][0], seed)
        return (
            found
            | kept
            | self._curves([run for _, run in runs], grda, sizes)
            | self._losses([model for model, _ in runs])
            | self._evidence(sgd, grda, scores, sizes, seed)
            | {f"sample/{name}": s[..., sampled].astype(np.float16) for name, s in scores.items()}
        )

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        by_cell = dict(zip(self.cells(), pieces, strict=True))
        first, model = by_cell["scores", self.seeds[0]], MODELS[self.model](0)
        arrays = {
            name: np.stack([by_cell["scores", seed][name] for seed in self.seeds]) for name in first
        }
        for name in ("sample/sgd", "sample/grda") if self.ordered else ():
            rows = [by_cell["order", seed][name] for seed in self.ordered]
            arrays[name.replace("sample", "order")] = np.stack(rows)
        about = {name: getattr(self, name) for name in self.__dataclass_fields__} | {
            "mus": self.mus,
            "rows": list(ROWS),
            "measures": list(MEASURES),
            "layers": [name for name, _ in model.named_parameters()],
            "sizes": [p.numel() for p in model.parameters()],
            "training_images": len(self._data().y_train),
            "test_images": len(self._data().y_test),
            "t": self.time(len(self._data().y_train)),
        }
        return {"about": {"configuration": about}, **arrays}

    # ---- trainings

    def _data(self) -> Any:
        return DATA[self.data](validation=0)  # type: ignore[call-arg]  # both have it

    def _trained(self, c: float, mu: float, seed: int, order: int) -> tuple[nn.Module, Run]:
        """A network and its run; kept beside the recorder's pieces while it is trained."""
        model = MODELS[self.model](seed)
        folder = kept_folder(self.name, self) / f"c {c:g}, mu {mu:g}, seed {seed}, order {order}"
        run = train_kept(
            *(model, self._data(), lambda p: GRDA(p, lr=self.lr, c=c, mu=mu), folder),
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=order,
            device="cpu",
            measured=self.images,
        )
        return model.eval(), run

    def _curves(self, runs: list[Run], grda: list[Floats], sizes: list[int]) -> dict[str, Any]:
        """Of SGD and each setting: accuracy by epoch, zeros by epoch and by tensor."""
        parts = [np.split(w == 0, np.cumsum(sizes)[:-1]) for w in grda]
        return {
            "test": np.stack([run.test_accuracy for run in runs]).astype(np.float32),
            "zeros": np.stack([run.total_zeros for run in runs]).astype(np.float32),
            "layer_zeros": np.array([[part.sum() for part in row] for row in parts], np.int32),
        }

    def _losses(self, models: list[nn.Module]) -> dict[str, Any]:
        """Training loss and accuracy of SGD and each setting at the end, over all images."""
        data = self._data()
        found = [evaluate(model, data.x_train, data.y_train) for model in models]
        return {"train": np.array(found, np.float32)}

    def _sampled(self, seed: int, size: int) -> np.ndarray:
        """Which weights are kept, the same ones in every order of the images."""
        draws = np.random.default_rng([seed, 5])
        return np.sort(draws.choice(size, min(self.sample, size), replace=False))

    # ---- scores

    def _scores(self, model: nn.Module, seed: int) -> tuple[dict[str, Any], dict[str, Floats]]:
        """What is kept of the products, and all scores, each [mus, D]."""
        sign = np.sign(weights_of(model).numpy().astype(np.float64))
        kept, scores = dict[str, Any](), dict[str, Floats]()
        for kind in KINDS:
            path = kept_folder(self.name, self) / f"products {kind}, seed {seed}.npz"
            if not path.exists():
                content = io.BytesIO()
                np.savez_compressed(content, **self._products(model, kind))
                files.replace(path, content.getvalue())
            with np.load(path, allow_pickle=False) as file:
                found = {name: file[name] for name in file.files}
            directions = scale_directions(model, fixed=kind == "fixed")
            moves = sign * found["s"]
            along = (directions @ (directions.T @ moves.T)).T
            alone = sign * (directions @ (directions.T @ sign))
            scores[kind] = found["s"]
            scores[f"scale, {kind}"] = np.tile(alone, (len(self.mus), 1))
            scores[f"{kind} without scale"] = sign * (moves - along)
            kept |= {
                f"{kind}/values": found["values"],
                f"{kind}/error": found["error"],
                f"{kind}/share": (along**2).sum(1) / (moves**2).sum(1),
                f"{kind}/share of signs": np.array((alone**2).sum() / (sign**2).sum()),
            }
        return kept, scores

    def _products(self, model: nn.Module, kind: str) -> dict[str, Any]:
        """Finite-time scores [mus, D], the eigenvalues that the products saw, and the error."""
        data = self._data()
        t = self.time(len(data.y_train))
        ours = with_batch_statistics(model) if kind == "batch" else model
        # Images lie class by class: put together, 128 at a time, so that each batch has all classes.
        some = (
            np.arange(self.images).reshape(IMAGES, -1).T.ravel() * len(data.y_train) // self.images
        )
        loss = FixedLoss(ours, (data.x_train[some], data.y_train[some]))
        space = krylov(loss, products=self.products)
        found = [space.scores(t, mu) for mu in self.mus]
        return {
            "s": np.stack([one.s for one in found]),
            "values": space.values.astype(np.float32),
            "error": np.array([one.error for one in found], np.float32),
        }

    # ---- evidence

    def _evidence(
        self,
        sgd: Floats,
        grda: list[Floats],
        scores: dict[str, Floats],
        sizes: list[int],
        seed: int,
    ) -> dict[str, Any]:
        """How far each row of scores explains what each setting did to what it kept."""
        table = np.full((len(self.pairs), len(ROWS), len(MEASURES)), np.nan)
        bins = np.arange(*self.edges)
        density = np.zeros((len(self.pairs), len(KINDS), len(bins) - 1, len(bins) - 1), np.uint32)
        survivors = np.zeros(len(self.pairs), np.int32)
        lams = np.zeros(len(self.pairs))
        for k, ((c, mu), w) in enumerate(zip(self.pairs, grda, strict=True)):
            lams[k] = lam = strength(self.lr, c, mu, self.time(len(self._data().y_train)))
            rows = {name: s[self.mus.index(mu)] for name, s in scores.items()}
            given = Given(sgd, w, lam, sizes, [rows["scale, fixed"], rows["scale, batch"]])
            survivors[k] = given.alive.sum()
            for name, s in rows.items():
                table[k, ROWS.index(name)] = given.measured(s)
            for kind in KINDS:
                dealt = shuffled(rows[kind], seed, sizes)
                table[k, ROWS.index(f"{kind}, shuffled in layers")] = given.measured(dealt)
            table[k, ROWS.index("size")] = given.measured(-np.abs(sgd), move=False)
            soft = soft_pruning(sgd, threshold_for(sgd, int((w == 0).sum())))
            table[k, ROWS.index("soft"), MEASURES.index("cosine")] = cosine(soft - sgd, w - sgd)
            density[k] = [
                np.histogram2d(rows[kind][given.alive], given.estimates, bins=(bins, bins))[0]
                for kind in KINDS
            ]
        return {
            "evidence": table.astype(np.float32),
            "density": density,
            "survivors": survivors,
            "lam": lams,
        }


class Given:
    """SGD's and gRDA's ends, and what a score has to explain beyond."""

    def __init__(
        self, sgd: Floats, grda: Floats, lam: float, sizes: list[int], scale: list[Floats]
    ) -> None:
        self.sgd, self.grda, self.lam = sgd, grda, lam
        self.alive = (sgd != 0) & (grda != 0)
        self.estimates = score_estimates(sgd, grda, lam)[self.alive]
        self.known = size_and_layer(sgd, sizes)[self.alive]
        self.scale = np.column_stack([self.known, *(s[self.alive] for s in scale)])

    def measured(self, s: Floats, move: bool = True) -> list[float]:
        """MEASURES of the scores ``s`` [D]; without what belongs to a move where they are none."""
        found = evidence_of(s, self.sgd, self.grda, self.lam)
        ours = s[self.alive]
        moved = directional_pruning(self.sgd, s, self.lam) - self.sgd if move else np.zeros_like(s)
        return [
            found.correlation,
            partial_correlation(self.estimates, ours, self.known),
            partial_correlation(self.estimates, ours, self.scale),
            found.auc,
            found.slope if move else np.nan,
            cosine(moved, self.grda - self.sgd),
            found.grew_where_negative if move else np.nan,
            float(found.negative) if move else np.nan,
        ]
