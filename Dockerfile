# syntax=docker/dockerfile:1
# The image of a worker: the binary on glibc, certificates, and nothing else: no shell, no package manager.
#
#   docker build --tag etl .    # or: podman build --format docker --tag etl .    (Podman's own format has no HEALTHCHECK)
#   docker run --rm etl run --help

ARG RUST_VERSION=1.95.0

FROM rust:${RUST_VERSION}-slim-trixie AS build
ARG TARGETARCH
WORKDIR /source
COPY . .
# The caches outlive this build and are no part of a layer, so the binary is copied out of them.
RUN --mount=type=cache,id=cargo-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=target-${TARGETARCH},target=/source/target,sharing=locked \
    cargo build --locked --release --package etl-cli \
    && cp target/release/etl /usr/local/bin/etl

# The same Debian release as above, so that the binary finds the glibc that it was linked with.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /usr/local/bin/etl /usr/local/bin/etl
# By number, since `runAsNonRoot` of Kubernetes cannot look a name up.
USER 65532:65532
ENV ETL_LOG_FORMAT=json ETL_METRICS_ADDR=0.0.0.0:9464
EXPOSE 9464
# The binary is process 1. It handles SIGTERM itself, and wants longer than --grace-period (25 s) before a SIGKILL.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["/usr/local/bin/etl", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/etl"]
CMD ["run", "--follow"]
