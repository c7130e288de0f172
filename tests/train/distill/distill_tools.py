"""Small networks, real digits and training steps for the tests of the loss terms."""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits as load
from torch import nn
from torch.nn import functional

from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import (
    BinarizedConv2d,
    BinarizedLinear,
    BinarizedWeights,
    Sign,
    input_quantizer,
    set_form,
)
from xnorflow.train.distill.adversarial import AdversarialTerm
from xnorflow.train.distill.config import Adversarial
from xnorflow.train.distill.taps import Taps
from xnorflow.train.distill.term import StepView
from xnorflow.train.models.base import LogitScale, Network
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network


def settings(**changes):
    return NetworkSettings(**{"network": "TFC_1W1A", "hidden": (32, 32), "dropout": 0.0, **changes})


def perceptron(seed=0, form=Form.BINARY, **changes):
    torch.manual_seed(seed)
    return build_network(settings(**changes), (1, 8, 8), 10, form)


class TinyConvolution(Network):
    """Two 3x3 convolutions and a classifier for images of 8x8; taps of 6x6 and 4x4."""

    taps = ("layers.2", "layers.5")

    def __init__(self, **changes):
        super().__init__()
        chosen = settings(hidden=None, **changes)
        self.layers = nn.ModuleList([
            input_quantizer(8), BinarizedConv2d(1, 4, 3, chosen, reads_signs=False), nn.BatchNorm2d(4), Sign(chosen),
            BinarizedConv2d(4, 6, 3, chosen), nn.BatchNorm2d(6), Sign(chosen), nn.Flatten(),
            BinarizedLinear(96, 10, chosen, scaled=False), LogitScale(96),
        ])  # fmt: skip

    def forward(self, images):
        values = 2 * images - 1
        for layer in self.layers:
            values = layer(values)
        return values


def convolution(seed=0, form=Form.BINARY, **changes):
    torch.manual_seed(seed)
    network = TinyConvolution(**changes)
    set_form(network, form)
    return network


def load_digits(count):
    bunch = load()
    images = torch.from_numpy(bunch.images[:count]).float().unsqueeze(1) / 16
    return images, torch.from_numpy(bunch.target[:count]).long()


def train_teacher(network, images, labels, steps=60):
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    network.eval().requires_grad_(False)
    assert (network(images).argmax(1) == labels).float().mean() > 0.95


def look(student, images, labels, teacher=None, progress=0.0):
    """Run student and teacher as the loop does."""
    with Taps(student) as taps:
        logits = student(images)
    if teacher is None:
        return StepView(images, labels, logits, taps.features, progress)
    with torch.no_grad(), Taps(teacher) as teacher_taps:
        teacher_logits = teacher(images)
    return StepView(images, labels, logits, taps.features, progress, teacher_logits, teacher_taps.features)


def probe(student, images, labels, teacher=None):
    student.eval()
    with torch.no_grad():
        view = look(student, images[:2], labels[:2], teacher)
    student.train()
    return view


def attached(term, student, digits, teacher=None):
    term.attach(student, probe(student, *digits, teacher))
    return term


def optimizer_of(student, term, rate=0.01):
    return torch.optim.Adam([*student.parameters(), *term.parameters()], rate)


def run_steps(student, term, optimizer, digits, teacher=None, steps=range(40), total=40, after=True):
    """Take steps with ``term`` alone; returns its value in each."""
    losses = []
    for step in steps:
        term.before_forward(step / total)
        view = look(student, *digits, teacher, progress=step / total)
        loss = term(view)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if after:
            term.after_step(view)
        losses.append(loss.item())
    return losses


def states(student):
    """The set of what the layers do at present."""
    layers = [layer for layer in student.modules() if isinstance(layer, Sign | BinarizedWeights)]
    return {(layer.state.real_weights, layer.state.activation, layer.state.blend) for layer in layers}


def plain_view(logits=None, features=None, teacher_logits=None, teacher_features=None, labels=None, progress=0.5):
    """A view made by hand; features are lists."""
    frames = len(logits if logits is not None else features[0])
    logits = torch.zeros(frames, 3) if logits is None else logits
    return StepView(
        images=torch.zeros(frames, 1, 2, 2),
        labels=torch.zeros(frames, dtype=torch.int64) if labels is None else labels,
        logits=logits,
        features={f"s{index}": value for index, value in enumerate(features or [])},
        progress=progress,
        teacher_logits=logits.detach() if teacher_logits is None else teacher_logits,
        teacher_features={f"t{index}": value for index, value in enumerate(teacher_features or [])},
    )


def judge_in_process(rank, world, store, features, results):
    """Train discriminators for three steps on every ``world``-th frame; for processes started by spawn."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=world)
    try:
        torch.manual_seed(rank)  # only the first process's weights must count
        results[rank] = judge(features[0][rank::world], features[1][rank::world])
    finally:
        torch.distributed.destroy_process_group()


def judge(student, teacher, steps=3):
    """Return the state of discriminators after some steps on features of one tap."""
    view = plain_view(features=[student], teacher_features=[teacher])
    term = AdversarialTerm(Adversarial(hidden=4, learning_rate=0.01))
    term.attach(None, view)
    for _ in range(steps):
        term.after_step(view)
    return [weights.tolist() for weights in term.get_extra_state()["discriminators"][0].values()]
