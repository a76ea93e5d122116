// DNS messages as bytes (RFC 1035 §4): reading a question, writing an answer with compressed names, cutting one that does
// not fit, and handing on another server's answer without decoding it. dns-packet decodes; it cannot compress, and an
// answer of thirty addresses would then not fit into one datagram.
//
//   0        2        4      6      8      10     12
//   │ id     │ flags  │ QD   │ AN   │ NS   │ AR   │ question … answers … authorities … additionals │

import { decode } from 'dns-packet';
import { ipv4Number } from '../ipv4.ts';
import { type Answer, type DnsRecord, type Question, type Rcode, rcodes } from './records.ts';

export interface Query extends Question {
  readonly bytes: Buffer;
  /** Where the question section ends. */
  readonly questionEnd: number;
  /** Bytes that the client takes in one datagram. */
  readonly maxSize: number;
  /** The client sent an OPT record (RFC 6891), so the answer carries one. */
  readonly edns: boolean;
  /** Everything besides the question that makes answers differ: RD, CD and DO bits. */
  readonly options: string;
}

const headerSize = 12;
const classInternet = 1;
/** The largest datagram that passes every path unfragmented (DNS flag day 2020). */
const ednsSize = 1232;
const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, SRV: 33 } as const;
const typeOpt = 41;
const flag = { response: 0x8000, authoritative: 0x0400, truncated: 0x0200, available: 0x0080 } as const;
const keptFlags = 0x0110; // RD and CD are repeated in the answer

/** The query, or the code to refuse it with; undefined: no query at all, to be dropped. */
export function readQuery(bytes: Buffer): Query | Rcode | undefined {
  if (bytes.length < headerSize || (bytes.readUInt16BE(2) & flag.response) !== 0) return undefined;
  if ((bytes.readUInt16BE(2) & 0x7800) !== 0) return 'NOTIMP';
  if (bytes.readUInt16BE(4) !== 1) return 'FORMERR';
  try {
    const { questions = [], additionals = [] } = decode(bytes);
    const [question] = questions;
    if (question === undefined) return 'FORMERR';
    if (question.class !== 'IN') return 'REFUSED';
    const opt = additionals.find((extra) => extra.type === 'OPT');
    const size = opt?.udpPayloadSize ?? 512;
    return {
      bytes,
      name: question.name.toLowerCase(),
      type: question.type,
      questionEnd: skipName(bytes, headerSize) + 4,
      maxSize: Math.min(Math.max(size, 512), ednsSize),
      edns: opt !== undefined,
      options: `${bytes.readUInt16BE(2) & keptFlags} ${opt?.flag_do ?? false}`,
    };
  } catch {
    return 'FORMERR'; // decode throws plain errors on anything malformed
  }
}

/** An answer without records, made from as much of the query as can be read. */
export function writeError(bytes: Buffer, rcode: Rcode, question?: { readonly questionEnd: number }): Buffer {
  const end = question?.questionEnd ?? headerSize;
  const out = Buffer.from(bytes.subarray(0, end));
  out.writeUInt16BE(flag.response | flag.available | (bytes.readUInt16BE(2) & 0x7910) | rcodes[rcode], 2);
  out.writeUInt16BE(question === undefined ? 0 : 1, 4);
  out.fill(0, 6, headerSize);
  return out;
}

/**
 * The answer in at most `limit` bytes. What does not fit is left out: additional records silently, others with the TC bit,
 * upon which clients ask again over TCP.
 */
export function writeAnswer(query: Query, answer: Answer, limit: number): Buffer {
  const names = new Map<string, number>();
  const chunks: Buffer[] = [query.bytes.subarray(headerSize, query.questionEnd)];
  let size = query.questionEnd;
  rememberName(names, query.name, headerSize);
  const budget = limit - (query.edns ? optRecord.length : 0);
  // Once one is left out all that follow are: their names might point into it.
  let full = false;
  const section = (records: readonly DnsRecord[]): number => {
    let count = 0;
    for (const record of records) {
      if (full) break;
      const bytes = writeRecord(record, names, size);
      full = size + bytes.length > budget;
      if (full) break;
      chunks.push(bytes);
      size += bytes.length;
      count += 1;
    }
    return count;
  };
  const answers = section(answer.answers);
  const authorities = section(answer.authorities);
  const cut = answers < answer.answers.length || authorities < answer.authorities.length;
  const additionals = cut ? 0 : section(answer.additionals);
  if (query.edns) chunks.push(optRecord);
  const header = Buffer.alloc(headerSize);
  const kept = query.bytes.readUInt16BE(2) & keptFlags;
  header.writeUInt16BE(query.bytes.readUInt16BE(0), 0);
  header.writeUInt16BE(
    flag.response | flag.authoritative | flag.available | kept | (cut ? flag.truncated : 0) | rcodes[answer.rcode],
    2,
  );
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers, 6);
  header.writeUInt16BE(authorities, 8);
  header.writeUInt16BE(additionals + (query.edns ? 1 : 0), 10);
  return Buffer.concat([header, ...chunks]);
}

