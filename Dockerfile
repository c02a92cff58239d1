# Portcullis as an image: Node 24, the built gateway and what it needs, run by a user without rights. docs/docker.md
#
#   docker build -t portcullis .
#   docker build -t portcullis --build-arg BASE=gcr.io/distroless/cc-debian13 .
#
# BASE is any Linux with glibc 2.36 or newer, libstdc++ and libgcc; nothing in it is run, not even a shell.

ARG BUILD_BASE=node:24-trixie-slim
ARG BASE=debian:trixie-slim

FROM ${BUILD_BASE} AS packages
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts

# Of the packages what is run, and their licences; of two dozen addons the one for this system. Apart from the build, so
# that it is done again only when the packages change.
FROM packages AS runtime
RUN set -eu; \
    npm prune --omit=dev --ignore-scripts; \
    addon="uws_linux_$(node -p process.arch)_$(node_modules/node-linux-*/bin/node -p process.versions.modules).node"; \
    find node_modules/uWebSockets.js -name '*.node' ! -name "$addon" -delete; \
    rm -rf node_modules/node-linux-* node_modules/.bin node_modules/.cache node_modules/.package-lock.json; \
    find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -delete

FROM packages AS build
# Both names, since compose files run `traefik healthcheck`; with Node's path, since BASE may have no `env`. The folders
# are where volumes are mounted that the gateway writes to: a new volume takes its owner from there.
RUN mkdir -p /own/programs /own/folders/certificates /own/folders/data /own/folders/letsencrypt /own/folders/logs && \
    printf '#!/usr/local/bin/node\nimport("/opt/portcullis/dist/main.js");\n' >/own/programs/portcullis && \
    chmod 755 /own/programs/portcullis && \
    ln -s portcullis /own/programs/traefik
COPY . .
RUN npm run build

FROM ${BASE}
# What changes least comes first.
COPY --from=packages /build/node_modules/node-linux-*/bin/node /usr/local/bin/node
COPY --from=packages /build/node_modules/node-linux-*/LICENSE /opt/portcullis/LICENSE.node
COPY --from=build --chown=65532:65532 /own/folders /
COPY --from=build /own/programs /usr/local/bin
COPY --from=runtime /build/node_modules /opt/portcullis/node_modules
COPY --from=build /build/package.json /build/LICENSE /opt/portcullis/
COPY --from=build /build/dist /opt/portcullis/dist
# Where this base's C library is older than the addon's, the copy for it; else it does nothing.
RUN ["/usr/local/bin/node", "/opt/portcullis/dist/proxy/entrypoints/uws/install.js"]
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Portcullis" \
      org.opencontainers.image.description="Gateway that reads Traefik's configuration" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# A number: Kubernetes' runAsNonRoot cannot look up a name, and BASE may have no such user.
USER 65532:65532
WORKDIR /
# As Traefik's image: the port of a container whose labels name none.
EXPOSE 80
STOPSIGNAL SIGTERM
# By the flags of process 1, so that it need not be written anew for each configuration. The labels of other
# containers count from their first good answer on; the gateway's own from its start.
HEALTHCHECK --interval=10s --timeout=8s --start-period=30s --retries=3 CMD ["portcullis", "healthcheck", "--pid=1"]
ENTRYPOINT ["portcullis"]
