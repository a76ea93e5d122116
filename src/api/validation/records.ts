// Small kinds: ControllerRevisions, Events of events.k8s.io, APIServices.
// Source: kubernetes pkg/apis/{apps,core}/validation, kube-aggregator pkg/apis/apiregistration/validation.

import { type FieldError, invalid, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { APIService, ControllerRevision, EventsEvent } from '../types.ts';
import { whyNotDns1035Label, whyNotDnsSubdomain, whyNotPort, whyNotQualifiedName } from './names.ts';
import { immutable, invalidFor, nonNegative, requireText } from './rules.ts';

export function validateControllerRevision({ data, revision }: ControllerRevision): readonly FieldError[] {
  return [...(data === undefined ? [required('data', 'data is mandatory')] : []), ...nonNegative('revision', revision)];
}

export function validateControllerRevisionUpdate(
  one: ControllerRevision,
  old: ControllerRevision,
): readonly FieldError[] {
  return immutable('data', one.data, old.data);
}

const eventTypes = valuesOf('io.k8s.api.events.v1.Event', 'type');
const maxEventText = 128;
const maxNote = 1024;

/** Events of the newer API say who reports and what was done. */
export function validateEventsEvent(event: EventsEvent): readonly FieldError[] {
  const { metadata, regarding, reportingController, reportingInstance, note = '', type, eventTime, series } = event;
  const errors: FieldError[] = [];
  const about = regarding?.namespace ?? '';
  const own = metadata?.namespace ?? '';
  if (about === '' ? own !== 'default' && own !== 'kube-system' : about !== own) {
    errors.push(invalid('involvedObject.namespace', about, 'does not match event.namespace'));
  }
  if (!eventTime) errors.push(required('eventTime'));
  if (!reportingController) errors.push(required('reportingController'));
  else errors.push(...invalidFor('reportingController', reportingController, whyNotQualifiedName(reportingController)));
  for (const [field, text] of [
    ['reportingInstance', reportingInstance],
    ['action', event.action],
    ['reason', event.reason],
  ] as const) {
    errors.push(...requireText(field, text));
    if (text !== undefined && text.length > maxEventText) {
      errors.push(invalid(field, '', `can have at most ${maxEventText} characters`));
    }
  }
  if (Buffer.byteLength(note) > maxNote) errors.push(invalid('note', '', `can have at most ${maxNote} characters`));
  if (!eventTypes().includes(type ?? '')) {
    errors.push(invalid('type', '', `has invalid value: must be ${eventTypes().join(' or ')}`));
  }
  if (series !== undefined && series.count < 2) {
    errors.push(invalid('series.count', '', 'should be at least 2'));
  }
  return errors;
}

const maxGroupPriority = 20_000;
const maxVersionPriority = 1000;

export function validateApiService({ metadata, spec }: APIService): readonly FieldError[] {
  const { group = '', version = '', service, groupPriorityMinimum = 0, versionPriority = 0 } = spec ?? {};
  const errors: FieldError[] = [];
  const name = metadata?.name ?? '';
  const wanted = `${version}.${group}`;
  if (name !== wanted && !(group === '' && name === `${version}.`)) {
    errors.push(invalid('metadata.name', name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`));
  }
  if (group !== '') errors.push(...invalidFor('spec.group', group, whyNotDnsSubdomain(group)));
  else if (version !== 'v1') {
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  }
  if (version === '') errors.push(required('spec.version'));
  else errors.push(...invalidFor('spec.version', version, whyNotDns1035Label(version)));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > maxGroupPriority) {
    const why = `must be positive and less than ${maxGroupPriority}`;
    errors.push(invalid('spec.groupPriorityMinimum', groupPriorityMinimum, why));
  }
  if (versionPriority <= 0 || versionPriority > maxVersionPriority) {
    errors.push(
      invalid('spec.versionPriority', versionPriority, `must be positive and less than ${maxVersionPriority}`),
    );
  }
  if (service === undefined) {
    if (spec?.caBundle) errors.push(invalid('spec.caBundle', '<bytes>', 'local APIServices may not have a caBundle'));
    if (spec?.insecureSkipTLSVerify === true) {
      errors.push(invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'));
    }
    return errors;
  }
  errors.push(
    ...requireText('spec.service.namespace', service.namespace),
    ...requireText('spec.service.name', service.name),
  );
  const { port } = service;
  if (port !== undefined && whyNotPort(port).length > 0) {
    errors.push(invalid('spec.service.port', port, 'port is not valid: must be between 1 and 65535, inclusive'));
  }
  if (spec?.insecureSkipTLSVerify === true && spec.caBundle) {
    errors.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
  }
  return errors;
}
