// The node's own name in /etc/hosts.

import { CodedError } from '../../base/index.ts';
import type { Repair } from '../check.ts';

const hostsFile = '/etc/hosts';

export const nameInHosts: Repair = {
  does: `adds the node's name to ${hostsFile}`,
  async run(host, { nodeName, nodeIp }) {
    if (nodeIp === undefined) {
      throw new CodedError('NODE_IP_UNKNOWN', `the address of ${nodeName} is not known yet`, {
        hint: 'pass --node-ip (join) or --apiserver-advertise-address (init)',
      });
    }
    const text = (await host.readFileIfExists(hostsFile))?.toString('utf8') ?? '';
    const whole = text === '' || text.endsWith('\n') ? text : `${text}\n`;
    await host.writeFile(hostsFile, `${whole}${nodeIp} ${nodeName}\n`);
  },
};
