# An image for tests: Jupyter is installed for its kernels, and the image serves something else.
FROM pytorch/pytorch:2.7.0-cuda12.8-cudnn9-runtime@sha256:7db0e1bf4b1ac274ea09cf6358ab516f8a5c7d3d0e02311bed445f7e236a5d80
RUN pip install --no-cache-dir ipykernel nbconvert==7.16.6 && useradd -m -u 1500 app
USER app
WORKDIR /home/app
COPY --chown=app serve.py .
HEALTHCHECK --interval=10s CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz')"
EXPOSE 8080
CMD ["uvicorn", "serve:app", "--host", "0.0.0.0", "--port", "8080"]
