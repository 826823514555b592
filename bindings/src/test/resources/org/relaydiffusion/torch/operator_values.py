"""Computes operators with PyTorch, for OperatorValuesTest: python3 operator_values.py > operator_values.txt

Each line is "name; operand; operand; ... => result; ...", where a tensor is "dtype [sizes] elements"
with floating-point numbers in hexadecimal. Made with PyTorch 2.14.1 on a CPU.
"""
import torch
import torch.nn.functional as F

f64, f32, i64 = torch.float64, torch.float32, torch.int64


def text(t):
    t = t.detach()
    items = t.flatten().tolist()
    if t.dtype == torch.bool:
        items = [int(v) for v in items]
    elements = [v.hex() if t.dtype.is_floating_point else str(v) for v in items]
    return f"{str(t.dtype)[6:]} {str(list(t.shape)).replace(' ', '')} {','.join(elements)}".strip()


def case(name, function, *operands):
    results = function(*operands)
    results = results if isinstance(results, tuple) else (results,)
    print("; ".join([name] + [text(t) for t in operands]) + " => " + "; ".join(map(text, results)))


g = torch.Generator().manual_seed(3)


def n(*shape, dtype=f64):
    return torch.randn(*shape, generator=g, dtype=f64).to(dtype)


x = n(3, 5) * 2
for name in ["relu", "tanh", "erf", "floor", "ceil", "round", "sign", "expm1"]:
    case(name, getattr(torch, name), x)
case("round", torch.round, torch.tensor([0.5, 1.5, -0.5, 2.5, -1.5], dtype=f64))
case("gelu", F.gelu, x)
case("log1p", torch.log1p, x.abs())
case("rsqrt", torch.rsqrt, x.abs())
odd = torch.tensor([0.0, torch.nan, -1.0, torch.inf], dtype=f64)
case("isNan", torch.isnan, odd)
case("logicalNot", torch.logical_not, odd)
for name in ["ne", "le", "ge", "logical_and", "logical_or"]:
    case(name, getattr(torch, name), n(2, 3).round(), n(3).round())
case("sub number", lambda t: t - 0.3, x)
case("clamp", lambda t: t.clamp(-1.0, 0.5), x)
# Numbers of steps and exponents that LibTorch computes in ways of their own: to the bit.
many = n(37, dtype=f32).abs() + 0.01
for e in [0.5, 2.0, 3.0, -0.5, -1.0, -2.0, 0.0]:
    case(f"=pow {e}", lambda t: t ** e, many)
case("pow 1.7", lambda t: t ** 1.7, many.double())
for a, b, steps in [(0, 1, 11), (-3.5, 7.25, 100), (1, 1, 3), (2, 5, 1), (0, 1, 0), (5, -5, 33)]:
    case(f"=linspace {a} {b} {steps} float32", lambda: torch.linspace(a, b, steps, dtype=f32))
    case(f"=linspace {a} {b} {steps} float64", lambda: torch.linspace(a, b, steps, dtype=f64))
case("=linspace 0 10 5 int64", lambda: torch.linspace(0, 10, 5, dtype=i64))
case("=eye 3", lambda: torch.eye(3, dtype=f32))
for seed, count in [(0, 0), (0, 1), (7, 10), (123, 1000)]:
    case(
        f"=randperm {seed} {count}",
        lambda: torch.randperm(count, generator=torch.Generator().manual_seed(seed)),
    )

y = n(2, 3, 4)
case("sum", torch.sum, y)
case("sum", torch.sum, torch.tensor([1, 2, 200], dtype=torch.uint8))
case("mean", torch.mean, y)
case("argmax", torch.argmax, y)
case("argmax 1", lambda t: t.argmax(1), y)
case("argmax 1 keep", lambda t: t.argmax(1, keepdim=True), y)
case("any", torch.any, torch.tensor([False, True]))
case("any", torch.any, torch.tensor([False, False]))
for c in [0, 1]:
    case(f"var {c}", lambda t: t.var(correction=c), y)
    case(f"var {c} 0 2", lambda t: t.var((0, 2), correction=c), y)
    case(f"std {c} 1 keep", lambda t: t.std(1, correction=c, keepdim=True), y)
case("logsumexp 2", lambda t: t.logsumexp(2), y * 300)
case("cumsum 1", lambda t: t.cumsum(1), y)
case("cumsum 0", lambda t: t.cumsum(0), torch.tensor([100, 100, 100], dtype=torch.uint8))
for p in [2.0, 1.0, 0.0, 3.0, float("inf"), float("-inf")]:
    case(f"norm {p}", lambda t: torch.linalg.vector_norm(t, p), y)
    case(f"norm {p} 1", lambda t: torch.linalg.vector_norm(t, p, 1), y)
    case(f"norm {p} 0 2 keep", lambda t: torch.linalg.vector_norm(t, p, (0, 2), True), y)
    case(f"norm {p} 0 -1 1", lambda t: torch.linalg.vector_norm(t, p, (0, -1, 1)), y)
wide = n(2, 2, 3, 2)
case("norm 2.0 0 1 3 keep", lambda t: torch.linalg.vector_norm(t, 2, (0, 1, 3), True), wide)
case("norm 2.0 3 1 0", lambda t: torch.linalg.vector_norm(t, 2, (3, 1, 0)), wide)

