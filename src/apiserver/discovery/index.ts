export { apiVersions, type VirtualResource } from './api-resources.ts';
export { aggregatedDocument, discoveryDocument } from './discovery.ts';
export { createOpenApiDocuments, type OpenApiDocuments } from './openapi.ts';
export { gitVersion, versionDocument } from './version.ts';
