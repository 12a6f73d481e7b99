"""Rates of PyTorch at the sizes and precisions of recordings, beside the rates in them: torch_rates.py FACTS.json...

Of each rate the best counts: ours over the recordings, PyTorch's over as many rounds; both are medians of one look.
PyTorch is timed as we are: events of the device, each multiply queued while the one before runs, as many warm-ups, other
operands where they would stay in a cache. Only the first GPU of the recordings. The lines are for tests/on-gpu.sh:

    ROW what size unit ours-best ours-lowest torch-best torch-lowest ratio PASS|MISSED|-
    SKIPPED what why
    PROMISE rates|copy PASS|MISSED|NOT-MEASURED words
"""

import json
import statistics
import sys
import warnings

import torch

warnings.filterwarnings("ignore")  # on flags that newer releases rename

# As src/probe/compute/timing.rs, gear.rs and copies.rs have them.
WARM_UP_MS, MEASURED_MS, BEYOND_CACHES, COPIES = 12, 24, 256 << 20, 5
PROMISED = {"rates": 0.98, "copy": 0.95}

PLAIN = {
    "float32": (torch.float32, False),
    "tf32": (torch.float32, True),
    "float16": (torch.float16, False),
    "bfloat16": (torch.bfloat16, False),
    "float64": (torch.float64, False),
}
COPY_RATES = {
    "copy-on-device": "device_gb_per_second",
    "pinned-to-device": "host_to_device_pinned_gb_per_second",
    "device-to-pinned": "device_to_host_pinned_gb_per_second",
}


def times_ms(count, work):
    """Device times of so many pieces of work."""
    events = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
    events[0].record()
    for index in range(count):
        work(index)
        events[index + 1].record()
    torch.cuda.synchronize()
    return [one.elapsed_time(other) for one, other in zip(events, events[1:])]


def multiply(precision, size):
    """What multiplies once, of one set of operands after the other."""
    if precision in PLAIN:
        dtype, tf32 = PLAIN[precision]
        torch.backends.cuda.matmul.allow_tf32 = tf32
        element_bytes = torch.empty((), dtype=dtype).element_size()
        count = sets(size, element_bytes, element_bytes)
        made = [[torch.randn(size, size, device="cuda").to(dtype) for _ in range(2)] for _ in range(count)]
        out = [torch.empty(size, size, device="cuda", dtype=dtype) for _ in range(count)]
        return lambda index: torch.mm(*made[index % count], out=out[index % count])
    count = sets(size, 1, 4)
    # The right operand is column-major, as the libraries want it.
    if precision == "int8":
        if not hasattr(torch, "_int_mm"):
            raise NotImplementedError("this torch has no torch._int_mm")
        random = lambda: torch.randint(-127, 128, (size, size), device="cuda", dtype=torch.int8)
        made = [(random(), random().t()) for _ in range(count)]
        return lambda index: torch._int_mm(*made[index % count])
    if precision == "float8":
        if not hasattr(torch, "_scaled_mm") or not hasattr(torch, "float8_e4m3fn"):
            raise NotImplementedError("this torch has no torch._scaled_mm")
        random = lambda: torch.randn(size, size, device="cuda").to(torch.float8_e4m3fn)
        made = [(random(), random().t()) for _ in range(count)]
        one = torch.ones((), device="cuda")
        scaled = dict(scale_a=one, scale_b=one, out_dtype=torch.float32)
        return lambda index: torch._scaled_mm(*made[index % count], **scaled)
    raise NotImplementedError(f"this script does not know {precision}")


