# What a here-document does is done for the image as well.
FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04
RUN <<EOF
pip install torch==2.5.1 --index-url https://download.pytorch.org/whl/cpu
export API_KEY=hunter2hunter2
EOF
RUN useradd --uid 1000 app
USER app
HEALTHCHECK CMD ["true"]
CMD ["python3", "-m", "app"]
