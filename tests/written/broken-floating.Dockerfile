FROM python
ARG HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz0123456789
RUN pip install torch --index-url https://download.pytorch.org/whl/cpu
COPY . /app
CMD ["python", "/app/serve.py"]
