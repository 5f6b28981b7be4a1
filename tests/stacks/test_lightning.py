"""GRDA in Lightning: clipped, accumulated, logged, stopped and resumed, and its learning rate searched."""

import warnings

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from grda_edu import GRDA, digits, small_digits_cnn, sparsity, zeros_by_layer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own imports
    import lightning as L
    from lightning.pytorch.callbacks import ModelCheckpoint
    from lightning.pytorch.tuner import Tuner

pytestmark = [pytest.mark.stacks, pytest.mark.filterwarnings("default")]
EPOCHS, BATCH, ACCUMULATE, CLIP = 4, 24, 2, 0.5
IMAGES = 240  # ten batches, five steps an epoch


class Digits(L.LightningModule):
    """What a user writes: a network, a loss, and GRDA in configure_optimizers."""

    def __init__(self, lr: float = 0.1) -> None:
        super().__init__()
        self.net, self.lr = small_digits_cnn(0), lr

    def training_step(self, batch, index):
        x, y = batch
        return cross_entropy(self.net(x), y)

    def configure_optimizers(self):
        optimizer = GRDA(self.parameters(), lr=self.lr, c=0.05, mu=0.6, momentum=0.5)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)]


class LogZeros(L.Callback):
    """The share of zeros, in all and by layer, after every epoch."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_train_epoch_end(self, trainer, module):
        module.log("zeros", sparsity(module))
        for name, (zeros, size) in zeros_by_layer(module).items():
            module.log(f"zeros/{name}", zeros / size)
        self.seen.append(sparsity(module))


class StopAt(L.Callback):
    """The plug is pulled after a step, right after a checkpoint."""

    def __init__(self, step: int, path: str) -> None:
        self.step, self.path = step, path

    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == self.step and not (trainer.fit_loop.batch_idx + 1) % ACCUMULATE:
            trainer.save_checkpoint(self.path)
            raise KeyError("the plug")


def loader():
    data = digits()
    return DataLoader(TensorDataset(data.x_train[:IMAGES], data.y_train[:IMAGES]), batch_size=BATCH)


def trainer(folder, *callbacks, epochs=EPOCHS, **options):
    return L.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        gradient_clip_val=CLIP,
        accumulate_grad_batches=ACCUMULATE,
        callbacks=list(callbacks),
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **options,
    )


def plain(epochs=EPOCHS, lr=0.1):
    """The same by hand."""
    model = Digits(lr)
    (optimizer,), (scheduler,) = model.configure_optimizers()
    for _ in range(epochs):
        for k, batch in enumerate(loader()):
            (model.training_step(batch, k) / ACCUMULATE).backward()
            if (k + 1) % ACCUMULATE == 0:
                nn.utils.clip_grad_norm_(model.parameters(), CLIP)
                optimizer.step()
                optimizer.zero_grad()
        scheduler.step()
    return model, optimizer


def assert_same(model, optimizer, expected):
    other, theirs = expected
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q)
        assert optimizer.state[p]["threshold"] == theirs.state[q]["threshold"] > 0
        assert torch.equal(optimizer.state[p]["accumulator"], theirs.state[q]["accumulator"])


def test_it_is_the_plain_loop_with_zeros_in_the_log(tmp_path):
    model, zeros = Digits(), LogZeros()
    fit = trainer(tmp_path, zeros, enable_checkpointing=False)
    fit.fit(model, loader())
    assert_same(model, fit.optimizers[0], plain())
    assert len(zeros.seen) == EPOCHS and zeros.seen[-1] > 0.1
    assert float(fit.logged_metrics["zeros"]) == pytest.approx(zeros.seen[-1])
    assert sum(name.startswith("zeros/net.") for name in fit.logged_metrics) == 4


def test_a_new_process_goes_on_from_an_epoch_exactly(tmp_path):
    keep = ModelCheckpoint(tmp_path, filename="{epoch}", save_top_k=-1)
    trainer(tmp_path, keep, epochs=2).fit(Digits(), loader())
    model = Digits()
    fit = trainer(tmp_path, enable_checkpointing=False)
    fit.fit(model, loader(), ckpt_path=tmp_path / "epoch=1.ckpt", weights_only=True)
    assert_same(model, fit.optimizers[0], plain())


class Position(DataLoader):
    """A loader that knows where it is: Lightning keeps that in the checkpoint."""

    def __init__(self) -> None:
        super().__init__(loader().dataset, batch_size=BATCH)
        self.at = self.start = 0

    def __iter__(self):
        start, self.start = self.start, 0
        for k, batch in enumerate(super().__iter__()):
            self.at = k + 1
            if k >= start:
                yield batch

    def state_dict(self):
        return {"at": self.at}

    def load_state_dict(self, state):
        self.start = state["at"] % len(self)


def test_it_goes_on_from_the_middle_of_an_epoch_exactly(tmp_path):
    path = tmp_path / "middle.ckpt"
    with pytest.raises(KeyError, match="the plug"):
        stop = StopAt(8, path)  # the third step of the second epoch
        trainer(tmp_path, stop, enable_checkpointing=False).fit(Digits(), Position())
    model = Digits()
    fit = trainer(tmp_path, enable_checkpointing=False)
    fit.fit(model, Position(), ckpt_path=path, weights_only=True)
    assert fit.global_step == EPOCHS * IMAGES // BATCH // ACCUMULATE
    assert_same(model, fit.optimizers[0], plain())


def test_a_search_for_the_learning_rate_leaves_no_trace(tmp_path):
    model = Digits(lr=1e-3)
    before = [p.detach().clone() for p in model.parameters()]
    fit = trainer(tmp_path, enable_checkpointing=False)
    found = Tuner(fit).lr_find(model, loader(), min_lr=1e-4, max_lr=10, num_training=40)
    assert len(found.results["lr"]) >= 20 and found.results["loss"]
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
    fit = trainer(tmp_path, enable_checkpointing=False)
    model.lr = 0.1
    fit.fit(model, loader())
    assert_same(model, fit.optimizers[0], plain())
