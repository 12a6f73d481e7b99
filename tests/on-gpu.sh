#!/usr/bin/env bash
# The whole program on a machine with an NVIDIA GPU, beside a bare C program, PyTorch and nvidia-smi:
# tests/on-gpu.sh [BINARY], with results under $OUT (default: on-gpu-results).
#
# It needs only the binary (release build, made elsewhere), bash and coreutils. What is missing beside them (nvidia-smi,
# a C compiler, $PYTHON with torch) is left out, aloud. It changes no setting of the GPU, and goes on after a failure,
# because every result is worth having.
#
# Every step has a limit, and no step goes on beyond 570 seconds after the start: with five seconds to kill the last one,
# the worst case is 575 seconds, unless the kernel keeps a process in state D, which nobody can kill. What no time was left
# for is named.
#
# $OUT/summary.txt is what was printed, $OUT/measurements.md the tables for docs/measurements.md. The last lines say
# PASS, MISSED or NOT MEASURED for each promise. The exit code is 0 unless the binary is missing.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

binary=$(realpath "${1:-target/release/gpu-preflight}")
out=${OUT:-on-gpu-results}
mkdir -p "$out"
out=$(realpath "$out")
summary=$out/summary.txt
python=${PYTHON:-python3}
: >"$summary"
# What an earlier run left there would count as of this one.
rm -f "$out"/{recording,soak,deep,torch,bare,check,quick}-*
export NO_COLOR=1

readonly total=570         # seconds for everything
readonly runs=5            # of what is compared by its wall time
readonly recordings=3      # of which the best rates count
readonly cold_runs=3       # of a Python that multiplies once
readonly card=driver,library,gpu,compute,memory,links # checks that a healthy card passes

say() { printf '%s\n' "$*" | tee -a "$summary"; }

# --- Time. Whole microseconds and thousandths: there may be no awk.

now_us() {
    local nanoseconds
    nanoseconds=$(date +%s%N)
    echo "${nanoseconds%???}"
}

ms() { printf '%d.%d ms' $(($1 / 1000)) $(($1 % 1000 / 100)); }

