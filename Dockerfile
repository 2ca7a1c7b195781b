# syntax=docker/dockerfile:1
# One image for every role: the arguments of the container are those of `muster`.

FROM rust:1.95-slim-bookworm AS build
# What librdkafka, SQLite and ring are compiled with; zlib is the system's own.
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Downloaded crates and compiled dependencies stay in the builder's cache; the binary is copied out of it.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --profile dist --locked --package muster \
    && cp target/dist/muster /usr/local/bin/muster

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin muster \
    && install -d -o muster -g muster -m 0700 /data
COPY --from=build /usr/local/bin/muster /usr/local/bin/muster
COPY dev/container-ready /usr/local/bin/container-ready
# By number, because Kubernetes can't tell from a name that it isn't root.
USER 10001:10001
# Inside a container loopback reaches nobody, so the public door listens on every address; health and metrics stay private.
ENV MUSTER_LISTEN=0.0.0.0:8080 MUSTER_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["container-ready"]
ENTRYPOINT ["muster"]
