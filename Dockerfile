# The whole store in one container: catalog, order and front end as processes under one supervisor, HTTP on port 5000.
#
# The first stage is the same in all four Dockerfiles, so an engine builds it once. To pin the base to a digest, or to
# take it from a mirror: --build-arg BASE=...
ARG BASE=node:24-bookworm-slim

FROM $BASE AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json buf.yaml buf.gen.yaml ./
COPY proto ./proto
COPY scripts ./scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM $BASE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="toystore" \
      org.opencontainers.image.description="Toy store: all three services in one container" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim"
COPY docker/entrypoint.sh /usr/local/bin/toystore-entrypoint
COPY docker/grant-chown.pl /tmp/
RUN cp /usr/bin/chown /usr/local/bin/take-data && perl /tmp/grant-chown.pl /usr/local/bin/take-data && rm /tmp/grant-chown.pl \
    && mkdir -p /data/catalog /data/order && chown -R node:node /data
WORKDIR /app
COPY package.json toys.csv openapi.yaml ./
COPY proto ./proto
COPY sql ./sql
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist/proto ./dist/proto
COPY --from=build /app/dist/src ./dist/src
COPY --from=build /app/dist/site ./dist/site
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    DATA_DIR=/data
USER node
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
    CMD ["node", "dist/src/cli.js", "health", "frontend"]
ENTRYPOINT ["toystore-entrypoint", "/data", "/data/catalog", "/data/order", "--"]
CMD ["node", "dist/src/cli.js", "start"]
