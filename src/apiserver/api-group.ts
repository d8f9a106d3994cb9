/** Group of the external metrics API. */
export const apiGroup = "external.metrics.k8s.io";
/** Its one version. */
export const apiVersion = "v1beta1";
/** Group and version as objects carry them. */
export const groupVersion = `${apiGroup}/${apiVersion}`;
/** Path of the version's resource list, and prefix of every metric read. */
export const basePath = `/apis/${groupVersion}`;
/** Kind of the answer to a metric read. */
export const listKind = "ExternalMetricValueList";
/** The one resource that discovery lists: an empty list is an error to clients. */
export const placeholderResource = "externalmetrics";
