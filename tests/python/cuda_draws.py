"""Prints the SHA-256 of PyTorch's own normal draws on a device, one line each: arguments DEVICE SEED.

GpuChecks compares them with the draws of the JVM on the same device.
"""

import hashlib
import sys

import torch

device, seed = torch.device(sys.argv[1]), int(sys.argv[2])
generator = torch.Generator(device=device).manual_seed(seed)
for dtype in (torch.float32, torch.float64):
    for shape in ([1, 3, 64, 64], [1, 3, 256, 256], [7], [1, 3, 512, 512]):
        for _ in range(2):
            drawn = torch.randn(shape, generator=generator, device=device, dtype=dtype)
            print(hashlib.sha256(drawn.cpu().numpy().tobytes()).hexdigest())
