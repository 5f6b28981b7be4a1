"""Files that skip zeros: what comes back, what they weigh, and that nothing else is taken for one."""

import hashlib
import json
import os
import resource

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save
from torch import nn
from torch.testing._internal.two_tensor import TwoTensor

from grda_edu import GRDA, digits_cnn
from grda_edu.sparse import storage
from grda_edu.sparse.storage import (
    FORMAT,
    SparseFileError,
    file_sizes,
    load_sparse,
    save_sparse,
)

DTYPES = (
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn),
    *(torch.int64, torch.int8, torch.uint8, torch.bool),
)


def sparse(shape, zeros, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(shape, generator=generator) + 3
    alive = torch.rand(shape, generator=generator) >= zeros
    return torch.where(alive, values, 0.0).to(dtype)


def same_bits(a, b):
    assert a.dtype == b.dtype and a.shape == b.shape
    width = a.element_size()
    raw = [t.contiguous().reshape(-1).view(torch.uint8).reshape(-1, width) for t in (a, b)]
    return torch.equal(*raw)


# ------------------------------------------------- what comes back


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_kind_comes_back(tmp_path, dtype):
    for shape in ((), (1,), (0, 3), (7,), (8, 8), (3, 4, 5, 1), (1000,)):
        for zeros in (0.0, 0.6, 0.97, 1.0):
            state = {"a": sparse(shape, zeros, dtype), "ß": sparse((5, 2), 0.5, dtype, seed=1)}
            save_sparse(state, tmp_path / "w")
            back = load_sparse(tmp_path / "w")
            assert list(back) == list(state)
            assert all(same_bits(back[name], state[name]) for name in state)


@given(
    st.lists(st.sampled_from([0, 1, 254, 255, 256, 510, 511, 765]), max_size=6),
    st.sampled_from([0, 1, 254, 255, 256, 510]),
)
def test_gaps_of_every_length(gaps, after):
    """Around 255 and its multiples, where one byte is not enough; before, between and after values."""
    from grda_edu.sparse.storage import _alive, _gaps

    alive = np.array([x for gap in gaps for x in (*[False] * gap, True)] + [False] * after, bool)
    assert _alive("gaps", len(alive), _gaps(alive)).tolist() == np.flatnonzero(alive).tolist()


def test_a_network_comes_back_with_its_buffers_and_goes_on(tmp_path):
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 3))
    optimizer = GRDA(model.parameters(), lr=0.1, c=0.3, mu=0.7)
    x = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for _ in range(5):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
    save_sparse(model, tmp_path / "w")
    twin = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 3))
    twin.load_state_dict(load_sparse(tmp_path / "w"))
    assert torch.equal(twin.eval()(x), model.eval()(x))
    assert twin[1].num_batches_tracked == 5


def test_odd_values_come_back(tmp_path):
    odd = torch.tensor([0.0, torch.nan, torch.inf, -torch.inf, 1e-45, 0.0, 0.0, 0.0, 0.0, 0.0])
    save_sparse({"w": odd}, tmp_path / "w")
    assert same_bits(load_sparse(tmp_path / "w")["w"], odd)


def test_a_negative_zero_is_a_zero(tmp_path):
    w = torch.ones(1000) * torch.tensor([-0.0, 0.0]).repeat(500)
    assert save_sparse({"w": w}, tmp_path / "w") < 400
    assert torch.equal(load_sparse(tmp_path / "w")["w"], w)


def test_a_view_is_saved_as_it_reads(tmp_path):
    w = sparse((6, 4), 0.5).t()[1:, ::2]
    save_sparse({"w": w}, tmp_path / "w")
    assert torch.equal(load_sparse(tmp_path / "w")["w"], w)


def test_tied_weights_are_stored_once_and_stay_tied(tmp_path):
    w = sparse((100, 100), 0.5)
    once = save_sparse({"a": w}, tmp_path / "w")
    assert save_sparse({"a": w, "b": w, "c": w.t()}, tmp_path / "w") < 2.1 * once
    back = load_sparse(tmp_path / "w")
    assert back["a"].data_ptr() == back["b"].data_ptr() and torch.equal(back["c"], w.t())


