"""Prints tensors with PyTorch, for TensorPrinterTest: python3 tensor_prints.py > tensor_prints.txt

Each case is a line "dtype sizes elements", where the elements are the bits of each in hexadecimal,
or "formula" for those of formula() below; then the printed lines, each behind a "|".
Made with PyTorch 2.14.1 on a CPU.
"""
import math
import random

import torch

BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
INTS = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]


def name(dtype):
    return str(dtype).removeprefix("torch.")


def show(line, tensor):
    print(line)
    for printed in repr(tensor).split("\n"):
        print("|" + printed)


def case(tensor, grad=False):
    size = tensor.element_size()
    bits = (tensor.to(torch.uint8) if tensor.dtype == torch.bool else tensor).contiguous()
    elements = [
        format(v & ((1 << 8 * size) - 1), "x") for v in bits.view(BITS[size]).flatten().tolist()
    ]
    line = f"{name(tensor.dtype)} {list(tensor.shape)} {','.join(elements)}".replace(", ", ",")
    show(line + (" grad" if grad else ""), tensor.requires_grad_(True) if grad else tensor)


def formula(dtype, *shape):
    """Element i is ((7919 i mod 10007) - 5003) / 64, converted."""
    n = math.prod(shape)
    values = ((torch.arange(n) * 7919) % 10007 - 5003).double() / 64
    tensor = values.to(dtype).reshape(shape)
    show(f"{name(dtype)} {list(shape)} formula".replace(", ", ","), tensor)


inf, nan = math.inf, math.nan
random.seed(1)

for dtype in FLOATS:
    for values in [
        3.5, 0.0, -0.0, 1.0, 1e-5, 12345.678, nan, inf, -inf, 100000000.0, 60000.0,
        [1.0, 2.0, 3.0], [1.5, -2.25, 1000.0], [1.0, nan, -3.0], [nan, inf], [inf, -inf, 0.0],
        [0.0, -0.0], [1e-3, 1.0], [1e-3, 1.001], [0.0001, 0.05], [0.00009, 0.01], [-0.00001, 0.0],
        [1e3, 1.0, 0.0], [1001.0, 1.0, inf], [1e-7, 1e7, nan, -1.0], [2.5e-5, 2.5e-5],
        [0.5, -0.00004, 0.00005, 0.00015, 0.03125], [1 / 3, 2 / 3, -1 / 7], [[1.0, -2.0], [3.0, 4.0]],
        [0.03125, 0.09375, 0.15625], [1.00005, 1.00015, 1.00025], [[[0.1]], [[0.2]]],
    ]:
        case(torch.tensor(values, dtype=torch.float64).to(dtype))
    case(torch.zeros(0, dtype=dtype))
    case(torch.zeros(0, 3, dtype=dtype))
    case(torch.zeros(2, 0, 1, dtype=dtype))

for dtype in INTS:
    info = torch.iinfo(dtype)
    for values in [0, 1, info.max, info.min, [0, 1, 2], [info.min, 0, info.max], [[1, 10], [100, 7]]]:
        case(torch.tensor(values, dtype=dtype))
    case(torch.zeros(0, dtype=dtype))
    case(torch.zeros(0, 3, dtype=dtype))

case(torch.tensor(True))
case(torch.tensor([True, False]))
case(torch.tensor([[False, False], [False, False]]))
case(torch.tensor([True, True]))
case(torch.zeros(0, dtype=torch.bool))

case(torch.tensor(1.5), grad=True)
case(torch.tensor([1.0, 2.0], dtype=torch.float64), grad=True)
case(torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0]]), grad=True)
case(torch.zeros(0, 2, dtype=torch.float16), grad=True)

# Suffixes near the end of a line; lines that break.
for n in range(1, 34):
    case(torch.arange(n).to(torch.int32))
    case((torch.arange(n) / 8).double(), grad=n % 2 == 0)
case(torch.arange(60).reshape(2, 30) * 1000)
case((torch.arange(96) / 7).float().reshape(2, 2, 2, 12))
case(torch.arange(16).reshape(2, 1, 2, 1, 2, 1, 2, 1, 1))

# More than 1000 elements, and just as many.
for shape in [
    (1000,), (1001,), (5000,), (7, 200), (6, 200), (200, 7), (200, 6), (2, 3, 400), (10, 10, 11),
    (1, 1, 7, 7, 30), (1001, 1), (1, 1001), (8, 1, 8, 1, 8, 8),
]:
    formula(torch.float32, *shape)
for dtype in FLOATS[1:] + [torch.int64, torch.int16]:
    formula(dtype, 3, 20, 20)
formula(torch.bool, 40, 40)

# Drawn: scales, whole numbers, zeros and what is not finite.
for _ in range(150):
    dtype = random.choice(FLOATS)
    shape = [random.choice([1, 2, 3, 5, 8]) for _ in range(random.choice([1, 1, 2, 2, 3]))]
    n = math.prod(shape)
    spread = random.choice([0, 1, 3, 6])
    center = random.choice([-5, -3, 0, 0, 2, 4])
    whole = random.random() < 0.2
    values = []
    for _ in range(n):
        v = random.gauss(0, 1) * 10 ** (center + random.uniform(-spread, spread) / 2)
        v = float(round(v)) if whole else v
        odd = random.random()
        values.append(0.0 if odd < 0.03 else nan if odd < 0.04 else inf if odd < 0.05 else v)
    case(torch.tensor(values, dtype=torch.float64).to(dtype).reshape(shape))
