# The CPU build is there first, and pip finds the second install satisfied.
FROM nvidia/cuda:12.8.1-runtime-ubuntu24.04
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*
RUN pip3 install --no-cache-dir torch torchvision --index-url https://download.pytorch.org/whl/cpu
RUN pip3 install --no-cache-dir torch transformers==4.50.0 accelerate==1.4.0
COPY app /app
WORKDIR /app
USER 1000
HEALTHCHECK CMD python3 -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health')"
CMD ["python3", "-m", "app"]
