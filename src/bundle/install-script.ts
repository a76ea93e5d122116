// The script that a master serves to a machine that is to become a node. Whoever runs it has checked the master's key by
// the pin in the command line (curl --pinnedpubkey) and has shown a token, so the script may carry the cluster's CA: the
// download after it trusts that CA and nothing else, and what was downloaded has to have the script's checksum. Everything
// is in functions that the last line calls, so a script that was cut off does nothing.

import type { Bundle } from './archive.ts';
import { installFunctions } from './install-archive.ts';
import { currentLink, installDir } from './places.ts';

export interface InstallScript {
  /** host:port of the API server. */
  readonly endpoint: string;
  readonly caPem: string;
  /** sha256:… as join takes it. */
  readonly caHash: string;
  readonly token: string;
  readonly bundles: readonly Pick<Bundle, 'name' | 'architecture' | 'sha256'>[];
}

const machines = { x64: 'x86_64', arm64: 'aarch64' } as const;

/** Arguments of the script are flags of `k8ts join`. */
export function installScript({ endpoint, caPem, caHash, token, bundles }: InstallScript): string {
  const cases = bundles.map(
    ({ architecture, name, sha256 }) =>
      `    ${machines[architecture]}) architecture=${architecture} name=${name} sha256=${sha256} ;;`,
  );
  return `#!/bin/sh
# Installs k8ts from the cluster at ${endpoint} and adds this machine to it.
set -eu
${installFunctions}
download() { # FILE: continues where an earlier attempt was cut
  command -v curl >/dev/null || fail PROGRAM_MISSING 'curl is not installed' 'install the package that has it'
  for pause in 1 2 4 8 0; do
    ! matches "$1" "$sha256" || return 0
    printf 'header = "Authorization: Bearer ${token}"\\n' | curl -fsS -K - --cacert ${installDir}/.ca.crt -C - \\
      -o "$1" "https://${endpoint}/k8ts/bundle/$architecture" || sleep "$pause"
  done
  ! matches "$1" "$sha256" || return 0
  rm -f "$1"
  fail DOWNLOAD_FAILED 'k8ts cannot be downloaded from ${endpoint}' 'look at the lines above and run the command again'
}
main() {
  prepare
  case $(uname -m) in
${cases.join('\n')}
    *) fail BUNDLE_MISSING "the cluster has no k8ts for $(uname -m)" 'on the master, put its archive into ${installDir}/archives' ;;
  esac
  archive=${installDir}/.download-$sha256
  if [ ! -f "${installDir}/$name/bundle.json" ]; then
    cat >${installDir}/.ca.crt <<'PEM'
${caPem.trim()}
PEM
    download "$archive"
    rm -f ${installDir}/.ca.crt
  fi
  install_k8ts "$archive" "$name" "$sha256"
  rm -f "$archive"
  exec ${currentLink}/bin/k8ts join ${endpoint} --token ${token} --discovery-token-ca-cert-hash ${caHash} "$@" </dev/null
}
main "$@"
`;
}
