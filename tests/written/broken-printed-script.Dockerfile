# The entrypoint is printed into a folder of PATH, and it starts sshd.
FROM pytorch/pytorch:2.7.0-cuda12.8-cudnn9-runtime
RUN printf '#!/bin/sh\nservice ssh start\nexec python /app/serve.py\n' | tee /usr/local/bin/entry.sh && chmod +x /usr/local/bin/entry.sh
USER 1000
HEALTHCHECK CMD curl -f http://127.0.0.1:8000/health
ENTRYPOINT ["entry.sh"]
