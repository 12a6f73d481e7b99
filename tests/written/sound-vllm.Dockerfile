# syntax=docker/dockerfile:1
# A server of a language model: the image of a release, pinned wheels, its own user.
ARG CUDA_TAG=12.9.1-cudnn-runtime-ubuntu24.04
FROM nvidia/cuda:${CUDA_TAG}

ENV DEBIAN_FRONTEND=noninteractive \
    PYTHONUNBUFFERED=1 \
    VIRTUAL_ENV=/opt/venv \
    PATH=/opt/venv/bin:$PATH

RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    apt-get update && apt-get install -y --no-install-recommends \
        python3 python3-venv curl gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv /opt/venv

RUN pip install --no-cache-dir torch==2.10.0 vllm==0.19.1

RUN useradd --create-home --uid 10001 serve
USER 10001:10001
WORKDIR /srv
EXPOSE 8000
HEALTHCHECK --interval=30s --start-period=5m CMD curl -fsS http://127.0.0.1:8000/health || exit 1
ENTRYPOINT ["vllm", "serve"]
CMD ["/models/current", "--port", "8000", "--gpu-memory-utilization", "0.9"]