thousandths() { # of a decimal number
    local whole=${1%%.*} part=
    [[ $1 != *.* ]] || part=${1#*.}
    part=${part}000
    echo $((10#$whole * 1000 + 10#${part:0:3}))
}

decimal() { printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)); }

sorted() { printf '%s\n' "$@" | sort -n; }

median() { # of whole numbers
    local values
    mapfile -t values < <(sorted "$@")
    echo "${values[$((${#values[@]} / 2))]}"
}

lowest() { sorted "$@" | head -n 1; }
highest() { sorted "$@" | tail -n 1; }

limits=0 late=0
declare -A walls commands

# Runs a command with at most $2 seconds into $out/$1 and says its exit code and wall time, which stays in $wall.
record() {
    local name=$1 limit=$2 left=$((total - SECONDS)) begun code
    shift 2
    limits=$((limits + limit))
    if ((left < 1)); then
        say "$(printf '%-28s NOT RUN: no time left' "$name")"
        late=$((late + 1)) wall=0
        return 124
    fi
    begun=$(now_us)
    timeout --kill-after=5 $((limit < left ? limit : left)) "$@" >"$out/$name" 2>"$out/$name.err" </dev/null
    code=$?
    wall=$(($(now_us) - begun))
    [ -s "$out/$name.err" ] || rm -f "$out/$name.err"
    say "$(printf '%-28s exit %3d %12s' "$name" $code "$(ms $wall)")"
    return $code
}

# A command as one would type it, without the folders of this run.
quoted() {
    local word words=
    for word; do
        word=${word/#"$out/"/} word=${word/#"$binary"/gpu-preflight}
        [[ $word != *\ * ]] || word="'$word'"
        words="$words $word"
    done
    echo "${words# }"
}

# The same, and keeps the wall time under the name before the first dash, unless the exit code is above $1.
timed() {
    local most=$1 name=$2 code
    shift # leaves what record takes
    commands[${name%%-*}]=$(quoted "${@:3}")
    record "$@"
    code=$?
    if ((code <= most)); then
        walls[${name%%-*}]="${walls[${name%%-*}]-} $wall"
    else
        say "  not counted: exit code $code"
    fi
    return $code
}

# --- What recordings and reports say. They are laid out with one key a line, two spaces a level.

# GPU WHAT SIZE UNIT RATE PROOF of every rate in a recording.
rates() {
    local line key value section='' part=''
    local -A of=()
    while IFS= read -r line; do
        case $line in
            '  "compute": {') section=compute ;;
            '  }'*) section= ;;
            '    "multiplies": ['*) part=multiplies of=() ;;
            '    "copies": ['*) part=copies of=() ;;
            '    ]'*) part= ;;
            '      }'*)
                [[ $section ]] || continue
                if [[ $part = multiplies && ${of[tflops]-} ]]; then
                    echo "${of[gpu]} ${of[precision]} ${of[size]:-0} TFLOP/s ${of[tflops]} ${of[proof]-}"
                elif [[ $part = copies ]]; then
                    [[ ! ${of[device_gb_per_second]-} ]] ||
                        echo "${of[gpu]} copy-on-device ${of[device_bytes]:-0} GB/s ${of[device_gb_per_second]} ${of[proof]-}"
                    [[ ! ${of[host_to_device_pinned_gb_per_second]-} ]] ||
                        echo "${of[gpu]} pinned-to-device ${of[host_bytes]:-0} GB/s ${of[host_to_device_pinned_gb_per_second]} ${of[proof]-}"
                    [[ ! ${of[device_to_host_pinned_gb_per_second]-} ]] ||
                        echo "${of[gpu]} device-to-pinned ${of[host_bytes]:-0} GB/s ${of[device_to_host_pinned_gb_per_second]} ${of[proof]-}"
                fi
                of=()
                ;;
            '        "'*)
                [[ $section && $part && $line =~ ^\ {8}\"([a-z_]+)\":\ \"?([^\",]*)\"?,?$ ]] || continue
                key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
                [[ $value = null || $value = '{' ]] || of[$key]=$value
                ;;
        esac
    done <"$1"
}

# Path or version of the chosen library of this name: library RECORDING ID winner|version.
library() {
    local line section='' id='' chosen='' found=''
    while IFS= read -r line; do
        case $line in
            '  "libraries": ['*) section=libraries ;;
            '  ]'*) section= ;;
            '    {') id='' chosen='' found='' ;;
            '      "id": '*) [[ ! $section ]] || { id=${line#*: \"} id=${id%\"*}; } ;;
            '      "chosen": true,') chosen=1 ;;
            "      \"$3\": \""*) found=${line#*: \"} found=${found%\"*} ;;
            '    }'*) [[ ! $section || $id != "$2" || ! $chosen || ! $found ]] || { echo "$found"; return; } ;;
        esac
    done <"$1"
}

