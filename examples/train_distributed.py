"""Train with gRDA on several processes or GPUs, from checkpoints that go on where they stopped.

    torchrun --nproc-per-node 2 examples/train_distributed.py            # DDP: a whole copy each
    torchrun --nproc-per-node 2 examples/train_distributed.py --shard    # FSDP2: a piece each

Without a GPU the processes are CPU processes joined by gloo. Started again with the same
``--checkpoints`` it goes on from the last one, on any number of processes. Nothing is downloaded:
it reads the digits that come with scikit-learn. To make it your own, replace ``make_model`` and
``batches``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

from grda_edu import GRDA, digits, digits_cnn, save_sparse, zeros_by_layer
from grda_edu.data import Data


def make_model(seed: int) -> nn.Sequential:
    """The network, with the same initial weights in every process."""
    return digits_cnn(seed)


def batches(data: Data, epoch: int, size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """This process's share of every batch of an epoch.

    The order is drawn from the epoch's number, so that a training that goes on needs no state of
    it; the shares together are the batch that one process would have had.
    """
    generator = torch.Generator().manual_seed(1_000_003 * seed + epoch)
    order = torch.randperm(len(data.y_train), generator=generator).to(data.device)
    rank, processes = dist.get_rank(), dist.get_world_size()
    for batch in order.split(size):
        if len(batch) == size:  # shares of one size: the mean of their means is the batch's
            mine = batch[rank::processes]
            yield data.x_train[mine], data.y_train[mine]


def main(options: argparse.Namespace) -> None:
    """Train, from the last checkpoint if there is one, and say how many weights are zero."""
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if on_gpu else "gloo")
    processes = dist.get_world_size()
    if options.batch_size % processes:
        raise SystemExit(f"--batch-size {options.batch_size} is no multiple of {processes}")

    data = digits(device)
    inner = make_model(options.seed).to(device)
    if options.shard:
        mesh = init_device_mesh(device.type, (processes,))
        for layer in inner:
            if any(True for _ in layer.parameters()):
                fully_shard(layer, mesh=mesh)
        model: nn.Module = fully_shard(inner, mesh=mesh)
    else:
        model = DistributedDataParallel(inner)
    # After the model was sharded: the optimizer has to see the parameters that are trained.
    optimizer = GRDA(model.parameters(), lr=options.lr, c=options.c, mu=options.mu)

    steps_an_epoch = len(data.y_train) // options.batch_size
    step = load(model, optimizer, options.checkpoints)
    say(f"{processes} process{'es' * (processes > 1)} on {device.type}, from step {step}")
    for epoch in range(step // steps_an_epoch, options.epochs):
        model.train()
        done = step - epoch * steps_an_epoch
        for k, (x, y) in enumerate(batches(data, epoch, options.batch_size, options.seed)):
            if k < done:  # before the checkpoint
                continue
            optimizer.zero_grad()
            cross_entropy(model(x), y).backward()
            optimizer.step()
            step += 1
            if step % options.every == 0:
                save(model, optimizer, options.checkpoints, step)
        say(f"epoch {epoch + 1}: {accuracy(model, data):.1%} of the test images")
    save(model, optimizer, options.checkpoints, step)
    # Each process counts all pieces of a sharded weight: all have to ask.
    for name, (zeros, size) in zeros_by_layer(inner).items():
        say(f"{name:14} {zeros:6,} of {size:6,} are zero")
    if options.weights:
        write_weights(inner, optimizer, options.weights)
    dist.barrier()  # who leaves early would break off what another still receives
    dist.destroy_process_group()


# ------------------------------------------------- checkpoints


def save(model: nn.Module, optimizer: GRDA, folder: Path, step: int) -> None:
    """Each process writes its pieces beside; the whole is moved to its name, and older ones go."""
    beside, there = folder / f"{step:08}.part", folder / f"{step:08}"
    if there.exists():
        return
    weights, state = get_state_dict(model, optimizer)
    dcp.save({"model": weights, "optimizer": state, "step": step}, checkpoint_id=beside)
    dist.barrier()
    if dist.get_rank() == 0:
        beside.rename(there)
        for old in complete(folder)[:-2]:
            shutil.rmtree(old)
    dist.barrier()


def load(model: nn.Module, optimizer: GRDA, folder: Path) -> int:
    """Take over the last whole checkpoint, if there is one; the steps that it had made."""
    if dist.get_rank() == 0:
        for broken in folder.glob("*.part"):  # what a process that was killed left behind
            shutil.rmtree(broken)
    dist.barrier()
    if not complete(folder):
        return 0
    weights, state = get_state_dict(model, optimizer)
    saved = {"model": weights, "optimizer": state, "step": 0}
    dcp.load(saved, checkpoint_id=complete(folder)[-1])
    set_state_dict(
        model, optimizer, model_state_dict=saved["model"], optim_state_dict=saved["optimizer"]
    )
    return int(saved["step"])


def complete(folder: Path) -> list[Path]:
    """The whole checkpoints, oldest first."""
    return sorted(path for path in folder.glob("*") if path.name.isdigit())


def write_weights(inner: nn.Module, optimizer: GRDA, folder: Path) -> None:
    """Each process writes the whole network as it has it, and its threshold of each weight."""
    state = {name: whole(p.detach()) for name, p in inner.named_parameters()}
    for name, p in inner.named_parameters():
        threshold = optimizer.state[p]["threshold"]
        state[f"threshold of {name}"] = torch.tensor(threshold, dtype=torch.float64)
    save_sparse(state, folder / f"{dist.get_rank()}.sparse")


def whole(weights: Tensor) -> Tensor:
    """A sharded weight put together from its pieces, for which all processes have to ask."""
    return weights.full_tensor() if isinstance(weights, DTensor) else weights


# ------------------------------------------------- what is said


@torch.no_grad()
def accuracy(model: nn.Module, data: Data) -> float:
    """On the test images. All processes look at all of them: a sharded model needs every one."""
    model.eval()
    return float((model(data.x_test).argmax(dim=1) == data.y_test).float().mean())


def say(line: str) -> None:
    """Print it once."""
    if dist.get_rank() == 0:
        print(line, flush=True)


def parse() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shard", action="store_true", help="FSDP2 in the place of DDP")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=32, help="of all processes together")
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--c", type=float, default=0.005, help="strength of the penalty")
    parser.add_argument("--mu", type=float, default=0.6, help="exponent of the threshold's growth")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), metavar="FOLDER")
    parser.add_argument(
        "--weights", type=Path, metavar="FOLDER", help="where each process writes its weights"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main(parse())
    # All is done and written. Threads of a sharded training can abort the end of the interpreter
    # ("terminate called without an active exception"), and a launcher would call that a failure.
    sys.stdout.flush()
    os._exit(0)
