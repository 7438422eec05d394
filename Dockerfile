# docker run --rm -v "$PWD:/work" --user "$(id -u)" IMAGE push --metric-name vpn --start now-21d
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY promfill promfill
RUN pip wheel --no-cache-dir --wheel-dir /wheels '.[re2]'

FROM python:3.13-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-index --find-links /wheels 'promfill[re2]' \
    && rm -rf /wheels \
    && install --directory --owner 10001 --mode 0755 /work
# A number, so that Kubernetes can see that it is not root.
USER 10001
WORKDIR /work
ENTRYPOINT ["promfill"]