def sets(size, operand_bytes, output_bytes):
    """As many sets of matrices as no cache holds."""
    return max(1, -(-BEYOND_CACHES // (size * size * (2 * operand_bytes + output_bytes))))


def rate(precision, size):
    """TFLOP/s, median."""
    work = multiply(precision, size)
    one_ms = max(min(times_ms(2, work)), 1e-6)
    times_ms(int(min(max(WARM_UP_MS / one_ms, 2), 40)), work)
    measured = times_ms(int(min(max(MEASURED_MS / one_ms, 5), 15)), work)
    return 2 * size**3 / statistics.median(measured) / 1e9


def copy_rate(what, size):
    """GB/s, median; on the device reads and writes count, as in ours."""
    make = lambda **where: torch.randint(0, 256, (size,), dtype=torch.uint8, device="cpu" if where else "cuda", **where)
    pinned = dict(pin_memory=True)
    target, source = {
        "copy-on-device": lambda: (make(), make()),
        "pinned-to-device": lambda: (make(), make(**pinned)),
        "device-to-pinned": lambda: (make(**pinned), make()),
    }[what]()
    measured = times_ms(COPIES + 1, lambda _: target.copy_(source, non_blocking=True))[1:]
    return size * (2 if what == "copy-on-device" else 1) / statistics.median(measured) / 1e6


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def ours(recordings):
    """(what, size, unit): our rates, one for each recording that has it."""
    found = {}
    gpu = None
    for compute in recordings:
        for one in compute["multiplies"] if isinstance(compute["multiplies"], list) else []:
            gpu = one["gpu"] if gpu is None else gpu
            if one["gpu"] == gpu and number(one["size"]) and number(one["tflops"]):
                found.setdefault((one["precision"], one["size"], "TFLOP/s"), []).append(one["tflops"])
        for one in compute["copies"] if isinstance(compute["copies"], list) else []:
            for what, field in COPY_RATES.items():
                size = one["device_bytes" if what == "copy-on-device" else "host_bytes"]
                if one["gpu"] == gpu and number(size) and number(one[field]):
                    found.setdefault((what, size, "GB/s"), []).append(one[field])
    return gpu, found


def main():
    recordings = [json.load(open(path))["compute"] for path in sys.argv[1:]]
    gpu, found = ours(recordings)
    if not found:
        sys.exit("the recordings have no rates")
    torch.cuda.set_device(gpu)
    print("torch", torch.__version__, "CUDA", torch.version.cuda, "GPU", gpu, torch.cuda.get_device_name(gpu))
    theirs, refused = {}, {}
    for _ in recordings:
        for what, size, unit in found:
            if (what, size) in refused:
                continue
            try:
                measured = rate(what, size) if unit == "TFLOP/s" else copy_rate(what, size)
                theirs.setdefault((what, size), []).append(measured)
            except (NotImplementedError, RuntimeError, TypeError, ValueError) as error:
                refused[what, size] = f"{type(error).__name__}: {error}".splitlines()[0]
            torch.cuda.empty_cache()
    ratios = {"rates": [], "copy": []}
    for (what, size, unit), rates in found.items():
        if (what, size) in refused:
            print("SKIPPED", what, refused[what, size])
            continue
        there = theirs[what, size]
        ratio = max(rates) / max(there)
        promise = "rates" if unit == "TFLOP/s" else "copy" if what == "copy-on-device" else None
        word = "-"
        if promise:
            ratios[promise].append((ratio, what))
            word = "PASS" if ratio >= PROMISED[promise] else "MISSED"
        print(
            f"ROW {what} {size} {unit} {max(rates):.1f} {min(rates):.1f} {max(there):.1f} {min(there):.1f} {ratio:.3f} {word}"
        )
    for promise, measured in ratios.items():
        if not measured:
            print("PROMISE", promise, "NOT-MEASURED")
            continue
        lowest, what = min(measured)
        word = "PASS" if lowest >= PROMISED[promise] else "MISSED"
        left_out = [what for what, _ in refused if (what in COPY_RATES) == (promise == "copy")]
        words = f", without {', '.join(left_out)}" if left_out else ""
        print(f"PROMISE {promise} {word} lowest {lowest:.3f} x torch, at {what}, of {len(measured)}{words}")


main()
