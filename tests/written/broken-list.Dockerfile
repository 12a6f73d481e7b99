# Single quotes are no JSON: a shell is given the text, and no container starts.
FROM nvidia/cuda:12.8.1-runtime-ubuntu24.04
COPY app /app
USER 1000
HEALTHCHECK CMD curl -f http://127.0.0.1:8000/health
CMD ['vllm','serve','model']
