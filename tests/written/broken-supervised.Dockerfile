FROM ubuntu:24.04
RUN apt-get update && apt-get install -y openssh-server supervisor
COPY <<EOF /etc/supervisor/conf.d/all.conf
[supervisord]
nodaemon=true
[program:sshd]
command=/usr/sbin/sshd -D -o PasswordAuthentication=yes
[program:jupyter]
command=jupyter notebook --ip 0.0.0.0 --NotebookApp.token= --ServerApp.token=
EOF
USER root
HEALTHCHECK CMD ["true"]
CMD ["/usr/bin/supervisord", "-c", "/etc/supervisor/conf.d/all.conf"]
