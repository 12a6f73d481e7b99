# escape=`
FROM nvcr.io/nvidia/pytorch:26.05-py3

# A training job on an image of NVIDIA's catalogue.
ARG TRAINER_VERSION=1.4.2
ARG TOKEN_FILE=/run/secrets/hub
ENV NCCL_DEBUG=WARN `
    HF_HOME=/cache/hub `
    HF_TOKEN_PATH=${TOKEN_FILE} `
    MAX_TOKENS=4096
RUN --mount=type=secret,id=hub `
    pip install --no-cache-dir trainer==${TRAINER_VERSION}
COPY train.py /train/train.py
WORKDIR /train
USER 1000:1000
HEALTHCHECK NONE
CMD torchrun --nproc-per-node=8 train.py
