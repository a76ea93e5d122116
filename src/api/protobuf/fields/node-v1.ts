// Made by scripts/read-protobuf-fields.ts: facts about node.k8s.io v1. line.ts says how a line reads.

export const nodeV1 = {
  group: 'node.k8s.io',
  version: 'v1',
  messages: `
Overhead: podFixed 1 {}quantity
RuntimeClass: metadata 1 meta/v1.ObjectMeta!, handler 2 string!, overhead 3 Overhead?, scheduling 4 Scheduling?
RuntimeClassList: metadata 1 meta/v1.ListMeta!, items 2 []RuntimeClass!
Scheduling: nodeSelector 1 {}string, tolerations 2 []core/v1.Toleration
`,
} as const;
