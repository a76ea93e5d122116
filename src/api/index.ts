export { ageOf, microTimestamp, parseGoDuration, shortDuration, timestamp } from './duration.ts';
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
  parseApiVersion,
  pathOf,
  type ScalePaths,
  type StoredAs,
  type SubresourceSpec,
  type Verb,
} from './kind.ts';
export { kinds } from './kinds.ts';
export {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  isZero,
  parseQuantity,
  type Quantity,
  QuantityError,
  type QuantityFormat,
  quantityMilliValue,
  quantityValue,
  signOf,
  subtractQuantities,
} from './quantity.ts';
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
export type * from './types.ts';
