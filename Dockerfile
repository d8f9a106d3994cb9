# Builds with every dependency, runs with the few that serving needs.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
COPY scripts/ scripts/
COPY bin/ bin/
COPY src/ src/
RUN npm ci && npm prune --omit=dev
# The process contract starts node_modules/.bin/node; here that is the runtime of the final stage.
RUN mkdir -p node_modules/.bin && ln -sf /nodejs/bin/node node_modules/.bin/node

FROM gcr.io/distroless/nodejs24-debian13:nonroot
LABEL org.opencontainers.image.title="leadline" \
      org.opencontainers.image.description="Kubernetes external metrics that follow real work" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=build --chown=0:0 /app/package.json ./
COPY --from=build --chown=0:0 /app/bin/ bin/
COPY --from=build --chown=0:0 /app/dist/ dist/
COPY --from=build --chown=0:0 /app/node_modules/ node_modules/
ENV NODE_ENV=production
USER 65532
EXPOSE 6443 8080
# The heap follows the container's memory limit. This flag exists from Node 24 on, so it stands here and not in NODE_OPTIONS.
ENTRYPOINT ["/nodejs/bin/node", "--max-old-space-size-percentage=60", "bin/leadline.js"]
CMD ["serve", "--config", "/etc/leadline/leadline.yaml"]
