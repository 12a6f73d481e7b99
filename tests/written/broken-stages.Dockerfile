# The first stage has a user; the last one starts again without.
FROM python:3.12-slim-bookworm AS build
RUN pip install --prefix=/install \
    numpy==2.1.0 \
    torch==1.13.1+cu117
USER 1000

FROM python:3.8-slim-buster
COPY --from=build /install /usr/local
ENV NVIDIA_DRIVER_CAPABILITIES=utility \
    CUDA_LAUNCH_BLOCKING=1
HEALTHCHECK CMD ["true"]
CMD ["python3", "-m", "app"]