def test_a_negated_view_is_not_taken_for_its_base(tmp_path):
    """It lies in the same memory, and reads otherwise."""
    w = torch.randn(4)
    save_sparse({"a": w, "b": torch._neg_view(w)}, tmp_path / "w")
    back = load_sparse(tmp_path / "w")
    assert torch.equal(back["a"], w) and torch.equal(back["b"], -w)


def test_many_weights_are_read_in_one_pass(tmp_path):
    """What is left is not copied for each weight: 1,000 of 8 kB would be 4 GB."""
    state = {str(k): torch.full((2000,), float(k + 1)) for k in range(1000)}
    save_sparse(state, tmp_path / "w")
    content = (tmp_path / "w").read_bytes()
    copied = []

    class Counted(bytes):
        def __getitem__(self, part):
            copied.append(len(range(*part.indices(len(self)))))
            return bytes.__getitem__(self, part)

    opened = storage._opened(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "_opened", lambda _: (opened[0], *map(Counted, opened[1:])))
        back = storage._unpacked(content)
    assert sum(copied) <= len(content)
    assert all(torch.equal(back[name], state[name]) for name in state)


# ------------------------------------------------- what it weighs


@pytest.mark.parametrize(("zeros", "most"), [(0.0, 4.001), (0.5, 2.13), (0.9, 0.55), (0.99, 0.06)])
def test_bytes_a_weight(tmp_path, zeros, most):
    """From a million weights on; the entropy bound with 4-byte values is 2.12, .46 and .05."""
    assert save_sparse({"w": sparse((1000, 1000), zeros)}, tmp_path / "w") <= most * 1_000_000
    assert (tmp_path / "w").stat().st_size <= most * 1_000_000


def test_the_digits_network_and_its_rivals(tmp_path):
    model = digits_cnn()
    full = file_sizes(model)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(torch.rand(p.shape, generator=torch.Generator().manual_seed(1)) >= 0.9)
    sizes = file_sizes(model)
    weights = sum(p.numel() for p in model.parameters())
    assert sizes["save_sparse"] == save_sparse(model, tmp_path / "w") <= 0.65 * weights
    assert sizes["torch.save"] == full["torch.save"]  # zeros are written like any number
    assert sizes["save_sparse"] < sizes["torch.save, gzip"] < full["torch.save, gzip"] / 3


# ------------------------------------------------- nothing else is taken for one


@pytest.fixture
def content(tmp_path):
    save_sparse(
        {"a": sparse((30, 20), 0.9), "b": sparse((40,), 0.5), "c": torch.ones(3)}, tmp_path / "w"
    )
    return (tmp_path / "w").read_bytes()


def refused(tmp_path, content, words="Accepted are files that save_sparse has written"):
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(SparseFileError, match=words):
        load_sparse(tmp_path / "other")


def test_a_file_cut_off_anywhere_is_refused(tmp_path, content):
    for length in range(0, len(content), 7):
        refused(tmp_path, content[:length])
    refused(tmp_path, content + b"x")


def test_a_changed_byte_never_changes_a_weight(tmp_path, content):
    state = load_sparse(tmp_path / "w")
    for at in range(len(content)):
        changed = bytearray(content)
        changed[at] ^= 0x15
        (tmp_path / "other").write_bytes(changed)
        try:
            back = load_sparse(tmp_path / "other")
        except SparseFileError:
            continue
        # a name is no weight, nor is the padding of the header
        assert len(back) == len(state)
        assert all(map(torch.equal, back.values(), state.values()))


def test_other_files_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", w=np.zeros(3))
    torch.save({"w": torch.zeros(3)}, tmp_path / "x.pt")
    for name in ("x.npz", "x.pt"):
        refused(tmp_path, (tmp_path / name).read_bytes(), "not a file of sparse weights")
    refused(tmp_path, save({"w": np.zeros(3)}), "not a file of sparse weights")
    refused(tmp_path, b"", "not a file of sparse weights")


