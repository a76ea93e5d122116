// The organizations in the subject of a PKCS#10 request, read straight out of its DER. Only this one question is asked of
// a request here; the signer checks the rest with a full parser.
//
//   CertificationRequest ::= SEQUENCE { info SEQUENCE { version INTEGER, subject Name, … }, … }       RFC 2986
//   Name ::= SEQUENCE OF SET OF SEQUENCE { type OBJECT IDENTIFIER, value string }                      RFC 5280

interface Element {
  readonly tag: number;
  readonly body: Buffer;
}

const organization = Buffer.from([0x55, 0x04, 0x0a]);
const [tagUtf16, tagSet, tagSequence] = [0x1e, 0x31, 0x30];

/** Empty for what is no request at all: validation says so elsewhere. */
export function organizationsOf(pem: string): readonly string[] {
  const [, base64] = /-----BEGIN CERTIFICATE REQUEST-----([\s\S]*?)-----END/.exec(pem) ?? [];
  const request = elements(Buffer.from(base64 ?? '', 'base64'))[0];
  const subject = inside(inside(request)[0])[1];
  return inside(subject)
    .flatMap((set) => (set.tag === tagSet ? inside(set) : []))
    .flatMap((attribute) => {
      const [type, value] = inside(attribute);
      return type === undefined || value === undefined || !type.body.equals(organization) ? [] : [textOf(value)];
    });
}

function textOf({ tag, body }: Element): string {
  if (tag !== tagUtf16) return body.toString('utf8');
  return Buffer.from(body.subarray(0, body.length & ~1))
    .swap16()
    .toString('utf16le');
}

function inside(element: Element | undefined): readonly Element[] {
  return element === undefined || (element.tag !== tagSequence && element.tag !== tagSet) ? [] : elements(element.body);
}

function elements(der: Buffer): readonly Element[] {
  const found: Element[] = [];
  let at = 0;
  while (at + 2 <= der.length) {
    const tag = der.readUInt8(at);
    let length = der.readUInt8(at + 1);
    at += 2;
    if (length >= 0x80) {
      const size = length & 0x7f;
      if (size === 0 || size > 4 || at + size > der.length) return found;
      length = der.readUIntBE(at, size);
      at += size;
    }
    if (at + length > der.length) return found;
    found.push({ tag, body: der.subarray(at, at + length) });
    at += length;
  }
  return found;
}
