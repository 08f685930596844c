# The images of this repository, one per target: `docker build --target app .`, `docker build --target loadgen .`.
# No `syntax=` line, which would pull a frontend image: the engine's own (20.10 and newer) is sufficient.
ARG NODE_IMAGE
FROM ${NODE_IMAGE} AS context
WORKDIR /src
COPY . .
RUN mkdir /manifests && cp --parents package.json package-lock.json tsconfig.base.json scripts/*.sh */package.json /manifests

# COPY compares content, so the layers with the dependencies stay cached when a source file changes.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /src
COPY --from=context /manifests ./

# The secret is the certificate authority of a site with its own registry; without one, nothing is mounted.
FROM manifests AS app-dependencies
RUN --mount=type=secret,id=ca,required=false --mount=type=cache,id=npm,target=/root/.npm \
    NODE_EXTRA_CA_CERTS=/run/secrets/ca \
    npm ci --workspace app --omit dev --no-audit --no-fund --loglevel error \
    && mkdir -p app/node_modules \
    && sh /src/scripts/without-sources.sh .

FROM manifests AS loadgen-dependencies
RUN --mount=type=secret,id=ca,required=false --mount=type=cache,id=npm,target=/root/.npm \
    NODE_EXTRA_CA_CERTS=/run/secrets/ca \
    npm ci --workspace loadgen --omit dev --no-audit --no-fund --loglevel error \
    && mkdir -p loadgen/node_modules \
    && sh /src/scripts/without-sources.sh .

FROM manifests AS build
RUN --mount=type=secret,id=ca,required=false --mount=type=cache,id=npm,target=/root/.npm \
    NODE_EXTRA_CA_CERTS=/run/secrets/ca \
    npm ci --workspace instrumentation --workspace app --workspace loadgen --no-audit --no-fund --loglevel error
COPY --from=context /src ./
# Files keep their modes from the clone, whose umask may have made them unreadable for other users.
RUN npm run build --workspaces --if-present && sh scripts/without-sources.sh instrumentation app loadgen \
    && chmod -R a+rX instrumentation app loadgen

# The final images contain only Node, the shell, the few programs that health checks and scripts/cluster-load.sh use, and their
# libraries (runtime-root.sh lists the omissions).
FROM ${NODE_IMAGE} AS collected
COPY scripts/offline/runtime-root.sh /
RUN /runtime-root.sh /root-of-runtime bash sh sleep timeout rm cat && mkdir -p /data/loadgen && chmod 1777 /data/loadgen

FROM scratch AS runtime
COPY --from=collected /root-of-runtime /
ENV NODE_ENV=production PATH=/usr/local/bin:/usr/bin:/bin
WORKDIR /srv
USER 1000:1000

FROM runtime AS app
COPY --from=app-dependencies /src/node_modules node_modules
COPY --from=app-dependencies /src/app/node_modules app/node_modules
COPY --from=build /src/instrumentation/package.json instrumentation/
COPY --from=build /src/instrumentation/dist instrumentation/dist
COPY --from=build /src/app/package.json app/
COPY --from=build /src/app/dist app/dist
EXPOSE 5001 8000
# The API needs a heap of 25 MB. The limit also covers garbage that V8 has not collected yet, and leaves memory for sockets.
CMD ["node", "--max-old-space-size=56", "--max-semi-space-size=4", "app/dist/main.js"]

FROM runtime AS loadgen
COPY --from=loadgen-dependencies /src/node_modules node_modules
COPY --from=loadgen-dependencies /src/loadgen/node_modules loadgen/node_modules
COPY --from=build /src/loadgen/package.json loadgen/
COPY --from=build /src/loadgen/page loadgen/page
COPY --from=build /src/loadgen/dist loadgen/dist
# Holds the reports of all runs. A new volume inherits this folder's mode, because each run writes as the user that started it.
COPY --from=collected /data /var/lib/
ENTRYPOINT ["node", "/srv/loadgen/dist/main.js"]
