"""One pass of the ADM network in PyTorch, as a process that is told when to run.

The network and its pass are written plainly from the published description (arXiv 2105.05233,
2206.00364): row-major weights, GroupNorm, SiLU, softmax attention as two einsums, channels of
query, key and value taking turns. Weights are random; only the time counts.

Arguments: RESOLUTION (64 or 256), BATCH, THREADS, then any of

  float32        computes in float32 instead of under torch.autocast("cpu", torch.bfloat16)
  channels_last  keeps images and weights in channels-last order
  fused          attends with scaled_dot_product_attention

Prints a line that says what runs it. For each line on standard input, runs a pass and prints its
seconds and those of the processor. AutocastBenchmark starts this program and takes turns with it.
"""

import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

SHAPES = {
    64: dict(channels=192, mult=(1, 2, 3, 4), blocks=3, attention=(32, 16, 8), labels=1000),
    256: dict(channels=256, mult=(1, 1, 2, 2, 4, 4), blocks=2, attention=(32, 16, 8), labels=0),
}
FLAGS = set(sys.argv[4:])


class Norm(nn.GroupNorm):
    def __init__(self, channels):
        super().__init__(min(32, channels // 4), channels, eps=1e-5)

    def forward(self, x):
        return F.group_norm(
            x, self.num_groups, self.weight.to(x.dtype), self.bias.to(x.dtype), self.eps)


class Conv(nn.Module):
    """Resamples with a [1, 1] filter, convolves, then adds the bias, as the official code does."""

    def __init__(self, inputs, outputs, kernel, resample=None):
        super().__init__()
        self.kernel, self.resample, self.inputs = kernel, resample, inputs
        if kernel:
            scale = 1 / math.sqrt(inputs * kernel * kernel)
            self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel) * scale)
            self.bias = nn.Parameter(torch.randn(outputs) * 0.1)
        if resample:
            self.register_buffer("filter", torch.full((1, 1, 2, 2), 0.25))

    def forward(self, x):
        if self.resample:
            f = self.filter.to(x.dtype)
        if self.resample == "up":
            x = F.conv_transpose2d(
                x, f.mul(4).tile([self.inputs, 1, 1, 1]), groups=self.inputs, stride=2)
        if self.resample == "down":
            x = F.conv2d(x, f.tile([self.inputs, 1, 1, 1]), groups=self.inputs, stride=2)
        if self.kernel:
            x = F.conv2d(x, self.weight.to(x.dtype), padding=self.kernel // 2)
            x = x.add_(self.bias.to(x.dtype).reshape(1, -1, 1, 1))
        return x


class Block(nn.Module):
    def __init__(self, inputs, outputs, emb, resample=None, attention=False):
        super().__init__()
        self.heads = outputs // 64 if attention else 0
        self.norm0 = Norm(inputs)
        self.conv0 = Conv(inputs, outputs, 3, resample)
        self.affine = nn.Linear(emb, 2 * outputs)
        self.norm1 = Norm(outputs)
        self.conv1 = Conv(outputs, outputs, 3)
        self.skip = None
        if inputs != outputs or resample:
            self.skip = Conv(inputs, outputs, 1 if inputs != outputs else 0, resample)
        if self.heads:
            self.norm2 = Norm(outputs)
            self.qkv = Conv(outputs, 3 * outputs, 1)
            self.proj = Conv(outputs, outputs, 1)

    def forward(self, x, emb):
        orig = x
        x = self.conv0(F.silu(self.norm0(x)))
        scale, shift = self.affine(emb)[:, :, None, None].to(x.dtype).chunk(2, dim=1)
        x = F.silu(torch.addcmul(shift, self.norm1(x), scale + 1))
        x = self.conv1(x)
        x = x.add_(self.skip(orig) if self.skip else orig)
        if self.heads:
            x = self.proj(self.attend(x)).add_(x)
        return x

    def attend(self, x):
        n, c, h, w = x.shape
        qkv = self.qkv(self.norm2(x))
        q, k, v = qkv.reshape(n * self.heads, c // self.heads, 3, h * w).unbind(2)
        if "fused" in FLAGS:
            a = F.scaled_dot_product_attention(*(t.transpose(1, 2)[None] for t in (q, k, v)))
            return a[0].transpose(1, 2).reshape(n, c, h, w)
        scores = torch.einsum(
            "ncq,nck->nqk", q.to(torch.float32), (k / math.sqrt(k.shape[1])).to(torch.float32))
        weights = scores.softmax(dim=2).to(q.dtype)
        return torch.einsum("nqk,nck->ncq", weights, v).reshape(n, c, h, w)


class Adm(nn.Module):
    def __init__(self, resolution):
        super().__init__()
        s = SHAPES[resolution]
        c, emb, last = s["channels"], 4 * s["channels"], len(s["mult"]) - 1
        self.c, self.labels = c, s["labels"]
        self.map0, self.map1 = nn.Linear(c, emb), nn.Linear(emb, emb)
        self.label = nn.Linear(s["labels"], emb, bias=False) if s["labels"] else None
        width = c * s["mult"][0]
        self.entry = Conv(3, width, 3)
        self.encoder, self.decoder, skips = nn.ModuleList(), nn.ModuleList(), [width]
        for level, m in enumerate(s["mult"]):
            attends = (resolution >> level) in s["attention"]
            if level:
                self.encoder.append(Block(width, width, emb, "down"))
                skips.append(width)
            for _ in range(s["blocks"]):
                self.encoder.append(Block(width, c * m, emb, None, attends))
                width = c * m
                skips.append(width)
        self.joins = []
        for level in reversed(range(last + 1)):
            attends = (resolution >> level) in s["attention"]
            if level == last:
                self.decoder.append(Block(width, width, emb, None, True))
                self.decoder.append(Block(width, width, emb))
                self.joins += [False, False]
            else:
                self.decoder.append(Block(width, width, emb, "up"))
                self.joins.append(False)
            for _ in range(s["blocks"] + 1):
                out = c * s["mult"][level]
                self.decoder.append(Block(width + skips.pop(), out, emb, None, attends))
                self.joins.append(True)
                width = out
        self.norm = Norm(width)
        self.exit = Conv(width, 3, 3)

    def forward(self, x, noise):
        half = self.c // 2
        freqs = (1 / 10000) ** (torch.arange(half, dtype=torch.float32) / half)
        angles = noise.ger(freqs)
        emb = self.map1(F.silu(self.map0(torch.cat([angles.cos(), angles.sin()], 1))))
        if self.label:
            emb = emb + self.label(torch.zeros(1, self.labels))
        emb = F.silu(emb)
        x = self.entry(x)
        skips = [x]
        for block in self.encoder:
            x = block(x, emb)
            skips.append(x)
        for block, joins in zip(self.decoder, self.joins):
            x = block(torch.cat([x, skips.pop()], 1) if joins else x, emb)
        return self.exit(F.silu(self.norm(x)))


@torch.no_grad()
def main():
    resolution, batch, threads = (int(a) for a in sys.argv[1:4])
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    net = Adm(resolution).eval()
    x = torch.randn(batch, 3, resolution, resolution)
    if "channels_last" in FLAGS:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    noise = torch.full([batch], 0.2)

    def run():
        with torch.autocast("cpu", torch.bfloat16, enabled="float32" not in FLAGS):
            return net(x, noise)

    assert run().isfinite().all()
    what = " ".join(["float32" if "float32" in FLAGS else "autocast bf16"]
                    + sorted(FLAGS - {"float32"}))
    print(f"PyTorch {torch.__version__}, {what}, {torch.backends.cpu.get_cpu_capability()}, "
          f"{torch.get_num_threads()} threads", flush=True)
    for _ in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        run()
        print(time.perf_counter() - wall, time.process_time() - processor, flush=True)


main()
