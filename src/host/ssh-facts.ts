// What another machine is, read by one script: the kernel's own files and tools that every Linux has.

import type { MachineFacts } from './host.ts';
import type { RunScript } from './ssh-files.ts';

/** Sections, each headed by `# NAME`. */
const script = [
  'echo "# name"; uname -n; echo "# uid"; id -u; echo "# machine"; uname -m; echo "# kernel"; uname -r',
  'echo "# processors"; nproc 2>/dev/null || grep -c ^processor /proc/cpuinfo',
  'echo "# memory"; cat /proc/meminfo; echo "# id"; cat /etc/machine-id 2>/dev/null; echo',
  'echo "# system"; (. /etc/os-release 2>/dev/null; echo "$PRETTY_NAME")',
  'echo "# addresses"; ip -o address 2>/dev/null; :',
].join('\n');

const architectures: Readonly<Record<string, string>> = { x86_64: 'x64', aarch64: 'arm64' };

export async function readRemoteFacts(run: RunScript): Promise<MachineFacts> {
  const { stdout } = await run(script, []);
  const sections = parseSections(stdout.toString());
  const first = (name: string): string => sections.get(name)?.[0]?.trim() ?? '';
  const memory = new Map(
    (sections.get('memory') ?? []).map((line) => {
      const [key = '', kib = '0'] = line.split(/:\s+/);
      return [key, Number.parseInt(kib, 10) * 1024] as const;
    }),
  );
  return {
    hostName: first('name'),
    uid: Number(first('uid')),
    architecture: architectures[first('machine')] ?? first('machine'),
    operatingSystem: first('system'),
    kernel: first('kernel'),
    processors: Number(first('processors')),
    memoryBytes: memory.get('MemTotal') ?? 0,
    swapBytes: memory.get('SwapTotal') ?? 0,
    machineId: first('id'),
    addresses: (sections.get('addresses') ?? []).flatMap(parseAddress),
  };
}

function parseSections(text: string): ReadonlyMap<string, readonly string[]> {
  const sections = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('# ')) {
      current = [];
      sections.set(line.slice(2), current);
    } else if (line !== '') current.push(line);
  }
  return sections;
}

/** `ip -o address`: "2: eth0    inet 192.0.2.10/24 brd …" */
function parseAddress(line: string): MachineFacts['addresses'] {
  const [, device, family, address] = /^\d+:\s+(\S+)\s+(inet6?)\s+([^/\s]+)/.exec(line) ?? [];
  if (device === undefined || address === undefined) return [];
  return [{ device, address, family: family === 'inet' ? 4 : 6 }];
}
