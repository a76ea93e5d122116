// /metrics in the Prometheus text format, with upstream's names where the meaning is the same. Counting costs one Map
// lookup per request; everything else is worked out when somebody scrapes.

/** Which requests are counted together. */
export interface RequestLabels {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly scope: 'resource' | 'namespace' | 'cluster';
}

export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly samples: () => readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

export interface Metrics {
  /** One answered request; `seconds` undefined for watches and streams, whose length says nothing. */
  observe(labels: RequestLabels, code: number, seconds: number | undefined): void;
  /** A request that came with a client certificate; negative when it has expired. */
  observeCertificate(secondsLeft: number): void;
  text(gauges: readonly Gauge[]): string;
}

/** Seconds. Source: apiserver endpoints/metrics; a part of upstream's buckets, with a finer start. */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** Seconds that client certificates have left. Source: apiserver authentication/request/x509; upstream's buckets. */
const lifeBounds = [
  ...[0, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 345_600, 604_800, 2_592_000, 7_776_000, 15_552_000],
  31_104_000,
] as const;
const lifeMetric = 'apiserver_client_certificate_expiration_seconds';

/** Anybody can ask for resources that there are not, each with labels of its own: past so many they are counted as one. */
const seriesMax = 5000;
const others = { group: '', version: '', resource: 'other', subresource: '' } as const;

interface Series {
  readonly labels: RequestLabels;
  readonly codes: Map<number, number>;
  readonly buckets: number[];
  count: number;
  sum: number;
}

export function createMetrics(): Metrics {
  const series = new Map<string, Series>();
  const lives = { buckets: lifeBounds.map(() => 0), count: 0, sum: 0 };

  function seriesOf(labels: RequestLabels): Series {
    const key = `${labels.verb} ${labels.group}/${labels.version}/${labels.resource}/${labels.subresource} ${labels.scope}`;
    const known = series.get(key);
    if (known !== undefined) return known;
    if (series.size >= seriesMax && labels.resource !== others.resource) return seriesOf({ ...labels, ...others });
    const made: Series = { labels, codes: new Map(), buckets: bounds.map(() => 0), count: 0, sum: 0 };
    series.set(key, made);
    return made;
  }

  return {
    observe(labels, code, seconds) {
      const one = seriesOf(labels);
      one.codes.set(code, (one.codes.get(code) ?? 0) + 1);
      if (seconds === undefined) return;
      one.count += 1;
      one.sum += seconds;
      const at = bounds.findIndex((bound) => seconds <= bound);
      if (at >= 0) one.buckets[at] = (one.buckets[at] ?? 0) + 1;
    },
    observeCertificate(secondsLeft) {
      lives.count += 1;
      lives.sum += secondsLeft;
      const at = lifeBounds.findIndex((bound) => secondsLeft <= bound);
      if (at >= 0) lives.buckets[at] = (lives.buckets[at] ?? 0) + 1;
    },
    text: (gauges) =>
      [
        ...heading('apiserver_request_total', 'counter', 'Requests by verb, resource and HTTP code.'),
        ...[...series.values()].flatMap(({ labels, codes }) =>
          [...codes].map(([code, n]) => sample('apiserver_request_total', { ...labels, code: String(code) }, n)),
        ),
        ...heading('apiserver_request_duration_seconds', 'histogram', 'Time from a request to its whole answer.'),
        ...[...series.values()].flatMap((one) =>
          histogramOf('apiserver_request_duration_seconds', { ...one.labels }, bounds, one),
        ),
        ...heading(lifeMetric, 'histogram', 'What client certificates of requests have left of their life.'),
        ...histogramOf(lifeMetric, {}, lifeBounds, lives),
        ...gauges.flatMap(({ name, help, samples }) => [
          ...heading(name, 'gauge', help),
          ...samples().map(({ labels, value }) => sample(name, labels, value)),
        ]),
        '',
      ].join('\n'),
  };
}

function histogramOf(
  name: string,
  labels: Readonly<Record<string, string>>,
  limits: readonly number[],
  { buckets, count, sum }: Pick<Series, 'buckets' | 'count' | 'sum'>,
): string[] {
  let below = 0;
  const lines = limits.map((bound, index) => {
    below += buckets[index] ?? 0;
    return sample(`${name}_bucket`, { ...labels, le: String(bound) }, below);
  });
  return [
    ...lines,
    sample(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
    sample(`${name}_sum`, labels, sum),
    sample(`${name}_count`, labels, count),
  ];
}

function heading(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function sample(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const text = Object.entries(labels).map(
    ([key, one]) => `${key}="${one.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  );
  return text.length === 0 ? `${name} ${value}` : `${name}{${text.join(',')}} ${value}`;
}
