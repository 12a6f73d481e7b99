# The script that the container starts is written by the Dockerfile itself, and a secret comes by a build argument.
FROM pytorch/pytorch:2.7.0-cuda12.8-cudnn9-runtime
ARG GITHUB_TOKEN
RUN pip install --no-cache-dir git+https://oauth2:${GITHUB_TOKEN}@github.com/example/private.git
RUN mkdir -p /app && cat > /app/run.sh <<'EOF' && chmod +x /app/run.sh
#!/bin/bash
jupyter lab --ip=0.0.0.0 --no-browser --ServerApp.token="" &
exec python3 -m app
EOF
USER 1000
HEALTHCHECK CMD curl -f http://127.0.0.1:8000/health
CMD ["/app/run.sh"]
