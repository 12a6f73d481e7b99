# The development image of the article, by its text.
FROM nvidia/cuda:12.4.1-devel-ubuntu20.04
ENV DEBIAN_FRONTEND=noninteractive
ENV WANDB_API_KEY=0123456789abcdef0123456789abcdef01234567
RUN apt-get update && apt-get install -y openssh-server vim curl git
RUN echo 'root:letmein' | chpasswd && \
    sed -i 's/#PermitRootLogin prohibit-password/PermitRootLogin yes/' /etc/ssh/sshd_config
RUN pip install torch==2.7.0 jupyterlab
EXPOSE 22 8888
CMD service ssh start && jupyter lab --ip=0.0.0.0 --allow-root --ServerApp.token=''
