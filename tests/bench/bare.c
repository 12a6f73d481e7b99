/* The bare minimum that gpu-preflight is compared with: the same libraries, a context, a cuBLAS handle and the same
 * multiplies, without proof, children or report. Prints the rates and the wall time of each step.
 *
 *   cc -O2 -o bare tests/bench/bare.c -ldl
 *   ./bare [libcudart.so.12 [libcublas.so.12]]      paths or sonames, as the report names them
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void *runtime, *blas;

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
    printf("%-24s %8.1f ms\n", name, at - *since);
    *since = at;
}

static int by_size(const void *a, const void *b) {
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

int main(int count, char **words) {
    double started = now(), since = started;
    runtime = dlopen(count > 1 ? words[1] : "libcudart.so.12", RTLD_NOW | RTLD_LOCAL);
    if (runtime) blas = dlopen(count > 2 ? words[2] : "libcublas.so.12", RTLD_NOW | RTLD_LOCAL);
    if (!runtime || !blas) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    step("dlopen", &since);

    size_t free_bytes, total_bytes;
    check(((int (*)(int))function(runtime, "cudaSetDevice"))(0), "cudaSetDevice");
    check(((int (*)(size_t *, size_t *))function(runtime, "cudaMemGetInfo"))(&free_bytes, &total_bytes), "cudaMemGetInfo");
    step("context", &since);

    void *handle;
    check(((int (*)(void **))function(blas, "cublasCreate_v2"))(&handle), "cublasCreate_v2");
    step("cublasCreate", &since);

    int (*set_math_mode)(void *, int) = function(blas, "cublasSetMathMode");
    int (*gemm)(void *, int, int, int, int, int, const void *, const void *, int, int, const void *, int, int,
                const void *, void *, int, int, int, int) = function(blas, "cublasGemmEx");
    int (*synchronize)(void) = function(runtime, "cudaDeviceSynchronize");
    int (*event_create)(void **) = function(runtime, "cudaEventCreate");
    int (*event_record)(void *, void *) = function(runtime, "cudaEventRecord");
    int (*event_elapsed)(float *, void *, void *) = function(runtime, "cudaEventElapsedTime");

    const size_t part = (size_t)8192 * 8192 * 4;
    char *memory;
    check(((int (*)(char **, size_t))function(runtime, "cudaMalloc"))(&memory, part * 3), "cudaMalloc");
    /* 0x3c is a small positive number in all three formats. */
    check(((int (*)(void *, int, size_t))function(runtime, "cudaMemset"))(memory, 0x3c, part * 2), "cudaMemset");
    void *events[16];
    for (int i = 0; i < 16; i++) check(event_create(&events[i]), "cudaEventCreate");

    struct { const char *name; int type, mode, compute, size; } kinds[] = {
        {"float32", 0, 0, 68, 4096}, {"tf32", 0, 3, 77, 8192}, {"float16", 2, 0, 68, 8192}, {"bfloat16", 14, 0, 68, 8192},
    };
    const float one = 1, zero = 0;
    for (int kind = 0; kind < 4; kind++) {
        int n = kinds[kind].size, type = kinds[kind].type;
        check(set_math_mode(handle, kinds[kind].mode), "cublasSetMathMode");
        for (int i = 0; i < 24; i++) {
            if (i >= 8) check(event_record(events[i - 8], NULL), "cudaEventRecord");
            check(gemm(handle, 0, 0, n, n, n, &one, memory, type, n, memory + part, type, n, &zero, memory + 2 * part, 0,
                       n, kinds[kind].compute, -1), "cublasGemmEx");
        }
        check(synchronize(), "cudaDeviceSynchronize");
        double times[15];
        for (int i = 0; i < 15; i++) {
            float elapsed;
            check(event_elapsed(&elapsed, events[i], events[i + 1]), "cudaEventElapsedTime");
            times[i] = elapsed;
        }
        qsort(times, 15, sizeof *times, by_size);
        printf("%-24s %8.1f TFLOP/s\n", kinds[kind].name, 2.0 * n * n * n / times[7] / 1e9);
        step("", &since);
    }
    check(((int (*)(void *))function(runtime, "cudaFree"))(memory), "cudaFree");
    check(((int (*)(void *))function(blas, "cublasDestroy_v2"))(handle), "cublasDestroy_v2");
    printf("%-24s %8.1f ms\n", "total", now() - started);
    return 0;
}
