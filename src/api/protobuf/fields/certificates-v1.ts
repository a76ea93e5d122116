// Made by scripts/read-protobuf-fields.ts: facts about certificates.k8s.io v1. line.ts says how a line reads.

export const certificatesV1 = {
  group: 'certificates.k8s.io',
  version: 'v1',
  messages: `
CertificateSigningRequest: metadata 1 meta/v1.ObjectMeta!, spec 2 CertificateSigningRequestSpec!, status 3 CertificateSigningRequestStatus!
CertificateSigningRequestCondition: type 1 string!, reason 2 string, message 3 string, lastUpdateTime 4 time!, lastTransitionTime 5 time!, status 6 string!
CertificateSigningRequestList: metadata 1 meta/v1.ListMeta!, items 2 []CertificateSigningRequest!
CertificateSigningRequestSpec: request 1 bytes!, username 2 string, uid 3 string, groups 4 []string, usages 5 []string, extra 6 {}ExtraValue, signerName 7 string!, expirationSeconds 8 int32?
CertificateSigningRequestStatus: conditions 1 []CertificateSigningRequestCondition, certificate 2 bytes
ExtraValue: = 1 []string
`,
} as const;
