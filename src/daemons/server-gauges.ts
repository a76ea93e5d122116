// What a control plane tells about itself besides its API: when its certificates expire, and whether its controllers and its
// scheduler work. `k8ts status` reads the second.

import type { Gauge } from '../apiserver/index.ts';
import type { ComponentsThread } from './components-thread.ts';

export function serverGauges(on: {
  readonly expiries: () => ReadonlyMap<string, Date>;
  readonly components: () => ReturnType<ComponentsThread['state']> | undefined;
}): readonly Gauge[] {
  const labels = { name: 'controllers-and-scheduler' };
  return [
    {
      name: 'k8ts_certificate_expiration_timestamp_seconds',
      help: 'When each certificate of this control plane node expires, in seconds since the epoch.',
      samples: () =>
        [...on.expiries()].map(([name, expires]) => ({ labels: { name }, value: expires.getTime() / 1000 })),
    },
    {
      name: 'k8ts_component_up',
      help: 'Whether controllers and scheduler work: 1, or 0 while they are being started.',
      samples: () => [{ labels, value: on.components()?.isUp === true ? 1 : 0 }],
    },
    {
      name: 'k8ts_component_restarts_total',
      help: 'How often controllers and scheduler were started again after a failure.',
      samples: () => [{ labels, value: on.components()?.restarts ?? 0 }],
    },
  ];
}