case("topk 2 1", lambda t: tuple(t.topk(2, 1)), y)
case("topk 2 2 ascending", lambda t: tuple(t.topk(2, 2, largest=False)), y)
ties = torch.tensor([3.0, 1.0, torch.nan, 3.0, 1.0], dtype=f64)
case("sort 0", lambda t: tuple(t.sort(dim=0, stable=True)), ties)
case("sort 0 descending", lambda t: tuple(t.sort(dim=0, descending=True, stable=True)), ties)
case("max 1", lambda t: tuple(t.max(1)), y)
case("min 2 keep", lambda t: tuple(t.min(2, keepdim=True)), y)

case("logSoftmax 1", lambda t: t.log_softmax(1), y)
case("layerNorm", lambda t: F.layer_norm(t, (4,), eps=1e-5), y)
case("layerNorm", lambda t, w, b: F.layer_norm(t, (3, 4), w, b, 1e-5), y, n(3, 4), n(3, 4))
numbers = torch.tensor([[0, 4], [2, 2]])
case("embedding", lambda w, i: F.embedding(i, w), n(5, 3), numbers)
case("oneHot 5", lambda i: F.one_hot(i, 5), numbers)

case("squeeze 1", lambda t: t.squeeze(1), n(2, 1, 3))
case("squeeze 0", lambda t: t.squeeze(0), n(2, 1, 3))
case("flatten 1 2", lambda t: t.flatten(1, 2), n(2, 1, 3, 2))
index = torch.tensor([[0, 2, 1], [1, 1, 0]])
case("gather 1", lambda t, i: t.gather(1, i), n(2, 4), index)
case("scatter 1", lambda t, i, s: t.scatter(1, i, s), n(2, 4), torch.tensor([[0, 2], [3, 1]]), n(2, 2))
case("scatterAdd 1", lambda t, i, s: t.scatter_add(1, i, s), n(2, 4), index, n(2, 3))
mask = torch.tensor([[True, False, True], [False, False, True]])
case("maskedSelect", torch.masked_select, n(2, 3), mask)
case("maskedFill -1.5", lambda t, m: t.masked_fill(m, -1.5), n(2, 3), mask)
case("where", torch.where, mask, n(2, 3), n(3))
case("nonzero", torch.nonzero, mask.to(f64))
for d in [-1, 0, 1]:
    case(f"tril {d}", lambda t: t.tril(d), n(3, 4))
    case(f"triu {d}", lambda t: t.triu(d), n(3, 4))

z = n(4, 3, 5)
rows = torch.tensor([3, -1, 0])
case("index at", lambda t: t[1], z)
case("index at -1", lambda t: t[..., -1], z)
case("index range", lambda t: t[:, 1:3, ::2], z)
case("index new", lambda t: t[None, 2, :, None], z)
case("index rows", lambda t, i: t[i], z, rows)
case("index mask", lambda t: t[t > 0], z)
case("index first mask", lambda t, m: t[m, 1:], z, torch.tensor([True, False, False, True]))
case("index pair", lambda t, i, j: t[i, :, j], z, rows, torch.tensor([0, 4, 2]))
case("index middle", lambda t, i: t[1:, i, 0], z, torch.tensor([[0, 1], [2, 2]]))
case("index all", lambda t: t[...], z)


def put(t, v, *i):
    t = t.clone()
    t[i if len(i) != 1 else i[0]] = v
    return t


case("put at", lambda t, v: put(t, v, 1), z, n(5))
case("put range", lambda t, v: put(t, v, slice(None), 2), z, n(4, 5))
case("put rows", lambda t, v, i: put(t, v, i), z, n(3, 5), rows)
case("put mask", lambda t, v, m: put(t, v, m), z, torch.tensor(7.0, dtype=f32), z > 0)

logits = n(6, 4)
classes = torch.tensor([0, 3, -100, 1, 2, 2])
weight = torch.tensor([1.0, 0.5, 2.0, 0.25], dtype=f64)
case("crossEntropy", F.cross_entropy, logits, classes)
case("crossEntropy", F.cross_entropy, logits, n(6, 4).softmax(1))
case("crossEntropy", F.cross_entropy, n(2, 3, 2), torch.tensor([[0, 2], [1, 1]]))
case(
    "crossEntropy weighted",
    lambda a, t, w: F.cross_entropy(a, t, w, reduction="sum", label_smoothing=0.1),
    logits, classes, weight,
)
case("crossEntropy none", lambda a, t: F.cross_entropy(a, t, reduction="none"), logits, classes)
case("nll", F.nll_loss, logits.log_softmax(1), classes)
a, b = n(3, 4), n(3, 4)
for r in ["mean", "sum", "none"]:
    case(f"mse {r}", lambda s, t: F.mse_loss(s, t, reduction=r), a, b)
    case(f"l1 {r}", lambda s, t: F.l1_loss(s, t, reduction=r), a, b)
case("smoothL1 0.7", lambda s, t: F.smooth_l1_loss(s, t, beta=0.7), a, b)
case("binaryCrossEntropy", F.binary_cross_entropy_with_logits, a, b.sigmoid())
