# syntax=docker/dockerfile:1.7
FROM python:3.12-slim-bookworm

# Here-documents in every place, with lines that look like instructions.
RUN <<EOF
set -e
pip install --no-cache-dir torch==2.7.1 --index-url https://download.pytorch.org/whl/cu128
adduser --system --uid 2000 worker
EOF

RUN python3 - <<'PY' && echo written
FROM = "USER root"
print(FROM)
PY

COPY <<"START" /usr/local/bin/start
#!/bin/sh
# USER root
exec python3 -m app "$@"
START

COPY . /app
WORKDIR /app
USER worker
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/start"]
CMD ["--port", "9000"]
