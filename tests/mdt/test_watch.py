import json
import math

import pytest
import torch
from torch import nn

from mdt.models import build_model
from mdt.watch import NUM_LEVELS, Log, Window, by_level, duration, find_culprit, flops_per_picture


def test_the_loss_is_told_by_noise_level():
    window = Window()
    u, loss = torch.tensor([0.0, 0.1, 0.99, 1.0]), torch.tensor([1.0, 3.0, 5.0, 7.0])
    sums = torch.zeros(4, NUM_LEVELS, dtype=torch.float64)
    sums[:2] = by_level(u, loss)
    sums[2:] = by_level(u[:1], loss[:1])
    window.add(sums, 2.0)
    window.add(sums, 4.0)
    line = window.line(step=2, batch=4, lr=0.1)
    assert line["loss"] == 4.0
    assert line["masked_loss"] == 1.0
    assert line["loss_by_noise"] == [2.0, *[None] * 6, 6.0]
    assert (line["grad_norm"], line["pictures"]) == (3.0, 8)
    assert window.line(3, 4, 0.1)["loss"] is None  # begun anew


def test_a_window_survives_json_bit_for_bit():
    window = Window()
    window.add(torch.rand(4, NUM_LEVELS, dtype=torch.float64) / 3, 1 / 3)
    again = Window(json.loads(json.dumps(window.saved())))
    assert torch.equal(again.sums, window.sums)
    assert again.grad_norm == window.grad_norm


def test_a_log_is_cut_back_to_its_checkpoint(tmp_path):
    log = Log(tmp_path / "a" / "log.jsonl")
    log.write({"step": 1})
    length = log.num_bytes()
    log.write({"step": 2})
    again = Log(log.path, length)
    again.write({"step": 2, "again": True})
    rows = log.path.read_text().splitlines()
    assert [json.loads(row) for row in rows] == [{"step": 1}, {"step": 2, "again": True}]
    assert Log(tmp_path / "none.jsonl", 10).num_bytes() == 0


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)

    def forward(self, x):
        return self.b(self.a(x).exp())


def test_what_is_not_finite_is_named():
    model, x = Net(), torch.ones(1, 2)
    model(x).sum().backward()
    assert find_culprit(model, lambda: model(x)) == "the loss"
    model.b.bias.grad[0] = math.nan
    assert find_culprit(model, lambda: model(x)) == "the gradient of b.bias"
    with torch.no_grad():
        model.a.bias.fill_(1000)
    assert find_culprit(model, lambda: model(x)) == "the output of b"
    with torch.no_grad():
        model.a.weight[0, 0] = math.inf
    assert find_culprit(model, lambda: model(x)) == "the weights a.weight"
    assert not model.a._forward_hooks


def test_operations_of_a_step():
    model = nn.Linear(10, 20)
    x = torch.ones(4, 10)
    assert flops_per_picture(model, x, [lambda: model(x)] * 2) == 2 * 3 * 2 * 10 * 20
    network = build_model("dit_s8", input_size=16, in_channels=3, num_classes=None).train()
    x, t = torch.zeros(1, 3, 16, 16), torch.zeros(1)
    count = flops_per_picture(network, x, [lambda: network(x, t)])
    assert count > 3 * 2 * 4 * 12 * 384 * 384 * 4
    assert network.training


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "0:05"), (65, "1:05"), (3723, "1:02:03"), (math.inf, "?")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words
