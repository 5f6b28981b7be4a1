"""GRDA in Accelerate: prepared, clipped, accumulated, saved in mid-epoch and resumed."""

import pytest
import torch
from accelerate import Accelerator
from accelerate.utils import GradientAccumulationPlugin
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from grda_edu import GRDA, digits, small_digits_cnn, sparsity

pytestmark = [pytest.mark.stacks, pytest.mark.filterwarnings("default")]
EPOCHS, BATCH, ACCUMULATE, CLIP, IMAGES = 3, 24, 2, 0.5, 240


def parts():
    data = digits()
    model = small_digits_cnn(0)
    optimizer = GRDA(model.parameters(), lr=0.1, c=0.05, mu=0.6)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.95)
    images = TensorDataset(data.x_train[:IMAGES], data.y_train[:IMAGES])
    return model, optimizer, DataLoader(images, batch_size=BATCH), scheduler


def train(accelerator, model, optimizer, loader, scheduler, start=(0, 0), until=None):
    """From batch ``start`` on, before batch ``until``."""
    for epoch in range(start[0], EPOCHS):
        skipped = start[1] if epoch == start[0] else 0
        for k, (x, y) in enumerate(accelerator.skip_first_batches(loader, skipped), skipped):
            if (epoch, k) == until:
                return
            with accelerator.accumulate(model):
                accelerator.backward(cross_entropy(model(x), y))
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), CLIP)
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()


def accelerated():
    # Otherwise an epoch's end would end the accumulation too
    plugin = GradientAccumulationPlugin(num_steps=ACCUMULATE, adjust_scheduler=False)
    accelerator = Accelerator(cpu=True, gradient_accumulation_plugin=plugin)
    return accelerator, accelerator.prepare(*parts())


def plain():
    model, optimizer, loader, scheduler = parts()
    for _ in range(EPOCHS):
        for k, (x, y) in enumerate(loader):
            (cross_entropy(model(x), y) / ACCUMULATE).backward()
            if (k + 1) % ACCUMULATE == 0:
                nn.utils.clip_grad_norm_(model.parameters(), CLIP)
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
    return model, optimizer


def assert_same(model, optimizer, expected):
    other, theirs = expected
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q)
        ours = optimizer.optimizer.state[p]
        assert ours["threshold"] == theirs.state[q]["threshold"] > 0
        assert torch.equal(ours["accumulator"], theirs.state[q]["accumulator"])
    assert sparsity(model) > 0.1


def test_it_is_the_plain_loop():
    accelerator, prepared = accelerated()
    train(accelerator, *prepared)
    assert_same(*prepared[:2], plain())


def test_it_goes_on_from_the_middle_of_an_epoch_exactly(tmp_path):
    accelerator, prepared = accelerated()
    train(accelerator, *prepared, until=(1, 6))
    accelerator.save_state(str(tmp_path))
    accelerator, prepared = accelerated()
    accelerator.load_state(str(tmp_path))
    train(accelerator, *prepared, start=(1, 6))
    assert_same(*prepared[:2], plain())
