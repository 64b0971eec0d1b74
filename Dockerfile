# syntax=docker/dockerfile:1

# docker build --build-arg REVISION="$(git rev-parse HEAD)" --tag conduit-graphql .

FROM node:24-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json mikro-orm.config.ts ./
COPY src src
COPY migrations migrations
RUN npm run build && mkdir /data

# The production packages need no compiler and no install script.
FROM node:24-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# Only Node, and busybox as wget for the health check: no shell, no npm. The entry point is node, the user 65532.
FROM gcr.io/distroless/nodejs24-debian13:nonroot
WORKDIR /app
COPY --from=busybox:1.37.0-musl /bin/wget /usr/bin/wget
COPY package.json ./
COPY schema/operations schema/operations
COPY schema/generated/persisted-documents.json schema/generated/persisted-documents.json
COPY schema/openapi.json schema/openapi.json
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
# For the embedded database, if no other is configured. Everything else may be mounted read-only.
COPY --from=build --chown=65532:65532 /data /data
VOLUME /data

ARG REVISION=""
LABEL org.opencontainers.image.title="conduit-graphql" \
      org.opencontainers.image.description="The RealWorld blogging backend as a GraphQL server" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="$REVISION"
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=4000 \
    DATA_FOLDER=/data \
    REVISION=$REVISION

USER 65532:65532
EXPOSE 4000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s \
  CMD ["/usr/bin/wget", "-q", "-O", "/dev/null", "http://127.0.0.1:4000/healthz"]
# To migrate instead: dist/src/migrate.js
CMD ["--max-semi-space-size=8", "--heap-growing-percent=80", "dist/src/main.js"]
