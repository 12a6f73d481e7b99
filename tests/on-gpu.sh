#!/usr/bin/env bash
# The whole program on a machine with an NVIDIA GPU, beside nvidia-smi, PyTorch and
# a bare C program: tests/on-gpu.sh [BINARY], with results under $OUT.
#
# This script has never run on hardware: it was written where there is no GPU.
#
# It needs only the binary (release build, made elsewhere), bash and coreutils. What
# is missing beside them (python3 with torch, a C compiler) is left out and said so in
# $OUT/summary.txt. It takes under ten minutes, changes no setting of the GPU, and goes
# on after a failure, because every result is worth having.
set -uo pipefail
cd "$(dirname "$0")/.."

binary=$(realpath "${1:-target/release/gpu-preflight}")
out=${OUT:-on-gpu-results}
mkdir -p "$out"
out=$(realpath "$out")
summary=$out/summary.txt
: >"$summary"

say() { printf '%s\n' "$*" | tee -a "$summary"; }

# Runs a command with at most $2 seconds into $out/$1; the summary gets its exit code and wall time.
record() {
    local name=$1 limit=$2 begun ended code
    shift 2
    begun=$(date +%s%N)
    timeout --kill-after=5 "$limit" "$@" >"$out/$name" 2>"$out/$name.err"
    code=$?
    ended=$(date +%s%N)
    [ -s "$out/$name.err" ] || rm -f "$out/$name.err"
    say "$(printf '%-28s exit %3d %9.1f ms' "$name" $code "$(awk "BEGIN { print ($ended - $begun) / 1e6 }")")"
    return $code
}

[ -x "$binary" ] || { say "no binary at $binary"; exit 1; }
export NO_COLOR=1

say "== machine"
record machine.txt 10 sh -c 'uname -a; cat /etc/os-release; nproc; cat /proc/driver/nvidia/version; ls -l /dev/nvidia*; getconf GNU_LIBC_VERSION'
record nvidia-smi.txt 30 nvidia-smi
record nvidia-smi-q.txt 60 nvidia-smi -q

say "== gpu-preflight"
record version.txt 5 "$binary" --version
record facts.json 60 "$binary" facts
record check.txt 60 "$binary" check --verbose
record check.json 60 "$binary" check --format json
record judge.txt 10 "$binary" judge "$out/facts.json" --verbose
for profile in training notebook image; do record "check-$profile.txt" 60 "$binary" check --profile "$profile"; done
for run in 1 2 3 4 5; do record "timing-check-$run.txt" 60 "$binary" check; done
record timing-no-gpu.txt 60 "$binary" check --no-gpu
record exec.txt 60 "$binary" exec --mode report -- sh -c 'cat /proc/self/status; ls -l /proc/self/fd; grep -c cuda /proc/self/maps; exit 42'
grep -q 'exec.txt .*exit  42' "$summary" || say "exec: the workload's exit code was lost"

say "== what is left on the GPU afterwards"
record left-over.txt 30 nvidia-smi --query-compute-apps=pid,name,used_memory --format=csv

say "== the same with something wrong"
record wrong-hidden.txt 60 env CUDA_VISIBLE_DEVICES= "$binary" check
record wrong-number.txt 60 env CUDA_VISIBLE_DEVICES=99 "$binary" check
record wrong-short.txt 60 "$binary" check --deadline 0.3
if command -v setpriv >/dev/null && [ "$(id -u)" = 0 ]; then
    record wrong-user.txt 60 setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all \
        "$binary" check
fi

# Where our own libraries came from, so that the C program loads the same files.
winner() {
    python3 - "$out/facts.json" "$1" <<'PYTHON' 2>/dev/null
import json, sys
for library in json.load(open(sys.argv[1]))["libraries"]:
    if library["id"] == sys.argv[2] and library["chosen"] and isinstance(library["winner"], str):
        print(library["winner"])
        break
PYTHON
}

say "== the bare C program"
compiler=$(command -v cc || command -v gcc || command -v clang || true)
if [ -z "$compiler" ]; then
    say "SKIPPED: no C compiler"
elif record bare-build.txt 60 "$compiler" -O2 -o "$out/bare" tests/bench/bare.c -ldl; then
    cudart=$(winner libcudart) cublas=$(winner libcublas)
    for run in 1 2 3 4 5; do
        record "timing-bare-$run.txt" 60 "$out/bare" "${cudart:-libcudart.so.12}" "${cublas:-libcublas.so.12}"
    done
    rm -f "$out/bare"
fi

say "== PyTorch"
if timeout 120 python3 -c 'import torch' 2>/dev/null; then
    record torch.txt 180 python3 tests/bench/torch_rates.py "$out/facts.json"
else
    say "SKIPPED: python3 has no torch"
fi

say "== medians"
median() { awk -v name="timing-$1-" 'index($1, name) == 1 { print $4 }' "$summary" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
check=$(median check) bare=$(median bare)
say "check ${check:-?} ms, bare program ${bare:-not run} ms"
[ -z "$bare" ] || say "$(awk "BEGIN { printf \"check takes %.2f times the bare program (promised: at most 1.5)\", $check / $bare }")"
