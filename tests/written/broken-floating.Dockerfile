FROM python
ARG HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz0123456789
RUN pip install torch --index-url https://download.pytorch.org/whl/cpu
ENV CUDA_VISIBLE_DEVICES=-1
COPY . /app
CMD ["python", "/app/serve.py"]
