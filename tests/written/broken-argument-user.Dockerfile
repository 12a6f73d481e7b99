# Who this starts as, whoever builds it says: no verdict.
ARG BASE
FROM pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime
ARG APP_USER
COPY . /app
USER ${APP_USER}
HEALTHCHECK CMD ["true"]
CMD ["python3", "/app/serve.py"]
