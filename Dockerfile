# The operator as an image: `docker build -t flow-operator .`, or podman, or buildah.
#
# BASE is a slim Python on glibc: the CEL library has no wheels for musl. A release also pins it by digest
# (--build-arg BASE=python:3.13-slim-bookworm@sha256:…); here it is pinned by tag, since a digest that is never
# updated misses the security fixes of the base.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY requirements.txt requirements-build.txt ./
# Every dependency is a wheel with a locked hash: nothing is compiled, so neither this stage nor the result has a compiler.
# A build that needs its own package index passes pip's configuration as a secret, which is kept in no layer.
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    python -m venv --without-pip /opt/flow-build \
 && python -m venv --without-pip /opt/flow \
 && pip --python /opt/flow-build/bin/python install --no-cache-dir --disable-pip-version-check --only-binary :all: \
      --require-hashes --requirement requirements-build.txt \
 && pip --python /opt/flow/bin/python install --no-cache-dir --disable-pip-version-check --only-binary :all: \
      --require-hashes --requirement requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
RUN /opt/flow-build/bin/hatchling build --target wheel --directory /opt/wheel \
 && pip --python /opt/flow/bin/python install --no-cache-dir --disable-pip-version-check --no-index --no-deps /opt/wheel/*.whl

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="flow-operator" \
      org.opencontainers.image.description="A Kubernetes operator that runs sagas of microservices, and undoes them when they fail" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/flow /opt/flow
ENV PATH=/opt/flow/bin:$PATH \
    PYTHONUNBUFFERED=1
# By number, so that Kubernetes can verify that it is not root (runAsNonRoot). In a pod nothing is written, so the root
# filesystem can be read-only; a KUBECONFIG that contains certificates needs a writable /tmp.
USER 65532:65532
# 8080: /healthz, /readyz and /metrics; 8081: reserved for callbacks of asynchronous steps. There is no HEALTHCHECK, since
# Kubernetes ignores it and uses the probes of the pod.
EXPOSE 8080 8081
ENTRYPOINT ["flow-operator"]
