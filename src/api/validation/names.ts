// The name rules of Kubernetes: each `whyNot…` answers with upstream's sentences, empty when the value is fine.
// Source: k8s.io/apimachinery pkg/util/validation; RFC 1123, RFC 1035.

const dnsLabelFmt = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const dnsSubdomainFmt = `${dnsLabelFmt}(\\.${dnsLabelFmt})*`;
const searchLabelFmt = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const searchDomainFmt = `${searchLabelFmt}(\\.${searchLabelFmt})*`;
const qualifiedNameFmt = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValueFmt = `(${qualifiedNameFmt})?`;
const configMapKeyFmt = '[-._a-zA-Z0-9]+';
const envVarNameFmt = '[-._a-zA-Z][-._a-zA-Z0-9]*';

const dnsLabel = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const dns1035 = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const searchDomain = new RegExp(`^${searchDomainFmt}$`);
const qualifiedPart = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** Shared: nearly every name is fine, and a write asks about a dozen of them. */
const fine: readonly string[] = Object.freeze([]);

/** The sentence that upstream adds after a pattern failed. */
function regexError(what: string, format: string, ...examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}'`).join(',  or ');
  const eg = examples.length === 0 ? '' : `e.g. ${shown}, `;
  return `${what} (${eg}regex used for validation is '${format}')`;
}

function tooLong(max: number): string {
  return `must be no more than ${max} bytes`;
}

export function whyNotDnsLabel(value: string): readonly string[] {
  const matches = dnsLabel.test(value);
  if (matches && value.length <= 63) return fine;
  const errors: string[] = [];
  if (value.length > 63) errors.push(tooLong(63));
  if (!matches) {
    errors.push(
      regexError(
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
        dnsLabelFmt,
        'my-name',
        '123-abc',
      ),
    );
  }
  return errors;
}

export function whyNotDns1035Label(value: string): readonly string[] {
  const matches = dns1035.test(value);
  if (matches && value.length <= 63) return fine;
  const errors: string[] = [];
  if (value.length > 63) errors.push(tooLong(63));
  if (!matches) {
    errors.push(
      regexError(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        '[a-z]([-a-z0-9]*[a-z0-9])?',
        'my-name',
        'abc-123',
      ),
    );
  }
  return errors;
}

export function whyNotDnsSubdomain(value: string): readonly string[] {
  const matches = dnsSubdomain.test(value);
  if (matches && value.length <= 253) return fine;
  const errors: string[] = [];
  if (value.length > 253) errors.push(tooLong(253));
  if (!matches) {
    errors.push(
      regexError(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        dnsSubdomainFmt,
        'example.com',
      ),
    );
  }
  return errors;
}

/** Domains in a resolver's search list, where parts may have and begin with underscores. */
export function whyNotSearchDomain(value: string): readonly string[] {
  const errors: string[] = [];
  if (value.length > 253) errors.push(tooLong(253));
  if (!searchDomain.test(value)) {
    errors.push(
      regexError(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
        searchDomainFmt,
        'example.com',
      ),
    );
  }
  return errors;
}

/** Names that become one part of a URL path and nothing else (RBAC objects). */
export function whyNotPathSegment(value: string): readonly string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((char) => value.includes(char)).map((char) => `may not contain '${char}'`);
}

/** Label and annotation keys, resource names: `[prefix/]name`. */
export function whyNotQualifiedName(value: string): readonly string[] {
  if (value.length <= 63 && qualifiedPart.test(value)) return fine;
  const errors: string[] = [];
  const parts = value.split('/');
  const name = parts.at(-1) ?? '';
  const what =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  if (parts.length > 2) {
    const many =
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    return [
      `${regexError(many, qualifiedNameFmt, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') errors.push('prefix part must be non-empty');
    else errors.push(...whyNotDnsSubdomain(prefix).map((why) => `prefix part ${why}`));
  }
  if (name === '') errors.push('name part must be non-empty');
  else if (name.length > 63) errors.push(`name part ${tooLong(63)}`);
  if (!qualifiedPart.test(name)) errors.push(regexError(what, qualifiedNameFmt, 'MyName', 'my.name', '123-abc'));
  return errors;
}

export function whyNotLabelValue(value: string): readonly string[] {
  if (value === '' || (value.length <= 63 && qualifiedPart.test(value))) return fine;
  const errors: string[] = [];
  if (value.length > 63) errors.push(tooLong(63));
  if (!qualifiedPart.test(value)) {
    errors.push(
      regexError(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        labelValueFmt,
        'MyValue',
        'my_value',
        '12345',
      ),
    );
  }
  return errors;
}

export function whyNotConfigMapKey(value: string): string[] {
  const errors: string[] = [];
  if (value.length > 253) errors.push(tooLong(253));
  if (!/^[-._a-zA-Z0-9]+$/.test(value)) {
    errors.push(
      regexError(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        configMapKeyFmt,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  }
  if (value === '.' || value === '..') errors.push(`must not be '${value}'`);
  else if (value.startsWith('..')) errors.push("must not start with '..'");
  return errors;
}

/** Environment variable names; since 1.32 any printable ASCII but '=' is allowed. */
export function whyNotEnvVarName(value: string): string[] {
  if (value === '') return [regexError('a valid environment variable name must not be empty', envVarNameFmt, 'MY_ENV')];
  return /^[ -<>-~]+$/.test(value)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** Names of HTTP headers. */
export function whyNotHttpHeader(value: string): readonly string[] {
  if (/^[-A-Za-z0-9]+$/.test(value)) return fine;
  const what = "a valid HTTP header must consist of alphanumeric characters or '-'";
  return [regexError(what, '[-A-Za-z0-9]+', 'X-Header-Name')];
}

/** IANA service names, the names of container ports. */
export function whyNotPortName(value: string): string[] {
  const errors: string[] = [];
  if (value.length > 15) errors.push(tooLong(15));
  if (!/^[-a-z0-9]+$/.test(value))
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) errors.push('must contain at least one letter (a-z)');
  if (value.includes('--')) errors.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) errors.push('must not begin or end with a hyphen');
  return errors;
}

export function whyNotPort(value: number): string[] {
  return Number.isInteger(value) && value >= 1 && value <= 65535 ? [] : ['must be between 1 and 65535, inclusive'];
}
