// /version: which Kubernetes release clients may take this server for. kubectl compares minor versions with its own.

import packageJson from '../../../package.json' with { type: 'json' };

const major = '1';
const minor = '35';

export const gitVersion = `v${major}.${minor}.0+k8ts-${packageJson.version}`;

/** As git writes it. The bundle holds the commit that it was made from instead (scripts/build.ts). */
const noCommit = '0'.repeat(40);

export function versionDocument(): object {
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: '34',
    gitVersion,
    gitCommit: process.env['K8TS_COMMIT'] ?? noCommit,
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `node ${process.version}`,
    compiler: 'node',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}
