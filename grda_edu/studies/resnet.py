"""The theorem on a network of a quarter of a million weights, with batch norm: products alone.

Batch norm makes some directions flat exactly. In training it divides by the statistics of the batch, so
that a filter in front of it may be scaled and nothing changes; with statistics that are fixed, its own
weight and bias have to be scaled back. ``sign(w)`` lies to more than half along a filter that is scaled.
So the scores are taken both ways, and what the scale directions explain of them stands beside.
"""

import io
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from grda_edu import files
from grda_edu.geometry import Floats
from grda_edu.geometry.curvature import IMAGES, FixedLoss
from grda_edu.geometry.evidence import (
    correlation_beyond,
    cosine,
    evidence_of,
    explained_by,
    score_estimates,
    shuffled,
    size_and_layer,
    strength,
)
from grda_edu.geometry.finite_time import krylov
from grda_edu.geometry.matching import scale_directions, with_batch_statistics
from grda_edu.geometry.pruning import directional_pruning, soft_pruning, threshold_for
from grda_edu.geometry.valley import renew_batch_norm, weights_of
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
AMONG = ("survivors", "clear")
MEASURES = ("correlation", "partial", "beyond scale", "auc", "slope", "cosine", "grew", "negative")
OTHER_ORDER = 100  # added to a seed: the same start, another order of the images


@dataclass(frozen=True)
class ResNetStudy:
    """SGD and gRDA from the same weights on the same batches, and finite-time scores at SGD's end.

    A survivor cannot have moved by more than its size, so that small ones among them have small ŝ: all of
    it is measured once more among the weights larger than ``clear`` times λ, of which hardly any died.
    "spread" is mean and deviation of ŝ and of each kind of scores; "partial" is the correlation of ŝ with the scores given size and layer, "beyond scale" given the scores
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
    clear: float = 2.0  # in units of λ: hardly a weight of this size dies
    sample: int = 6000  # weights of which all is kept
    s_edges: tuple[float, float, int] = (0.5, 1.5, 101)  # of the bins of s
    estimate_edges: tuple[float, float, int] = (-1.5, 3.5, 101)  # and of ŝ
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
        """Of SGD and each setting at the end: training loss and accuracy over all images.

        And the test accuracy once batch norm's statistics are taken anew from all training images: those
        of the training's last steps are a chance.
        """
        data = self._data()
        train = [evaluate(model, data.x_train, data.y_train) for model in models]
        renewed = [deepcopy(model) for model in models]
        for model in renewed:
            renew_batch_norm(model, data.x_train)
        test = [evaluate(model, data.x_test, data.y_test)[1] for model in renewed]
        return {"train": np.array(train, np.float32), "renewed": np.array(test, np.float32)}

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
        bins = np.linspace(*self.s_edges), np.linspace(*self.estimate_edges)
        shape = len(self.pairs), len(KINDS), *(len(edges) - 1 for edges in bins)
        density, among = np.zeros(shape, np.uint32), (len(self.pairs), len(AMONG))
        table = np.full((*among, len(ROWS), len(MEASURES)), np.nan, np.float32)
        spread = np.zeros((*among, 1 + len(KINDS), 2))
        survivors, died, lams = np.zeros(among, np.int32), np.zeros(among), np.zeros(among[0])
        for k, ((c, mu), w) in enumerate(zip(self.pairs, grda, strict=True)):
            lams[k] = lam = strength(self.lr, c, mu, self.time(len(self._data().y_train)))
            rows = {name: s[self.mus.index(mu)] for name, s in scores.items()}
            for kind in KINDS:
                rows[f"{kind}, shuffled in layers"] = shuffled(rows[kind], seed, sizes)
            for n, least in enumerate((0.0, self.clear * lam)):
                given = Given(sgd, w, lam, sizes, rows, np.abs(sgd) > least)
                survivors[k, n], died[k, n] = given.alive.sum(), 1 - given.alive.mean()
                spread[k, n] = [
                    (x.mean(), x.std())
                    for x in (given.estimates, *(given.of(kind) for kind in KINDS))
                ]
                for row, name in enumerate(ROWS):
                    table[k, n, row] = given.measured(name)
                if not n:
                    density[k] = [
                        np.histogram2d(given.of(kind), given.estimates, bins=bins)[0]
                        for kind in KINDS
                    ]
        return {
            "evidence": table,
            "density": density,
            "spread": spread,
            "survivors": survivors,
            "died": died,
            "lam": lams,
        }


class Given:
    """SGD's and gRDA's ends, of some of the weights, and what a score has to explain beyond."""

    def __init__(
        self,
        sgd: Floats,
        grda: Floats,
        lam: float,
        sizes: list[int],
        rows: dict[str, Floats],
        among: NDArray[np.bool_],
    ) -> None:
        self.sgd, self.grda, self.lam = sgd[among], grda[among], lam
        self.rows = {name: s[among] for name, s in rows.items()}
        self.alive = (self.sgd != 0) & (self.grda != 0)
        self.estimates = score_estimates(self.sgd, self.grda, lam)[self.alive]
        known = size_and_layer(sgd, sizes)[among][self.alive]
        scale = [self.of(f"scale, {kind}") for kind in KINDS]
        self.known = explained_by(known)
        self.beyond = explained_by(np.column_stack([known, *scale]))

    def of(self, name: str) -> Floats:
        """The survivors' scores."""
        found: Floats = self.rows[name][self.alive]
        return found

    def measured(self, name: str) -> list[float]:
        """MEASURES of a row; NaN for what has no meaning there."""
        if name == "soft":
            soft = soft_pruning(self.sgd, threshold_for(self.sgd, int((self.grda == 0).sum())))
            return [np.nan if m != "cosine" else self._cosine(soft) for m in MEASURES]
        s = -np.abs(self.sgd) if name == "size" else self.rows[name]
        found, ours = evidence_of(s, self.sgd, self.grda, self.lam), s[self.alive]
        if name == "size":  # it predicts no move, and it is what the partial correlations take out
            known = {"correlation": found.correlation, "auc": found.auc}
            return [known.get(measure, np.nan) for measure in MEASURES]
        return [
            found.correlation,
            correlation_beyond(self.estimates, ours, self.known),
            correlation_beyond(self.estimates, ours, self.beyond),
            found.auc,
            found.slope,
            self._cosine(directional_pruning(self.sgd, s, self.lam)),
            found.grew_where_negative,
            float(found.negative),
        ]

    def _cosine(self, predicted: Floats) -> float:
        return cosine(predicted - self.sgd, self.grda - self.sgd)
