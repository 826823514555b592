"""First values of modules and steps of optimizers under PyTorch, for the tests of nn and optim:
python3 training_bits.py > training_bits.txt

Each line is "name elements", the bits of float32 elements in hexadecimal. Made with PyTorch 2.14.1
on a CPU.
"""
import torch
from torch import nn


def show(name, *tensors):
    bits = [
        format(v & 0xFFFFFFFF, "x")
        for t in tensors
        for v in t.detach().contiguous().view(torch.int32).flatten().tolist()
    ]
    print(name, ",".join(bits))


torch.manual_seed(5)
network = nn.Sequential(
    nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(16, 6, bias=False),
    nn.LayerNorm(6),
    nn.Linear(6, 3),
)
for name, p in network.state_dict().items():
    show("network." + name, p)
torch.manual_seed(6)
show("embedding.weight", nn.Embedding(7, 3).weight)

COUNT = 19


def value(i):
    return (7 * i % 13 - 6) / 8.0 + 0.01 * i


def gradient(i, step):
    return ((5 * i + 3 * step) % 11 - 5) / 7.0 * 0.1 + 1e-6 * i


def steps(name, make, state):
    p = nn.Parameter(torch.tensor([value(i) for i in range(COUNT)]))
    optimizer = make([p])
    for step in range(5):
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * (step + 1)
        p.grad = torch.tensor([gradient(i, step) for i in range(COUNT)])
        optimizer.step()
    show(name, p)
    for key in state:
        show(f"{name}.{key}", optimizer.state[p][key])


sgd = torch.optim.SGD
steps("sgd", lambda p: sgd(p, lr=1), [])
steps("sgd decay", lambda p: sgd(p, lr=1, weight_decay=0.1), [])
steps("sgd momentum", lambda p: sgd(p, lr=1, momentum=0.9), ["momentum_buffer"])
steps(
    "sgd dampened",
    lambda p: sgd(p, lr=1, momentum=0.9, dampening=0.25, weight_decay=0.01),
    ["momentum_buffer"],
)
steps(
    "sgd nesterov",
    lambda p: sgd(p, lr=1, momentum=0.8, nesterov=True, weight_decay=0.01),
    ["momentum_buffer"],
)
steps("adamw", lambda p: torch.optim.AdamW(p, lr=1), ["exp_avg", "exp_avg_sq"])
steps(
    "adamw decay",
    lambda p: torch.optim.AdamW(p, lr=1, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.3),
    ["exp_avg", "exp_avg_sq"],
)
