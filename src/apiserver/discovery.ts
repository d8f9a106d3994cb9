import { createHash } from "node:crypto";
import { apiGroup, apiVersion, groupVersion, listKind, placeholderResource } from "./api-group.ts";
import type { DiscoveryForm } from "./negotiation.ts";

const versionDocument = { groupVersion, version: apiVersion };

const groupDocument = {
  name: apiGroup,
  versions: [versionDocument],
  preferredVersion: versionDocument,
};

/** `/apis/external.metrics.k8s.io`: the group and its one version. */
export const apiGroupDocument = { kind: "APIGroup", apiVersion: "v1", ...groupDocument } as const;

/** `/apis` in its legacy form. */
export const apiGroupListDocument = {
  kind: "APIGroupList",
  apiVersion: "v1",
  groups: [groupDocument],
} as const;

/**
 * The version's resources: one placeholder, whatever is configured. Metrics are not listed: each change would invalidate the discovery
 * cache of every client of the cluster, and an empty list is an error to all of them. `get` alone, so that nothing tries to list or delete.
 */
export const apiResourceListDocument = {
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion,
  resources: [
    {
      name: placeholderResource,
      singularName: "",
      namespaced: true,
      kind: listKind,
      verbs: ["get"],
    },
  ],
} as const;

/** Every path that answers, for people who ask `/`. */
export const rootPathsDocument = {
  paths: [
    "/apis",
    `/apis/${apiGroup}`,
    `/apis/${groupVersion}`,
    "/healthz",
    "/livez",
    "/readyz",
    "/version",
  ],
} as const;

/** An aggregated discovery document, ready to be sent. */
export interface AggregatedDiscovery {
  readonly body: string;
  /** Strong and quoted; compared byte for byte. */
  readonly etag: string;
  readonly contentType: string;
}

/** The aggregated documents by version of `apidiscovery.k8s.io`. */
export const aggregatedDiscovery: Readonly<
  Record<Exclude<DiscoveryForm, "Legacy">, AggregatedDiscovery>
> = { v2: aggregatedDocument("v2"), v2beta1: aggregatedDocument("v2beta1") };

/** Upstream: apiserver `endpoints/discovery/aggregated`. kube-aggregator believes the answer only if the Content-Type's parameters match. */
function aggregatedDocument(version: Exclude<DiscoveryForm, "Legacy">): AggregatedDiscovery {
  const resource = {
    resource: placeholderResource,
    responseKind: { group: apiGroup, version: apiVersion, kind: listKind },
    scope: "Namespaced",
    singularResource: "",
    verbs: ["get"],
  };
  const body = JSON.stringify({
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: [
      {
        metadata: { name: apiGroup, creationTimestamp: null },
        versions: [{ version: apiVersion, freshness: "Current", resources: [resource] }],
      },
    ],
  });
  const digest = createHash("sha512").update(body).digest("hex").toUpperCase();
  return {
    body: `${body}\n`,
    etag: `"${digest}"`,
    contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
  };
}
