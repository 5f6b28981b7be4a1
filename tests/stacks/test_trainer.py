"""GRDA in Hugging Face's Trainer, on a small Transformer with random weights: nothing is downloaded."""

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments

from grda_edu import GRDA, penalty_groups, sparsity

pytestmark = [pytest.mark.stacks, pytest.mark.filterwarnings("default")]
STEPS, WORDS, LENGTH = 24, 20, 12


class Counting(Dataset):
    """Sentences that count on from somewhere, modulo the number of words."""

    def __len__(self):
        return 64

    def __getitem__(self, k):
        ids = (torch.arange(LENGTH) * (1 + k % 3) + k) % WORDS
        return {"input_ids": ids, "labels": ids}


def small_gpt():
    torch.manual_seed(0)
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=WORDS,
            n_positions=LENGTH,
            n_embd=16,
            n_layer=1,
            n_head=2,
            resid_pdrop=0.1,  # so that the resume has random numbers to get right
            bos_token_id=0,
            eos_token_id=0,
        )
    )


class PlugAt(TrainerCallback):
    def __init__(self, step):
        self.step = step

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.step:
            raise KeyError("the plug")


def trainer(folder, *callbacks):
    """What a user writes; the norm layers' weights are left alone."""
    model = small_gpt()
    optimizer = GRDA(penalty_groups(model, c=0.005, mu=0.6), lr=0.5, c=0.005, mu=0.6)
    warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, step / 5))
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=STEPS,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        max_grad_norm=1.0,
        save_steps=5,
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        logging_strategy="no",
        seed=3,
    )
    return Trainer(
        model,
        arguments,
        train_dataset=Counting(),
        optimizers=(optimizer, warm_up),
        callbacks=list(callbacks),
    )


def test_it_trains_and_goes_on_after_the_plug_was_pulled_exactly(tmp_path):
    before = trainer(tmp_path).evaluate(Counting())["eval_loss"]  # its loader draws a number too
    whole = trainer(tmp_path / "whole")
    whole.train()
    assert whole.evaluate(Counting())["eval_loss"] < 0.9 * before
    assert sparsity(whole.model) > 0.1
    with pytest.raises(KeyError, match="the plug"):
        trainer(tmp_path / "half", PlugAt(17)).train()
    again = trainer(tmp_path / "half")
    again.train(resume_from_checkpoint=True)  # step 15, in the middle of an epoch
    assert again.state.global_step == STEPS
    ours, theirs = (t.optimizer.optimizer for t in (again, whole))
    for p, q in zip(again.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(p, q)
        assert ours.state[p]["step"] == theirs.state[q]["step"] >= STEPS - 1
        assert ours.state[p]["threshold"] == theirs.state[q]["threshold"]
        assert torch.equal(ours.state[p]["accumulator"], theirs.state[q]["accumulator"])


def test_it_can_be_named_by_its_class(tmp_path):
    """Trainer makes the groups itself then; theirs have a weight decay of their own."""
    base = trainer(tmp_path)
    made = Trainer(
        small_gpt(),
        base.args,
        train_dataset=Counting(),
        optimizer_cls_and_kwargs=(GRDA, {"lr": 0.5, "c": 0.005, "mu": 0.6}),
    )
    made.train()
    norms = [m.weight for m in made.model.modules() if isinstance(m, nn.LayerNorm)]
    assert all(made.optimizer.optimizer.state[p]["threshold"] > 0 for p in norms)  # these too
    assert sparsity(made.model) > 0.05
