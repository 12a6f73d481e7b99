# Which PyTorch is installed is decided while it is built, and the settings of sshd are only looked for.
FROM python:3.12-slim-bookworm
ARG USE_CUDA=true
RUN if [ "$USE_CUDA" = "true" ]; then \
      pip install --no-cache-dir torch==2.7.0 --index-url https://download.pytorch.org/whl/cu128; \
    else \
      pip install --no-cache-dir torch==2.7.0 --index-url https://download.pytorch.org/whl/cpu; \
    fi
RUN ! grep -qs '^PermitRootLogin yes' /etc/ssh/sshd_config
ENV IP=127.0.0.1
USER 1000
HEALTHCHECK CMD python3 -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health')"
CMD python3 -m app --host $IP
