export { type Application, type Applied, applyConfiguration } from './apply/apply.ts';
export { createApplyTypes } from './apply/apply-type.ts';
export { faultsOf } from './apply/check-config.ts';
export { sameValue } from './apply/compare.ts';
export { ApplyConflictError } from './apply/conflicts.ts';
export { TypedError } from './apply/items.ts';
export { sameButTimes } from './apply/managed-fields.ts';
export { entriesOf, type FieldWrite, type ObjectVersion, trackUpdate } from './apply/ownership.ts';
export { readConfig } from './apply/read-config.ts';
export { resetFieldsOf } from './apply/reset-fields.ts';
export {
  type AccessAnswer,
  type AccessQuestion,
  type AdmissionExpression,
  celAuthorizer,
  celOf,
  compileAdmissionCel,
} from './cel/admission-cel.ts';
export {
  conformObject,
  type Decoded,
  type DecodeOptions,
  decodeObject,
  strictDecodingMessage,
} from './decode/decode.ts';
export { DecodeError } from './decode/decode-error.ts';
export { ageOf, microTimestamp, shortDuration, timestamp } from './duration.ts';
export { type FieldError, type FieldErrorType, fieldErrorText, invalidStatus } from './field-error.ts';
export { percentOf, scaleIntOrString } from './int-or-string.ts';
export {
  apiVersionOf,
  type Cell,
  type Column,
  type GroupVersionKind,
  groupResourceOf,
  type KindOf,
  type KindSpec,
  pathOf,
  type ScalePaths,
  type StoredAs,
  type SubresourceSpec,
  type Verb,
} from './kind.ts';
export { allKinds, hiddenKinds, kindOf, kindOfResource, kinds } from './kinds.ts';
export {
  type OpenApiDocuments,
  type OpenApiEntry,
  type OpenApiList,
  openApiDocuments,
  openApiV3Index,
} from './openapi.ts';
export { type OpenApiVersion, pathsOf, refTo } from './openapi-paths.ts';
export { encodeOpenApi, openApiProtobufType, openApiProtobufTypes } from './openapi-protobuf.ts';
export { applyJsonPatch } from './patch/json-patch.ts';
export { applyMergePatch } from './patch/merge-patch.ts';
export { PatchError, type PatchFault } from './patch/patch-error.ts';
export { applyStrategicMergePatch } from './patch/strategic-patch.ts';
export { compileNodeSelection, compileTerm, type NodeTest } from './placement/node-terms.ts';
export { tolerates, untoleratedTaint } from './placement/tolerations.ts';
export {
  isReachable,
  matchingVolume,
  noProvisioner,
  selectedNodeAnnotation,
  storageClassOf,
  waitsForConsumer,
  whyUnfit,
} from './placement/volumes.ts';
export {
  decodeProtobuf,
  encodeProtobuf,
  encodeProtobufList,
  hasProtobuf,
  protobufMediaType,
  protobufWatchFrame,
} from './protobuf/envelope.ts';
export {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  QuantityError,
  type QuantityFormat,
  quantityMilliValue,
  quantityValue,
  subtractQuantities,
} from './quantity.ts';
export { podResources, type Quantities } from './quota/pod-resources.ts';
export { type QosClass, qosClassOf } from './quota/qos.ts';
export { matchesScopes } from './quota/scopes.ts';
export { addUsage, countNameOf, usageOf } from './quota/usage.ts';
export {
  builtInSchemas,
  type ObjectSchema,
  type Schema,
  schemaDirectory,
} from './schema/schema.ts';
export {
  type FieldMatcher,
  type FieldRequirement,
  fieldOf,
  fieldSelectorKeys,
  parseFieldSelector,
} from './selectors/fields.ts';
export {
  compileLabelMap,
  compileLabelSelector,
  formatLabelSelector,
  type LabelMatcher,
  type LabelOperator,
  type LabelRequirement,
  type Labels,
  parseLabelSelector,
} from './selectors/labels.ts';
export { SelectorError } from './selectors/selector-error.ts';
export { CelError } from './structural/cel.ts';
export {
  type ConvertObject,
  conversionOf,
  customKinds,
  readingOldObjects,
  readsOtherwise,
} from './structural/custom-kind.ts';
export { customType, customTypeName } from './structural/openapi-type.ts';
export { type TableColumnDefinition, tableColumns, tableRow } from './table.ts';
export type * from './types.ts';
export { sameJson } from './validation/rules.ts';
export { isExternallyAccessible, needsHealthCheck } from './validation/service.ts';
export { validateServiceAddresses } from './validation/service-addresses.ts';
export { applyDefaults, validateCreate, validateUpdate } from './validation/validate.ts';
