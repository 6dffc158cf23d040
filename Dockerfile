# The function as an image: one bundled program and its compiled code on a base with Node 24, no shell needed.
#
#   docker build -t REGISTRY/sync-trigger:TAG .
#   npm run build && docker build --build-arg BUNDLE=prebuilt -t REGISTRY/sync-trigger:TAG .   # no npm in the image build
#
# Build arguments:
#   BASE        what the image stands on: anything with Node >= 24 as `node` on the PATH or in /nodejs/bin
#   BUILD_BASE  where the bundle is built: Node >= 24 with npm
#   BUNDLE      `build` (the default) installs and bundles in a stage of its own; `prebuilt` takes dist/ as it lies in
#               the context, for builders that reach no package registry. The stage that is not named is skipped.
ARG BASE=gcr.io/distroless/nodejs24-debian13:nonroot
ARG BUILD_BASE=docker.io/library/node:24-slim
ARG BUNDLE=build

FROM ${BUILD_BASE} AS build
WORKDIR /source
COPY package.json package-lock.json ./
# No package needs its install script: esbuild and Node come as binaries.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

FROM scratch AS prebuilt
COPY dist /source/dist
COPY LICENSE /source/

# The default once more: buildah 1.28 looks for the stages it needs before it knows the one above.
FROM ${BUNDLE:-build} AS bundle

# The code cache, by the very Node that will use it. No shell here; root, because it writes; nothing else of this is kept.
FROM ${BASE} AS cache
COPY --from=bundle /source/dist /app
ENV PATH=/usr/local/bin:/usr/bin:/bin:/nodejs/bin
USER 0:0
RUN ["node", "/app/cache-code.cjs"]

FROM ${BASE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="sync-trigger" \
      org.opencontainers.image.description="A Knative function that runs an existing Kubernetes CronJob now" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Readable by any uid, writable by none, whatever the modes were where it was built.
COPY --from=bundle --chmod=0444 /source/LICENSE /source/dist/THIRD-PARTY-LICENSES.txt /licenses/
COPY --from=bundle --chmod=0444 /source/dist/print-event.mjs /app/
COPY --from=bundle --chmod=0444 /source/dist/main.cjs /source/dist/sync-trigger.cjs /source/dist/sync-trigger.cjs.map /app/
COPY --from=cache --chmod=0444 /app/sync-trigger.cache /app/
# distroless keeps node in /nodejs/bin, off its own PATH.
ENV PATH=/usr/local/bin:/usr/bin:/bin:/nodejs/bin
# By number: Kubernetes can then see that it is not root. Another uid does as well.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["node", "/app/main.cjs"]
