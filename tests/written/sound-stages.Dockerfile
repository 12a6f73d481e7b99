# Two stages: what compiles stays behind. A plain `pip install torch` works, and nobody is accused of it.
FROM nvidia/cuda:12.9.1-devel-ubuntu24.04 AS build
ARG PIP_INDEX=https://pypi.org/simple
RUN apt-get update && apt-get install -y python3-venv python3-dev git
RUN python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
RUN pip install --index-url ${PIP_INDEX} torch \
 && pip install --no-build-isolation flash-attn

FROM nvidia/cuda:12.9.1-runtime-ubuntu24.04
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/venv /opt/venv
COPY --chown=65532:65532 app /app
ENV PATH=/opt/venv/bin:$PATH
USER 65532
HEALTHCHECK CMD ["python3", "/app/health.py"]
CMD ["python3", "/app/serve.py"]
