// containerd's configuration, changed line by line so that what people wrote into it stays as it is. A TOML library was
// refused: it would write the whole file anew, without its comments. Only a value or a section is added or replaced.

import { CodedError } from '../../base/index.ts';
import type { Host } from '../../host/index.ts';
import type { Repair } from '../check.ts';
import type { PreflightFacts } from '../facts.ts';

export const enableCri: Repair = {
  does: 'takes "cri" out of disabled_plugins in the configuration of containerd, and restarts it',
  run: (host, facts, signal) => editConfig(host, facts, signal, withCriEnabled),
};

export const restrictOomScore: Repair = {
  does: 'sets restrict_oom_score_adj in the configuration of containerd, and restarts it',
  run: (host, facts, signal) =>
    editConfig(host, facts, signal, (text) => withValue(text, criSection(text), 'restrict_oom_score_adj', 'true')),
};

export const useSystemdCgroups: Repair = {
  does: 'sets SystemdCgroup in the configuration of containerd as the machine needs it, and restarts it',
  run: (host, facts, signal) =>
    editConfig(host, facts, signal, (text) => {
      const runc = [...criSection(text), 'containerd', 'runtimes', 'runc'];
      // A file that names the runtime at all has to name its type: containerd takes no default for it then.
      const isUntyped = valueLine(text, runc, 'runtime_type') === undefined;
      const whole = isUntyped ? withValue(text, runc, 'runtime_type', '"io.containerd.runc.v2"') : text;
      return withValue(whole, [...runc, 'options'], 'SystemdCgroup', String(facts.hasSystemd));
    }),
};

async function editConfig(
  host: Host,
  { runtimeProcess, hasSystemd }: PreflightFacts,
  signal: AbortSignal,
  edit: (text: string) => string,
): Promise<void> {
  if (runtimeProcess === undefined) return;
  const { configFile } = runtimeProcess;
  const text = (await host.readFileIfExists(configFile))?.toString('utf8') ?? 'version = 2\n';
  await host.writeFile(configFile, edit(text));
  if (hasSystemd) {
    // Type=notify: it returns once containerd answers.
    await host.run('systemctl', ['restart', 'containerd'], { signal });
    return;
  }
  throw new CodedError('RUNTIME_NOT_RESTARTED', `${configFile} is changed, and containerd has to be restarted for it`, {
    hint: 'restart containerd and run the command again',
  });
}

/** Each version of the file has its own name for the plugin; without a version it is the first, as in Docker's packages. */
function criSection(text: string): readonly string[] {
  const version = /^\s*version\s*=\s*(\d+)/m.exec(text)?.[1] ?? '1';
  const names: Readonly<Record<string, string>> = { 1: 'cri', 2: 'io.containerd.grpc.v1.cri' };
  return ['plugins', names[version] ?? 'io.containerd.cri.v1.runtime'];
}

/** Takes every name of the CRI plugin out of the list, which may go over several lines. */
function withCriEnabled(text: string): string {
  return text.replace(
    /^(\s*disabled_plugins\s*=\s*\[)([^\]]*)(\])/m,
    (_all, open: string, list: string, close: string) => {
      const kept = list
        .split(',')
        .filter(
          (item) =>
            item.trim() !== '' && !/^["'](cri|io\.containerd\.(grpc\.v1\.cri|cri\.v1\.\w+))["']$/.test(item.trim()),
        );
      return `${open}${kept.join(',').replace(/^ +/, '')}${close}`;
    },
  );
}

/** The text with `key = value` in the section, which is added at the end when it is not there. Source: toml.io v1.0.0. */
function withValue(text: string, section: readonly string[], key: string, value: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => sameSection(line, section));
  if (start < 0) {
    const header = `[${section.map((part) => (/^[\w-]+$/.test(part) ? part : `"${part}"`)).join('.')}]`;
    const whole = text === '' || text.endsWith('\n') ? text : `${text}\n`;
    return `${whole}\n${header}\n  ${key} = ${value}\n`;
  }
  const at = valueLine(text, section, key);
  if (at === undefined) lines.splice(start + 1, 0, `  ${key} = ${value}`);
  else lines[at] = (lines[at] ?? '').replace(/=\s*[^\s#]+/, `= ${value}`);
  return lines.join('\n');
}

/** The number of the line that sets `key` in the section, from 0. */
function valueLine(text: string, section: readonly string[], key: string): number | undefined {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => sameSection(line, section));
  if (start < 0) return undefined;
  const after = lines.findIndex((line, at) => at > start && /^\s*\[/.test(line));
  const end = after < 0 ? lines.length : after;
  const found = lines.findIndex((line, at) => at > start && at < end && line.split('=')[0]?.trim() === key);
  return found < 0 ? undefined : found;
}

/** [plugins."a.b".c], whatever its quotes. */
function sameSection(line: string, section: readonly string[]): boolean {
  const inside = /^\s*\[([^[\]]+)\]\s*(#.*)?$/.exec(line)?.[1];
  if (inside === undefined) return false;
  const parts = [...inside.matchAll(/"([^"]*)"|'([^']*)'|([\w-]+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
  return parts.length === section.length && parts.every((part, at) => part === section[at]);
}