def made(entries, where=b"", values=b"", version=1):
    """A file whose checksum is right and whose description is anything."""
    digest = hashlib.sha256(where + values).hexdigest()
    about = json.dumps({"version": version, "sha256": digest, "entries": entries})
    arrays = {"where": np.frombuffer(where, np.uint8), "values": np.frombuffer(values, np.uint8)}
    return save(arrays, metadata={FORMAT: about})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (made([], version=2), "its version is 2"),
        (made([["w", "dense", "float32", [10**12], 0, 4]], b"", b"1234"), "4 bytes of values"),
        (made([["w", "mask", "float32", [10**12], 4, 0]], b"1234"), "a mask of 4 bytes"),
        (made([["w", "gaps", "float32", [10**12], 4, 0]], b"1234"), "gaps that end elsewhere"),
        (made([["w", "gaps", "float32", [10**12], 0, 0]]), "gaps that end elsewhere"),
        (made([["w", "mask", "float32", [8], 1, 4]], b"\xff", b"1234"), "where 32 belong"),
        (made([["w", "gaps", "float32", [2], 3, 4]], b"\0\0\0", b"1234"), "where 8 belong"),
        (made([["w", "dense", "float32", [-1], 0, 0]]), "makes no sense"),
        (made([["w", "dense", "float32", [1.0], 0, 4]], b"", b"1234"), "makes no sense"),
        (made([["w", "dense", "load", [1], 0, 4]], b"", b"1234"), "makes no sense"),
        (made([["w", "dense", "nothing", [1], 0, 4]], b"", b"1234"), "makes no sense"),
        (made([["w", "dense", "qint8", [1], 0, 1]], b"", b"1"), "makes no sense"),
        (made([["w", "dense", "complex64", [1], 0, 8]], b"", b"12345678"), "makes no sense"),
        (made([["w", "dense", ["float32"], [1], 0, 4]], b"", b"1234"), "makes no sense"),
        (made([["w", "dense", "float32", [0, 10**30], 0, 0]]), "w: zeros"),
        (made([["w", "dense", "float32", [2**62, 4, 0], 0, 0]]), "w: Storage size"),
        (made([["w", "zip", "float32", [1], 0, 4]], b"", b"1234"), "'zip'"),
        (made([["w", "tied", 0]]), "makes no sense"),
        (made([["w", "tied", "a"]]), "makes no sense"),
        (made([[3, "tied", 0]]), "no name"),
        (made([["w"]]), "makes no sense"),
        (made("w"), "makes no sense"),
        (made(None), "makes no sense"),
        (made([], b"", b"1234"), "another number of bytes"),
        (made([["w", "dense", "float32", [2], 0, 8]], b"", b"1234"), "another number of bytes"),
    ],
)
def test_what_is_declared_is_checked_before_memory_is_taken(tmp_path, content, words):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused(tmp_path, content, words)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (3, "w is of type int: accepted are tensors"),
        (torch.eye(3).to_sparse_coo(), "w has dtype torch.float32 and layout torch.sparse_coo"),
        (torch.zeros(2, dtype=torch.complex64), "w has dtype torch.complex64"),
        (torch.zeros(2, device="meta"), "w is on the meta device"),
        (torch.empty(4, dtype=torch.uint4), "w has dtype torch.uint4"),
        (
            TwoTensor(torch.ones(2), torch.ones(2)),  # a class of its own, as DTensor is one
            "w is of type TwoTensor: accepted are tensors",
        ),
    ],
)
def test_what_cannot_be_saved_is_named_and_nothing_is_written(tmp_path, entry, words):
    with pytest.raises(ValueError, match=words):
        save_sparse({"w": entry}, tmp_path / "w")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [3, None, ("a", "b"), "\ud800"])
def test_what_is_no_name_is_refused_and_not_only_when_it_is_read(tmp_path, name):
    with pytest.raises(ValueError, match="is no name: accepted are strings"):
        save_sparse({name: torch.ones(2)}, tmp_path / "w")
    assert list(tmp_path.iterdir()) == []


def test_a_crash_leaves_the_old_file(tmp_path, monkeypatch):
    save_sparse({"w": torch.ones(3)}, tmp_path / "w")

    def crash(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(OSError, match="disk full"):
        save_sparse({"w": torch.zeros(3)}, tmp_path / "w")
    monkeypatch.undo()
    assert torch.equal(load_sparse(tmp_path / "w")["w"], torch.ones(3))
    assert [path.name for path in tmp_path.iterdir()] == ["w"]


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_sparse(tmp_path / "none")
