# The operator as an image: `docker build -t flow-operator .`, or podman, or buildah.
#
# BASE is a slim Python on glibc: the CEL library has no wheels for musl. A release pins it by digest besides
# (--build-arg BASE=python:3.13-slim-bookworm@sha256:…); here it is pinned by tag, since a digest that nobody looks up
# again keeps the base without its security fixes.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
COPY requirements.txt requirements-build.txt ./
# Everything comes as a wheel with a locked hash: nothing is compiled, so no compiler is needed, here or in the result.
# A build that reaches its package index by a way of its own gives pip's configuration as a secret, which stays in no layer.
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
# By number, so that Kubernetes can see that it is not root (runAsNonRoot). In a pod nothing is written, and a read-only root
# will do; a KUBECONFIG with certificates in it wants a /tmp to unpack them.
USER 65532:65532
# /healthz, /readyz and /metrics; callbacks of async steps. Health is asked for by the pod's probes: there is no
# HEALTHCHECK, which Kubernetes would not look at.
EXPOSE 8080 8081
ENTRYPOINT ["flow-operator"]
