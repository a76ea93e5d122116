// Installs a bundle on a machine that has no Node: a shell script that needs sh, tar, gzip and sha256sum, and nothing else.
// It writes its changes into the journal before it makes them, as everything does that changes a machine, so that reset
// takes them back even where init or join never ran. `up` runs it over SSH; the install script that a master serves is the
// same script with a download before it.

import { CodedError } from '../base/index.ts';
import { type Host, journalPath } from '../host/index.ts';
import type { Bundle } from './archive.ts';
import { commandLink, installDir } from './places.ts';

/** Shell functions; the last one is `install_k8ts ARCHIVE NAME SHA256`. Safe to run again, and at any point. */
export const installFunctions = `journal=${journalPath}
fail() {
  echo "error: $2 [$1]" >&2
  echo "  what to do: $3" >&2
  exit 1
}
note() { # KIND PATH REST: a change, into the journal before it is made; once
  case $(cat "$journal" 2>/dev/null) in *'"kind":"'"$1"'","path":"'"$2"'"'*) return 0 ;; esac
  printf '{"time":"%s","kind":"%s","path":"%s"%s}\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" "$2" "$3" >>"$journal"
  sync -d "$journal" 2>/dev/null || :
}
own_folder() { # MODE PATH: a folder that is k8ts's alone
  [ -d "$2" ] || { note directory "$2" ''; mkdir -p "$2"; chmod "$1" "$2"; }
}
matches() { # FILE SHA256
  echo "$2  $1" | sha256sum -c - >/dev/null 2>&1
}
prepare() { # what has to hold before anything is changed, and the journal
  umask 022
  [ "$(id -u)" = 0 ] || fail NOT_ROOT 'only root may install k8ts' 'run it with sudo'
  for program in tar gzip sha256sum; do
    command -v "$program" >/dev/null || fail PROGRAM_MISSING "$program is not installed" "install the package that has it"
  done
  [ -d /var/lib/k8ts ] || { mkdir -p /var/lib/k8ts; chmod 700 /var/lib/k8ts; note directory /var/lib/k8ts ''; }
  own_folder 755 ${installDir}
}
install_k8ts() {
  prepare
  if [ ! -f "${installDir}/$2/bundle.json" ]; then
    matches "$1" "$3" ||
      fail BUNDLE_DAMAGED "the checksum of $1 is not $3" 'remove the file and copy it again'
    rm -rf ${installDir}/.new
    mkdir ${installDir}/.new
    gzip -dc "$1" | tar -xof - -C ${installDir}/.new ||
      fail BUNDLE_NOT_UNPACKED "$1 cannot be unpacked into ${installDir}" 'see that the disk has 150 MB free'
    rm -rf "${installDir}/$2"
    mv "${installDir}/.new/$2" "${installDir}/$2"
    rmdir ${installDir}/.new
  fi
  ln -sfn "$2" ${installDir}/.current && mv -fT ${installDir}/.current ${installDir}/current
  if [ ! -e ${commandLink} ] && [ ! -L ${commandLink} ]; then
    [ -d ${commandLink.slice(0, commandLink.lastIndexOf('/'))} ] || mkdir -p ${commandLink.slice(0, commandLink.lastIndexOf('/'))}
    note file ${commandLink} ',"before":null'
    ln -s ${installDir}/current/bin/k8ts ${commandLink}
  fi
}`;

export interface InstallOptions {
  /** Where the archive is on that host. */
  readonly archive: string;
  readonly signal?: AbortSignal;
}

/**
 * Unpacks the archive, which is on the host already, and makes its version the current one. Quick when that is installed.
 * @throws CodedError NOT_ROOT, PROGRAM_MISSING, BUNDLE_DAMAGED, BUNDLE_NOT_UNPACKED
 */
export async function installBundle(
  host: Pick<Host, 'run'>,
  bundle: Pick<Bundle, 'name' | 'sha256'>,
  { archive, signal }: InstallOptions,
): Promise<void> {
  const script = `set -eu\n${installFunctions}\ninstall_k8ts "$1" "$2" "$3"\n`;
  const { code, stderr } = await host.run('sh', ['-s', '--', archive, bundle.name, bundle.sha256], {
    stdin: script,
    timeout: 300_000,
    accept: [1],
    ...(signal === undefined ? {} : { signal }),
  });
  if (code === 0) return;
  const [, message = stderr.trim(), id = 'INSTALL_FAILED'] = /^error: (.*) \[([A-Z_]+)\]$/m.exec(stderr) ?? [];
  const hint = /^ {2}what to do: (.*)$/m.exec(stderr)?.[1];
  throw new CodedError(id, message, hint === undefined ? {} : { hint });
}
