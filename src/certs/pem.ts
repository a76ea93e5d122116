// PEM blocks (RFC 7468).

/** DER of the first block with this label; undefined when there is none. */
export function fromPem(label: string, pem: string): Buffer | undefined {
  const block = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`).exec(pem);
  return block?.[1] === undefined ? undefined : Buffer.from(block[1].replace(/\s+/g, ''), 'base64');
}

export function toPem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
