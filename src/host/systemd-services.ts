// Services as systemd units. Type=notify, so that `systemctl status` and dependants know when a daemon is really ready;
// NotifyAccess=all, because the notice is sent by the systemd-notify program (Node has no datagram unix sockets).

import type { Host } from './host.ts';
import type { ServiceSpec, ServiceStatus, Services } from './services.ts';

const unitDir = '/etc/systemd/system';

export function createSystemdServices(host: Host): Services {
  const unitPath = (name: string): string => `${unitDir}/${name}.service`;
  const systemctl = (...args: readonly string[]) => host.run('systemctl', args, { timeout: 120_000 });
  return {
    kind: 'systemd',
    async install(spec) {
      await host.writeFile(unitPath(spec.name), unitOf(spec));
      await host.record({ kind: 'unit', name: `${spec.name}.service` });
      await systemctl('enable', `${spec.name}.service`); // and systemd reads its files again, so that a changed unit holds
    },
    start: async (name) => void (await systemctl('start', '--no-block', `${name}.service`)),
    // Exit code 5: there is no such unit, so it does not run.
    stop: async (name) =>
      void (await host.run('systemctl', ['stop', `${name}.service`], { timeout: 120_000, accept: [5] })),
    restart: async (name) => void (await systemctl('restart', '--no-block', `${name}.service`)),
    async status(name) {
      const { stdout } = await host.run(
        'systemctl',
        ['show', `${name}.service`, '-p', 'LoadState,ActiveState,SubState,MainPID,NRestarts,Result'],
        { readsOnly: true },
      );
      return readShow(stdout);
    },
    async remove(name) {
      if ((await host.stat(unitPath(name))) === undefined) return;
      await systemctl('disable', '--now', `${name}.service`);
      await host.remove(unitPath(name));
      await systemctl('daemon-reload');
    },
    async logs(name, lines) {
      const args = ['-u', `${name}.service`, '-n', String(lines), '--no-pager', '-o', 'cat'];
      const { stdout } = await host.run('journalctl', args, { readsOnly: true, accept: [1] });
      return stdout.trimEnd();
    },
  };
}

/** The unit file of a service. */
export function unitOf(spec: ServiceSpec): string {
  const after = ['network-online.target', ...(spec.after ?? [])].join(' ');
  const environment = Object.entries(spec.environment ?? {}).map(
    ([key, value]) => `Environment=${quote(`${key}=${value}`)}`,
  );
  const confined =
    spec.writablePaths === undefined
      ? ['KillMode=process', 'Delegate=yes', 'TasksMax=infinity', 'UMask=0022'] // others read logs of pods and CNI's files
      : [
          'KillMode=mixed',
          'UMask=0077',
          'NoNewPrivileges=yes',
          'ProtectSystem=strict',
          'ProtectHome=yes',
          'PrivateTmp=yes',
          'PrivateDevices=yes',
          'ProtectKernelTunables=yes',
          'ProtectKernelModules=yes',
          'ProtectKernelLogs=yes',
          'ProtectControlGroups=yes',
          'ProtectClock=yes',
          'ProtectHostname=yes',
          'ProtectProc=invisible',
          'RestrictSUIDSGID=yes',
          'RestrictNamespaces=yes',
          'RestrictRealtime=yes',
          'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
          'SystemCallArchitectures=native',
          'LockPersonality=yes',
          // Ports below 1024, and files of other owners in folders that somebody chose for data and audit logs.
          'CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER',
          `ReadWritePaths=${spec.writablePaths.map((path) => quote(`-${path}`)).join(' ')}`,
        ];
  return [
    '[Unit]',
    `Description=${spec.description}`,
    'Wants=network-online.target',
    `After=${after}`,
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=notify',
    'NotifyAccess=all',
    `ExecStart=${spec.command.map(quote).join(' ')}`,
    ...environment,
    'Restart=always',
    'RestartSec=1',
    'TimeoutStartSec=infinity',
    'TimeoutStopSec=20',
    'LimitNOFILE=1048576',
    ...confined,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

/** Judges the output of `systemctl show`. */
export function readShow(text: string): ServiceStatus {
  const fields = new Map(
    text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
  );
  const pid = Number(fields.get('MainPID') ?? 0);
  const active = fields.get('ActiveState') ?? 'inactive';
  const restarts = Number(fields.get('NRestarts') ?? 0);
  const result = fields.get('Result') ?? 'success';
  const at = { restarts, ...(pid > 0 ? { pid } : {}) };
  if (fields.get('LoadState') === 'not-found') return { state: 'absent', restarts: 0 };
  if (active === 'active' || active === 'reloading') return { state: 'running', ...at };
  if (active === 'activating' && fields.get('SubState') !== 'auto-restart') return { state: 'starting', ...at };
  if (active === 'failed' || active === 'activating')
    return { state: 'failed', reason: `last run ended: ${result}`, ...at };
  return { state: 'stopped', ...at };
}

/** systemd.syntax(7): double quotes, backslash escapes; % starts a specifier and $ a variable. */
function quote(word: string): string {
  const safe = word.replaceAll('%', '%%');
  return /^[\w@%+=:,./-]+$/.test(safe)
    ? safe
    : `"${safe.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '$$$$')}"`;
}
