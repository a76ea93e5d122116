export { type AuditLog, type AuditRecord, createAuditLog } from './audit-log.ts';
export { type AuditPolicy, parseAuditPolicy } from './policy.ts';
export { type AuditFileOptions, type AuditSink, createAuditFile } from './sink.ts';