/** Another server's answer with the client's id and question (clients check the case of its letters) and ageing TTLs. */
export function adaptReply(reply: Buffer, query: Query, ageSeconds: number, limit: number): Buffer {
  if (reply.length > limit) {
    const cut = writeError(query.bytes, 'NOERROR', query);
    cut.writeUInt16BE(cut.readUInt16BE(2) | flag.truncated, 2);
    return cut;
  }
  const out = Buffer.from(reply);
  query.bytes.copy(out, 0, 0, 2);
  query.bytes.copy(out, headerSize, headerSize, query.questionEnd);
  if (ageSeconds > 0) for (const { at, ttl } of ttlsOf(out)) out.writeUInt32BE(Math.max(0, ttl - ageSeconds), at);
  return out;
}

export function isTruncated(message: Buffer): boolean {
  return (message.readUInt16BE(2) & flag.truncated) !== 0;
}

export function rcodeOf(message: Buffer): number {
  return message.readUInt16BE(2) & 0x0f;
}

/** True when `reply` answers the question of `query` (RFC 5452 §9.1). */
export function isReplyTo(reply: Buffer, query: Buffer, questionEnd: number): boolean {
  if (reply.length < questionEnd || (reply.readUInt16BE(2) & flag.response) === 0) return false;
  if (reply.readUInt16BE(0) !== query.readUInt16BE(0) || reply.readUInt16BE(4) !== 1) return false;
  const question = (message: Buffer): string => message.toString('latin1', headerSize, questionEnd).toLowerCase();
  return question(reply) === question(query);
}

/** The TTL fields of all records but OPT, whose TTL field holds flags. Throws RangeError when the message is cut off. */
export function ttlsOf(message: Buffer): { readonly at: number; readonly ttl: number }[] {
  const found: { at: number; ttl: number }[] = [];
  let at = headerSize;
  for (let left = message.readUInt16BE(4); left > 0; left--) at = skipName(message, at) + 4;
  const records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  for (let left = records; left > 0; left--) {
    at = skipName(message, at);
    if (message.readUInt16BE(at) !== typeOpt) found.push({ at: at + 4, ttl: message.readUInt32BE(at + 4) });
    at += 10 + message.readUInt16BE(at + 8);
  }
  return found;
}

function skipName(message: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const length = message.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2; // a pointer ends a name
    at += length + 1;
  }
}

/** An empty OPT record: root name, type, our size, no extended code. */
const optRecord = Buffer.from([0, 0, typeOpt, ednsSize >> 8, ednsSize & 0xff, 0, 0, 0, 0, 0, 0]);

function writeRecord(record: DnsRecord, names: Map<string, number>, offset: number): Buffer {
  const name = writeName(record.name, names, offset);
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(types[record.type], 0);
  fixed.writeUInt16BE(classInternet, 2);
  fixed.writeUInt32BE(record.ttl, 4);
  const data = writeData(record, names, offset + name.length + fixed.length);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([name, fixed, data]);
}

function writeData(record: DnsRecord, names: Map<string, number>, offset: number): Buffer {
  switch (record.type) {
    case 'A':
      return uint32(ipv4Number(record.address) ?? 0);
    case 'CNAME':
    case 'PTR':
    case 'NS':
      return writeName(record.target, names, offset);
    case 'TXT':
      return Buffer.concat([Buffer.from([record.text.length]), Buffer.from(record.text)]);
    case 'SRV': {
      const fixed = Buffer.alloc(6);
      [record.priority, record.weight, record.port].forEach((value, at) => {
        fixed.writeUInt16BE(value, at * 2);
      });
      // RFC 2782: the target's name is not compressed.
      return Buffer.concat([fixed, writeName(record.target, new Map(), 0)]);
    }
    case 'SOA': {
      const mname = writeName(record.mname, names, offset);
      const rname = writeName(record.rname, names, offset + mname.length);
      const { serial, refresh, retry, expire, minimum } = record;
      return Buffer.concat([mname, rname, ...[serial, refresh, retry, expire, minimum].map(uint32)]);
    }
  }
}

/** The name at `offset`, its tail replaced by a pointer to where that was written before. */
function writeName(name: string, names: Map<string, number>, offset: number): Buffer {
  const parts: Buffer[] = [];
  let rest = name;
  let at = offset;
  while (rest !== '') {
    const known = names.get(rest);
    if (known !== undefined) return Buffer.concat([...parts, Buffer.from([0xc0 | (known >> 8), known & 0xff])]);
    if (at < 0x4000) names.set(rest, at);
    const dot = rest.indexOf('.');
    const label = dot === -1 ? rest : rest.slice(0, dot);
    parts.push(Buffer.from([label.length]), Buffer.from(label, 'latin1'));
    at += label.length + 1;
    rest = dot === -1 ? '' : rest.slice(dot + 1);
  }
  return Buffer.concat([...parts, Buffer.from([0])]);
}

function rememberName(names: Map<string, number>, name: string, offset: number): void {
  writeName(name, names, offset);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