# A text directly inside a section: told RECORDING SECTION KEY.
told() {
    local line section=''
    while IFS= read -r line; do
        case $line in
            "  \"$2\": {") section=1 ;;
            '  }'*) section= ;;
            "    \"$3\": \""*) [[ ! $section ]] || { line=${line#*: \"}; echo "${line%\"*}"; return; } ;;
        esac
    done <"$1"
}

# CHECK OUTCOME of each finding of a report that fails or is not known.
findings() {
    local line check=''
    while IFS= read -r line; do
        case $line in
            '      "check": "'*) check=${line#*: \"} check=${check%\"*} ;;
            '      "outcome": "fails"'* | '      "outcome": "unknown"'*) line=${line#*: \"}; echo "$check ${line%\"*}" ;;
        esac
    done <"$1"
}

[ -x "$binary" ] || { say "no binary at $binary"; exit 1; }

say "== machine"
record machine.txt 10 sh -c 'uname -srm; cat /etc/os-release; nproc; cat /proc/driver/nvidia/version; ls -l /dev/nvidia*; getconf GNU_LIBC_VERSION'
if command -v nvidia-smi >/dev/null; then
    record nvidia-smi.txt 15 nvidia-smi
    record nvidia-smi-q.txt 20 nvidia-smi -q
else
    say "SKIPPED: no nvidia-smi"
fi
record version.txt 5 "$binary" --version

say "== wall time: check, the tier quick and the bare C program in turn"
record recording-1.json 15 "$binary" facts
first=$out/recording-1.json
mapfile -t first_rates < <(rates "$first")
sizes=()
for line in "${first_rates[@]}"; do
    read -r gpu what size unit _ <<<"$line"
    [[ $gpu != 0 || $unit != TFLOP/s ]] || sizes+=("$what=$size")
done
cudart=$(library "$first" libcudart winner) cublas=$(library "$first" libcublas winner)
compiler=$(command -v cc || command -v gcc || command -v clang || true)
bare=
if [ -z "$compiler" ]; then
    say "SKIPPED: the bare program: no C compiler"
elif [ ${#sizes[@]} = 0 ]; then
    say "SKIPPED: the bare program: nothing was multiplied on GPU 0"
elif record bare-build.txt 20 "$compiler" -O2 -o "$out/bare" tests/bench/bare.c -ldl; then
    bare=$out/bare
fi
# Once before, so that all of them find the files of the libraries in memory.
[ -z "$bare" ] || record warm-up-bare.txt 15 "$bare" "${cudart:-libcudart.so.12}" "${cublas:-libcublas.so.12}" "${sizes[@]}"
for ((run = 1; run <= runs; run++)); do
    timed 2 "check-$run.txt" 15 "$binary" check
    timed 2 "quick-$run.txt" 5 "$binary" check --tier quick
    [ -z "$bare" ] ||
        timed 0 "bare-$run.txt" 15 "$bare" "${cudart:-libcudart.so.12}" "${cublas:-libcublas.so.12}" "${sizes[@]}"
done
rm -f "$out/bare"

say "== PyTorch"
for ((run = 2; run <= recordings; run++)); do record "recording-$run.json" 15 "$binary" facts; done
if record torch-import.txt 45 "$python" -c 'import torch; print(torch.__version__, torch.version.cuda, torch.__file__)'; then
    record torch-rates.txt 75 "$python" tests/bench/torch_rates.py "$out"/recording-?.json || say "SKIPPED: PyTorch's rates"
    for ((run = 1; run <= cold_runs; run++)); do
        timed 0 "torch-cold-$run.txt" 25 \
            "$python" -c 'import torch; a = torch.ones(1024, 1024, device="cuda"); print(torch.mm(a, a).sum().item())'
    done
    while read -r line; do [[ $line != SKIPPED* ]] || say "$line"; done < <(cat "$out/torch-rates.txt" 2>/dev/null)
else
    say "SKIPPED: PyTorch: $python has no torch, or no time was left"
fi

say "== the deep tiers"
timed 0 soak-1.json 70 "$binary" facts --tier soak --for 30s
timed 0 deep-1.json 100 "$binary" facts --tier deep

say "== findings about the card"
judged=()
for recording in "$out"/recording-?.json "$out/soak-1.json" "$out/deep-1.json"; do
    name=$(basename "$recording" .json)
    [ -s "$recording" ] || continue
    record "$name-judged.txt" 5 "$binary" judge "$recording" --verbose
    record "$name-findings.json" 5 "$binary" judge "$recording" --only "$card" --format json
    [ ! -s "$out/$name-findings.json" ] || judged+=("$out/$name-findings.json")
done
mapfile -t card_findings < <(for report in "${judged[@]}"; do findings "$report"; done | sort | uniq -c)
for line in "${card_findings[@]}"; do say "  $line"; done

say "== the rest"
record check.json 15 "$binary" check --format json
for profile in serving training notebook image; do record "check-$profile.txt" 15 "$binary" check --profile "$profile"; done
record no-gpu.txt 15 "$binary" check --no-gpu
record exec.txt 15 "$binary" exec --mode report -- sh -c 'cat /proc/self/status; ls -l /proc/self/fd; grep -c cuda /proc/self/maps; exit 42'
code=$?
((code == 42 || code == 124)) || say "exec: the workload's exit code was lost"

say "== the same with something wrong"
record wrong-hidden.txt 15 env CUDA_VISIBLE_DEVICES= "$binary" check
record wrong-number.txt 15 env CUDA_VISIBLE_DEVICES=99 "$binary" check
record wrong-short.txt 5 "$binary" check --deadline 0.3
if command -v setpriv >/dev/null && [ "$(id -u)" = 0 ]; then
    record wrong-user.txt 15 setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all "$binary" check
fi

if command -v nvidia-smi >/dev/null; then
    say "== what is left on the GPU afterwards"
    record left-over.txt 15 nvidia-smi --query-compute-apps=pid,name,used_memory --format=csv
fi

# --- Tables

# Our rates of GPU 0 over all recordings, in thousandths: best_of[WHAT SIZE UNIT] is a list.
declare -A rate_of
order=() unproven=0
for recording in "$out"/recording-?.json; do
    while read -r gpu what size unit rate proof; do
        [[ $proof = exact ]] || unproven=$((unproven + 1))
        [[ $gpu = 0 ]] || continue
        key="$what $size $unit"
        [[ ${rate_of[$key]-} ]] || order+=("$key")
        rate_of[$key]="${rate_of[$key]-} $(thousandths "$rate")"
    done < <(rates "$recording")
done

# Row of a wall time: wall WHAT.
wall() {
    local -a of
    read -r -a of <<<"${walls[$1]-}"
    [ ${#of[@]} -gt 0 ] || { printf '| %s | | 0 | not measured | | |\n' "$1"; return; }
    local middle low high command=${commands[$1]}
    middle=$(median "${of[@]}") low=$(lowest "${of[@]}") high=$(highest "${of[@]}")
    # shellcheck disable=SC2016 # the backticks are Markdown
    printf '| %s | `%s` | %d | %s | %s to %s | %d %% |\n' "$1" "$command" ${#of[@]} \
        "$(ms "$middle")" "$(ms "$low")" "$(ms "$high")" $(((high - low) * 100 / (middle > 0 ? middle : 1)))
}

# Row of a rate, beside what PyTorch reached: rate "WHAT SIZE UNIT".
rate() {
    local -a of
    local what size unit low high word torch='not measured' ratio='' torch_low=''
    read -r what size unit <<<"$1"
    read -r -a of <<<"${rate_of[$1]}"
    low=$(lowest "${of[@]}") high=$(highest "${of[@]}")
    while read -r word name rows _ _ _ best worst share _; do
        [[ $word != ROW || $name != "$what" || $rows != "$size" ]] || torch=$best torch_low=$worst ratio=$share
    done < <(cat "$out/torch-rates.txt" 2>/dev/null)
    printf '| %s | %s | %s | %d | %s | %s | %s | %s | %s |\n' "$what" "$size" "$unit" ${#of[@]} \
        "$(decimal "$high")" "$(decimal "$low")" "$torch" "$torch_low" "$ratio"
}

{
    version=$(head -n 1 "$out/version.txt")
    # shellcheck disable=SC1091 # of the machine that it runs on
    system=$(. /etc/os-release 2>/dev/null && echo "${PRETTY_NAME-}")
    names=$(while IFS= read -r line; do
        [[ ! $line =~ ^\ {8}\"gpu_name\":\ \"(.*)\" ]] || echo "${BASH_REMATCH[1]}"
    done <"$first" | sort -u | paste -s -d , -)
    # shellcheck disable=SC2016
    printf 'Command: `tests/on-gpu.sh`, %s, taken %s.\n\n' "$version" "$(date -u +%Y-%m-%d)"
    printf -- '- Machine: %s CPUs, %s, kernel %s.\n' "$(nproc)" "${system:-unknown system}" "$(uname -r)"
    printf -- '- GPU: %s; driver %s, which supports CUDA %s.\n' "${names:-none}" "$(told "$first" nvml driver_version)" \
        "$(told "$first" cuda version)"
    printf -- '- Libraries: libcudart %s, libcublas %s, libcublasLt %s; torch %s.\n' "$(library "$first" libcudart version)" \
        "$(library "$first" libcublas version)" "$(library "$first" libcublasLt version)" \
        "$(read -r words _ < <(head -n 1 "$out/torch-import.txt" 2>/dev/null); echo "${words:-not here}")"
    printf '\n| wall time of | command | runs | median | lowest to highest | spread |\n|---|---|---|---|---|---|\n'
    for what in check quick bare torch soak deep; do wall $what; done
    printf '\nGPU 0. Best and lowest are those of the runs, each of which is a median.\n'
    printf '\n| rate of | rows or bytes | unit | runs | best | lowest | PyTorch best | PyTorch lowest | ours / PyTorch |\n'
    printf '|---|---|---|---|---|---|---|---|---|\n'
    for key in "${order[@]}"; do rate "$key"; done
} >"$out/measurements.md"

# --- Promises

middle() { # of a wall time that was measured
    local -a of
    read -r -a of <<<"${walls[$1]-}"
    [ ${#of[@]} = 0 ] || median "${of[@]}"
}

promises=()
promise() { # PASS|MISSED|NOT MEASURED, PROMISE, WORDS
    promises+=("$(printf '%-12s  %s: %s' "$1" "$2" "$3")")
}

# A quotient of two wall times in thousandths against the most that is promised: quotient PROMISE ONE OTHER MOST WORDS.
quotient() {
    local one=$2 other=$3 share
    if [ -z "$one" ] || [ -z "$other" ] || [ "$other" = 0 ]; then
        promise "NOT MEASURED" "$1" "$5"
        return
    fi
    share=$((one * 1000 / other))
    # Against the exact product, for the quotient is cut off.
    promise "$( ((one * 1000 <= other * $4)) && echo PASS || echo MISSED)" "$1" \
        "$(ms "$one") / $(ms "$other") = $(decimal $share)"
}

check=$(middle check) quick=$(middle quick)
[ ${#order[@]} -gt 0 ] || check='' quick='' # without a GPU they are of something else
quotient "wall <= 1.25 x the bare program" "$check" "$(middle bare)" 1250 "no GPU, or the bare program did not run"
for what in rates copy; do
    words="rates >= 0.98 x PyTorch" answer="NOT MEASURED" why="no PyTorch that multiplies here"
    [ $what = rates ] || words="copy on the device >= 0.95 x PyTorch"
    while read -r word name verdict rest; do
        [[ $word != PROMISE || $name != "$what" ]] || answer=${verdict/-/ } why=${rest:-$why}
    done < <(cat "$out/torch-rates.txt" 2>/dev/null)
    promise "$answer" "$words" "$why"
done
if ((unproven > 0)); then
    promise MISSED "proven verdict <= 1/5 of a cold torch.mm" "$unproven products or copies were not proven exact"
else
    quotient "proven verdict <= 1/5 of a cold torch.mm" "$check" "$(middle torch)" 200 "no GPU, or no PyTorch that multiplies here"
fi
if [ ${#order[@]} = 0 ] || [ ${#judged[@]} = 0 ]; then
    promise "NOT MEASURED" "no finding on a healthy card" "nothing was multiplied"
elif [ ${#card_findings[@]} = 0 ]; then
    promise PASS "no finding on a healthy card" "none in ${#judged[@]} recordings"
else
    promise MISSED "no finding on a healthy card" "${#card_findings[@]} in ${#judged[@]} recordings, listed above; or the card is not healthy"
fi
if [ -z "$quick" ]; then
    promise "NOT MEASURED" "the tier quick < 0.3 s" "no GPU"
else
    promise "$( ((quick < 300000)) && echo PASS || echo MISSED)" "the tier quick < 0.3 s" "$(ms "$quick")"
fi

{
    printf '\n| promise | result |\n|---|---|\n'
    for line in "${promises[@]}"; do
        verdict=${line:0:12}
        printf '| %s | %s |\n' "${line:14}" "${verdict%"${verdict##*[! ]}"}"
    done
} >>"$out/measurements.md"

say "== the end: $SECONDS s taken of at most $total; the limits of all steps are $limits s; $late steps had no time left"
say "tables for docs/measurements.md: $out/measurements.md"
for line in "${promises[@]}"; do say "$line"; done
