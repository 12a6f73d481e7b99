/* The bare minimum that gpu-preflight is compared with: the same libraries, a context, a cuBLAS handle, the same
 * multiplies in the same precisions, warmed up and timed as often, and the copy on the device; without proof, children
 * or report. GPU 0 only. Prints the rates and the wall time of each step.
 *
 *   cc -O2 -o bare tests/bench/bare.c -ldl
 *   ./bare [LIBCUDART [LIBCUBLAS]] [PRECISION=ROWS ...]
 *
 * Libraries are paths or sonames, as the report names them. Without PRECISION=ROWS all seven precisions are multiplied
 * at the sizes that suit an H100. What library or GPU refuse is left out and said.
 */
#define _GNU_SOURCE /* RTLD_NOLOAD */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* As src/probe/compute/timing.rs, gear.rs and copies.rs have them. */
enum { LARGEST = 8192, COPIES = 5, MOST = 64 };
static const double WARM_UP_MS = 12, MEASURED_MS = 24;
static const size_t BEYOND_CACHES = (size_t)256 << 20, WORKSPACE = (size_t)32 << 20, BLOCK = 262139;

/* Numbers of cudaDataType (in, out) and cublasComputeType_t. */
static struct precision {
    const char *name;
    int in, out, compute, math_mode, in_bytes, out_bytes, is_lt, size;
} precisions[] = {
    {"float32", 0, 0, 68, 0, 4, 4, 0, 4096},   {"tf32", 0, 0, 77, 3, 4, 4, 0, 8192},
    {"float16", 2, 0, 68, 0, 2, 4, 0, 8192},   {"bfloat16", 14, 0, 68, 0, 2, 4, 0, 8192},
    {"float64", 1, 1, 70, 0, 8, 8, 0, 4096},   {"int8", 3, 10, 72, 0, 1, 4, 1, 8192},
    {"float8", 28, 0, 68, 0, 1, 4, 1, 8192},
};
enum { PRECISIONS = sizeof precisions / sizeof *precisions };

/* cublasLtMatmulHeuristicResult_t. */
struct algorithm {
    uint64_t data[8];
    size_t workspace;
    int state;
    float waves;
    int reserved[4];
};

static void *runtime, *blas, *lt;
static void *handle, *lt_handle;
static char *memory; /* three equal parts: A, B, C */
static size_t part;
static void *events[MOST + 1];

static int (*set_math_mode)(void *, int);
static int (*gemm)(void *, int, int, int, int, int, const void *, const void *, int, int, const void *, int, int,
                   const void *, void *, int, int, int, int);
static int (*lt_matmul)(void *, void *, const void *, const void *, void *, const void *, void *, const void *,
                        const void *, void *, void *, void *, const void *, void *, size_t, void *);
static int (*copy)(void *, const void *, size_t, int);
static int (*synchronize)(void);
static int (*event_record)(void *, void *);
static int (*event_elapsed)(float *, void *, void *);

static void *function(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (!found) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return found;
}

