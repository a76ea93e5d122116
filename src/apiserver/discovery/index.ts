export { type ApiResource, type ApiVersion, apiVersions, type VirtualResource } from './api-resources.ts';
export { aggregatedDocument, type DiscoveryVersion, discoveryDocument } from './discovery.ts';
export { createOpenApi, etagOf, type OpenApi } from './openapi.ts';
export { type OpenApiPart, partOf } from './openapi-part.ts';
export { gitVersion, versionDocument } from './version.ts';
