// ComponentStatus: whether scheduler, controller manager and datastore work, as `kubectl get componentstatuses` asks. Each
// is asked when somebody looks, nothing is remembered. Whoever starts this server says how the first two are asked; by
// default, and where they are programs of their own, it is their /healthz on this machine, as upstream does.
// Source: k8s.io/kubernetes pkg/registry/core/componentstatus/rest.go; pkg/probe/http.

import { messageOf } from '../../base/index.ts';
import { CompactedError, type Store } from '../../store/index.ts';

export interface ComponentCheck {
  readonly name: string;
  /** Why it does not work, undefined when it does. May wait for as long as it likes, and reject. */
  whyNot(): Promise<string | undefined>;
}

const patienceMs = 5000;

/** The ports that these programs have upstream. */
export const componentPorts = { 'controller-manager': 10_257, scheduler: 10_259 } as const;

/** A program of its own on this machine. Its certificate is not looked at, as upstream. */
export function checkOnLoopback(name: string, port: number): ComponentCheck {
  const url = `https://127.0.0.1:${port}/healthz`;
  return { name, whyNot: () => asked(url, `127.0.0.1:${port}`) };
}

/** The datastore by the name that upstream's has; reading the past is what asks the disk. */
export function checkOfStore(store: Store, broken: () => string | undefined): ComponentCheck {
  return {
    name: 'etcd-0',
    async whyNot() {
      try {
        await store.range({ from: 'health', to: 'health', revision: Math.max(0, store.revision - 1) });
      } catch (error) {
        if (!(error instanceof CompactedError)) return messageOf(error);
      }
      return broken();
    },
  };
}

/** What `check` says in time; whatever goes wrong is why not. */
export async function answerOf(check: ComponentCheck, waitMs = patienceMs): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, waitMs, `${check.name} did not answer within ${waitMs / 1000} s`);
  });
  try {
    return await Promise.race([check.whyNot().catch(messageOf), late]);
  } finally {
    clearTimeout(timer);
  }
}

const shownMax = 1000;

/** node:https is loaded when it is first needed: hardly any server has such programs beside it. */
async function asked(url: string, at: string): Promise<string | undefined> {
  const { get } = await import('node:https');
  return await new Promise((resolve) => {
    const request = get(url, { rejectUnauthorized: false, agent: false, timeout: patienceMs }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text = (text + chunk).slice(0, shownMax);
      });
      answer.on('error', (error) => resolve(messageOf(error)));
      answer.on('end', () => {
        const { statusCode = 0 } = answer;
        const isWell = statusCode >= 200 && statusCode < 400;
        resolve(isWell ? undefined : text.trim() || `HTTP probe failed with statuscode: ${statusCode}`);
      });
    });
    request.on('timeout', () => request.destroy(new Error('i/o timeout')));
    request.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ECONNREFUSED' ? 'connect: connection refused' : messageOf(error);
      resolve(`Get "${url}": dial tcp ${at}: ${why}`);
    });
  });
}
