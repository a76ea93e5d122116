// /livez, /readyz, /healthz: named checks, `?verbose` for one line each, `?exclude=` to leave some out.
// Source: "Kubernetes API health endpoints".

export interface HealthCheck {
  readonly name: string;
  /** /livez asks these too; others only say whether the server may get traffic. */
  readonly live: boolean;
  /** Why not, or undefined when all is well. */
  readonly whyNot: () => string | undefined;
}

export interface HealthAnswer {
  readonly status: 200 | 404 | 500;
  readonly text: string;
}

/** The answer for `/livez`, `/readyz`, `/healthz` and one check below them; undefined for other paths. */
export function healthAnswer(
  path: string,
  query: URLSearchParams,
  checks: readonly HealthCheck[],
): HealthAnswer | undefined {
  const [, endpoint = '', one, ...more] = path.split('/');
  if (!['livez', 'readyz', 'healthz'].includes(endpoint) || more.length > 0) return undefined;
  const mine = endpoint === 'livez' ? checks.filter(({ live }) => live) : checks;
  if (one !== undefined && one !== '') {
    if (one === 'ping') return judge(endpoint, [], false);
    const check = mine.find(({ name }) => name === one);
    return check === undefined ? { status: 404, text: '404 page not found\n' } : judge(endpoint, [check], false);
  }
  const excluded = new Set(query.getAll('exclude'));
  return judge(
    endpoint,
    mine.filter(({ name }) => !excluded.has(name)),
    query.has('verbose'),
  );
}

function judge(endpoint: string, checks: readonly HealthCheck[], verbose: boolean): HealthAnswer {
  const lines = [{ name: 'ping', why: undefined }, ...checks.map(({ name, whyNot }) => ({ name, why: whyNot() }))].map(
    ({ name, why }) => (why === undefined ? `[+]${name} ok` : `[-]${name} failed: ${why}`),
  );
  const failed = lines.some((line) => line.startsWith('[-]'));
  if (failed) return { status: 500, text: `${lines.join('\n')}\n${endpoint} check failed\n` };
  return { status: 200, text: verbose ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok' };
}
