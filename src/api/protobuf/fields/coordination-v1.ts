// Made by scripts/read-protobuf-fields.ts: facts about coordination.k8s.io v1. line.ts says how a line reads.

export const coordinationV1 = {
  group: 'coordination.k8s.io',
  version: 'v1',
  messages: `
Lease: metadata 1 meta/v1.ObjectMeta!, spec 2 LeaseSpec!
LeaseList: metadata 1 meta/v1.ListMeta!, items 2 []Lease!
LeaseSpec: holderIdentity 1 string?, leaseDurationSeconds 2 int32?, acquireTime 3 microTime?, renewTime 4 microTime?, leaseTransitions 5 int32?, strategy 6 string?, preferredHolder 7 string?
`,
} as const;
