// A certificate signing request in base64, made anew for each run.

import { generateKeyPairSync } from 'node:crypto';
import { createCsr } from '../../src/certs/index.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const pem = createCsr({ keyPem, subject: { commonName: 'somebody', organizations: ['group'] } });

export const certificateRequest = Buffer.from(pem).toString('base64');
