// Made by scripts/read-protobuf-fields.ts: facts about scheduling.k8s.io v1. line.ts says how a line reads.

export const schedulingV1 = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  messages: `
PriorityClass: metadata 1 meta/v1.ObjectMeta!, value 2 int32!, globalDefault 3 bool, description 4 string, preemptionPolicy 5 string?
PriorityClassList: metadata 1 meta/v1.ListMeta!, items 2 []PriorityClass!
`,
} as const;
