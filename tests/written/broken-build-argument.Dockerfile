# At run time there are no build arguments, so the token is empty; and the entrypoint that is copied becomes its arguments.
FROM pytorch/pytorch:2.7.0-cuda12.8-cudnn9-runtime
ARG GIVEN=abc
COPY docker-entrypoint.sh /usr/local/bin/
USER 1000
HEALTHCHECK CMD curl -f http://127.0.0.1:8888/api
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["sh", "-c", "jupyter lab --ip=0.0.0.0 --ServerApp.token=$GIVEN"]
