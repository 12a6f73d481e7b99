"""Prints what tests/bench/run measured: table.py RESULTS BINARY."""

import json
import os
import pathlib
import sys

results, binary = pathlib.Path(sys.argv[1]), sys.argv[2]

# What was promised: milliseconds, MiB.
PROMISED = {
    "check": (25, 24),
    "judge": (15, None),
    "check-many": (100, None),
    "check-many-user": (100, None),
}

measured = {}
for path in sorted(results.glob("*.json")):
    if path.stem == "facts":
        continue
    run = json.loads(path.read_text())["results"][0]
    memory = [int(line) / 1024 for line in path.with_suffix(".kib").read_text().split() if line.isdigit()]
    measured[path.stem] = (run["median"] * 1e3, run["min"] * 1e3, run["max"] * 1e3, max(memory, default=0))

own = measured.get("check")
print(f"{'':20} {'median':>9} {'min':>9} {'max':>9} {'memory':>9}  {'of check':>9}  promised")
for name, (median, low, high, memory) in measured.items():
    wall, peak = PROMISED.get(name, (None, None))
    promise = ", ".join(
        f"{'kept' if value <= limit else 'BROKEN'} (≤ {limit} {unit})"
        for value, limit, unit in ((median, wall, "ms"), (memory, peak, "MiB"))
        if limit
    )
    ratio = f"{median / own[0]:8.1f} ×" if own else ""
    print(f"{name:20} {median:6.1f} ms {low:6.1f} ms {high:6.1f} ms {memory:5.1f} MiB {ratio:>10}  {promise}")

size = os.path.getsize(binary) / 2**20
print(f"{'release binary':20} {size:6.2f} MiB {'':41}  {'kept' if size <= 8 else 'BROKEN'} (≤ 8 MiB)")
for peer in ("all-smi-doctor", "torch-collect-env"):
    if own and peer in measured:
        print(f"{peer} takes {measured[peer][0] / own[0]:.1f} × the time and {measured[peer][3] / own[3]:.1f} × the memory of check")