static void check(int code, const char *call) {
    if (code) {
        fprintf(stderr, "%s: %d\n", call, code);
        exit(1);
    }
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void step(const char *name, double *since) {
    double at = now();
    printf("step %-16s %10.1f ms\n", name, at - *since);
    *since = at;
}

static int by_size(const void *a, const void *b) {
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

/* One multiply, planned: A transposed where cuBLASLt does it, the only form that 8-bit floats have. */
struct plan {
    const struct precision *kind;
    int size, sets;
    void *operation, *operand, *product;
    struct algorithm algorithm;
};

static size_t larger(size_t one, size_t other) { return one > other ? one : other; }

static size_t workspace_bytes(void) { return (WORKSPACE < part / 2 ? WORKSPACE : part / 2) & ~(size_t)0xff; }

/* Returns what the library says: 0 when it can. */
static int make_plan(struct plan *plan, const struct precision *kind, int size) {
    size_t elements = (size_t)size * size, set = elements * (2 * kind->in_bytes + kind->out_bytes);
    size_t room = part / (elements * larger(kind->in_bytes, kind->out_bytes));
    size_t sets = (BEYOND_CACHES + set - 1) / set;
    memset(plan, 0, sizeof *plan);
    plan->kind = kind;
    plan->size = size;
    plan->sets = (int)(sets < room ? sets : room);
    if (!kind->is_lt) return set_math_mode(handle, kind->math_mode);
    int transposed = 1, found = 0, code;
    uint64_t most = workspace_bytes();
    void *preference;
    int (*layout)(void **, int, uint64_t, uint64_t, int64_t) = function(lt, "cublasLtMatrixLayoutCreate");
    code = ((int (*)(void **, int, int))function(lt, "cublasLtMatmulDescCreate"))(&plan->operation, kind->compute, kind->out);
    if (code) return code;
    check(((int (*)(void *, int, const void *, size_t))function(lt, "cublasLtMatmulDescSetAttribute"))(
              plan->operation, 3, &transposed, sizeof transposed), "cublasLtMatmulDescSetAttribute");
    if ((code = layout(&plan->operand, kind->in, size, size, size))) return code;
    if ((code = layout(&plan->product, kind->out, size, size, size))) return code;
    check(((int (*)(void **))function(lt, "cublasLtMatmulPreferenceCreate"))(&preference), "cublasLtMatmulPreferenceCreate");
    check(((int (*)(void *, int, const void *, size_t))function(lt, "cublasLtMatmulPreferenceSetAttribute"))(
              preference, 1, &most, sizeof most), "cublasLtMatmulPreferenceSetAttribute");
    code = ((int (*)(void *, void *, void *, void *, void *, void *, void *, int, void *, int *))function(
        lt, "cublasLtMatmulAlgoGetHeuristic"))(lt_handle, plan->operation, plan->operand, plan->operand, plan->product,
                                               plan->product, preference, 1, &plan->algorithm, &found);
    if (code) return code;
    return found && !plan->algorithm.state ? 0 : 15; /* CUBLAS_STATUS_NOT_SUPPORTED */
}

static int multiply(const struct plan *plan, int set) {
    const struct precision *kind = plan->kind;
    int n = plan->size;
    size_t elements = (size_t)n * n;
    char *a = memory + set * elements * kind->in_bytes, *b = a + part;
    char *c = memory + 2 * part + set * elements * kind->out_bytes;
    const float one = 1, zero = 0;
    const double one_double = 1, zero_double = 0;
    const int one_int = 1, zero_int = 0;
    const void *alpha = kind->out == 1 ? (const void *)&one_double : kind->out == 10 ? (const void *)&one_int : &one;
    const void *beta = kind->out == 1 ? (const void *)&zero_double : kind->out == 10 ? (const void *)&zero_int : &zero;
    if (kind->is_lt) /* Operands of one byte leave the end of their part free to work in. */
        return lt_matmul(lt_handle, plan->operation, alpha, a, plan->operand, b, plan->operand, beta, c, plan->product, c,
                         plan->product, &plan->algorithm, memory + part - workspace_bytes(), workspace_bytes(), NULL);
    return gemm(handle, 0, 0, n, n, n, alpha, a, kind->in, n, b, kind->in, n, beta, c, kind->out, n, kind->compute, -1);
}

/* Device times of so many multiplies, or copies without a plan; each is queued while the one before still runs. */
static int time_them(const struct plan *plan, int count, double *times) {
    int code = 0;
    check(event_record(events[0], NULL), "cudaEventRecord");
    for (int i = 0; i < count && !code; i++) {
        code = plan ? multiply(plan, i % plan->sets) : copy(memory + part, memory, part, 3);
        check(event_record(events[i + 1], NULL), "cudaEventRecord");
    }
    check(synchronize(), "cudaDeviceSynchronize");
    for (int i = 0; i < count && !code; i++) {
        float elapsed;
        check(event_elapsed(&elapsed, events[i], events[i + 1]), "cudaEventElapsedTime");
        times[i] = elapsed;
    }
    return code;
}

static double median(double *times, int count) {
    qsort(times, count, sizeof *times, by_size);
    return times[count / 2];
}

static int clamped(double value, int least, int most) { return value < least ? least : value > most ? most : (int)value; }

/* Random numbers that are small in every format, for all bits of an operand cost power: the highest byte is 0x30 to 0x3f
 * with any sign, the others are anything. */
static void fill(const struct precision *kind, size_t bytes) {
    static unsigned char block[262139];
    uint64_t random = 88172645463325252u;
    for (size_t i = 0; i < BLOCK; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        block[i] = (unsigned char)(random >> 32);
        if (i % kind->in_bytes == (size_t)kind->in_bytes - 1) block[i] = (block[i] & 0x8f) | 0x30;
    }
    for (int operand = 0; operand < 2; operand++) {
        char *to = memory + operand * part;
        size_t filled = (bytes < BLOCK ? bytes : BLOCK) & ~(size_t)7;
        check(copy(to, block, filled, 1), "cudaMemcpy");
        for (size_t more; filled < bytes; filled += more) {
            more = filled < bytes - filled ? filled : bytes - filled;
            check(copy(to + filled, to, more, 3), "cudaMemcpy");
        }
    }
}

static void measure(const struct precision *kind, int size, double *since) {
    struct plan plan;
    double times[MOST];
    int code = 15;
    if (size < 16 || (size_t)size * size * larger(kind->in_bytes, kind->out_bytes) > part) {
        printf("left out %-12s %6d rows: no room\n", kind->name, size);
        return;
    }
    if (!kind->is_lt || lt_handle) code = make_plan(&plan, kind, size);
    if (!code) {
        fill(kind, plan.sets * (size_t)size * size * kind->in_bytes);
        /* The first of two may load code while the clock runs. */
        code = time_them(&plan, 2, times);
    }
    if (code) {
        printf("left out %-12s %6d rows: %s %d\n", kind->name, size, kind->is_lt ? "cublasLtMatmul" : "cublasGemmEx", code);
        return;
    }
    double one = times[0] < times[1] ? times[0] : times[1];
    if (one < 1e-6) one = 1e-6;
    int warm_up = clamped(WARM_UP_MS / one, 2, 40), measured = clamped(MEASURED_MS / one, 5, 15);
    check(time_them(&plan, warm_up, times), kind->name);
    check(time_them(&plan, measured, times), kind->name);
    double middle = median(times, measured);
    printf("rate %-16s %10.1f TFLOP/s %6d rows, %d timed, spread %.3f\n", kind->name, 2.0 * size * size * size / middle / 1e9,
           size, measured, (times[measured - 1] - times[0]) / middle);
    step(kind->name, since);
}

int main(int count, char **words) {
    double started = now(), since = started, times[MOST];
    const char *libraries[2] = {"libcudart.so.12", "libcublas.so.12"};
    int paths = 0, asked[PRECISIONS] = {0}, any = 0;
    for (int i = 1; i < count; i++) {
        char *sign = strchr(words[i], '=');
        int kind = 0;
        size_t length = sign ? (size_t)(sign - words[i]) : 0;
        while (sign && kind < PRECISIONS &&
               (strlen(precisions[kind].name) != length || strncmp(precisions[kind].name, words[i], length)))
            kind++;
        if (sign && kind < PRECISIONS) asked[kind] = any = 1, precisions[kind].size = atoi(sign + 1);
        else if (paths < 2) libraries[paths++] = words[i];
    }

    runtime = dlopen(libraries[0], RTLD_NOW | RTLD_LOCAL);
    if (runtime) blas = dlopen(libraries[1], RTLD_NOW | RTLD_LOCAL);
    if (!runtime || !blas) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    set_math_mode = function(blas, "cublasSetMathMode");
    gemm = function(blas, "cublasGemmEx");
    copy = function(runtime, "cudaMemcpy");
    synchronize = function(runtime, "cudaDeviceSynchronize");
    event_record = function(runtime, "cudaEventRecord");
    event_elapsed = function(runtime, "cudaEventElapsedTime");
    step("dlopen", &since);

    size_t free_bytes, total_bytes;
    check(((int (*)(int))function(runtime, "cudaSetDevice"))(0), "cudaSetDevice");
    check(((int (*)(size_t *, size_t *))function(runtime, "cudaMemGetInfo"))(&free_bytes, &total_bytes), "cudaMemGetInfo");
    step("context", &since);

    check(((int (*)(void **))function(blas, "cublasCreate_v2"))(&handle), "cublasCreate_v2");
    /* cuBLAS has brought along the cuBLASLt that fits. */
    const char *lts[] = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"};
    for (int i = 0; i < 3 && !lt; i++) lt = dlopen(lts[i], RTLD_NOW | RTLD_NOLOAD);
    if (lt) {
        lt_matmul = function(lt, "cublasLtMatmul");
        if (((int (*)(void **))function(lt, "cublasLtCreate"))(&lt_handle)) lt_handle = NULL;
    }
    step("handles", &since);

    part = (size_t)LARGEST * LARGEST * 4;
    if (free_bytes / 12 < part) part = free_bytes / 12 & ~(size_t)0xff;
    check(((int (*)(char **, size_t))function(runtime, "cudaMalloc"))(&memory, part * 3), "cudaMalloc");
    int (*event_create)(void **) = function(runtime, "cudaEventCreate");
    for (int i = 0; i <= MOST; i++) check(event_create(&events[i]), "cudaEventCreate");
    step("memory", &since);

    for (int kind = 0; kind < PRECISIONS; kind++)
        if (!any || asked[kind]) measure(&precisions[kind], precisions[kind].size, &since);

    check(time_them(NULL, COPIES + 1, times), "cudaMemcpy");
    printf("rate %-16s %10.1f GB/s    %zu bytes, reads and writes\n", "device-copy", 2.0 * part / median(times + 1, COPIES) / 1e6,
           part);
    step("device-copy", &since);

    check(((int (*)(void *))function(runtime, "cudaFree"))(memory), "cudaFree");
    if (lt_handle) check(((int (*)(void *))function(lt, "cublasLtDestroy"))(lt_handle), "cublasLtDestroy");
    check(((int (*)(void *))function(blas, "cublasDestroy_v2"))(handle), "cublasDestroy_v2");
    printf("total                 %10.1f ms\n", now() - started);
    return 0;
}
