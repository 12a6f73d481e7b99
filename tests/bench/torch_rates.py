"""Rates of torch.mm at the sizes and precisions of a recording, beside the rates in it: torch_rates.py FACTS.json"""

import json
import statistics
import sys

import torch

DTYPES = {
    "float32": (torch.float32, False),
    "tf32": (torch.float32, True),
    "float16": (torch.float16, False),
    "bfloat16": (torch.bfloat16, False),
}


def rate(gpu, size, dtype, tf32):
    """Median TFLOP/s of ten multiplies after three."""
    torch.backends.cuda.matmul.allow_tf32 = tf32
    with torch.cuda.device(gpu):
        a = torch.randn(size, size, device="cuda", dtype=torch.float32).to(dtype)
        b = torch.randn(size, size, device="cuda", dtype=torch.float32).to(dtype)
        out = torch.empty_like(a)
        for _ in range(3):
            torch.mm(a, b, out=out)
        times = []
        for _ in range(10):
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            torch.mm(a, b, out=out)
            end.record()
            end.synchronize()
            times.append(start.elapsed_time(end))
    return 2 * size**3 / statistics.median(times) / 1e9


print("torch", torch.__version__, "CUDA", torch.version.cuda)
multiplies = json.load(open(sys.argv[1]))["compute"]["multiplies"]
if not isinstance(multiplies, list):
    sys.exit(f"the recording has no multiplies: {multiplies}")
for multiply in multiplies:
    ours, size, precision = multiply["tflops"], multiply["size"], multiply["precision"]
    if not isinstance(size, int):
        continue
    theirs = rate(multiply["gpu"], size, *DTYPES[precision])
    ratio = f"{ours / theirs:.3f}" if isinstance(ours, (int, float)) else "-"
    print(f"GPU {multiply['gpu']} {precision:9} {size:6}  ours {ours}  torch {theirs:.1f} TFLOP/s  ours/torch {ratio}")
