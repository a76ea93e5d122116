// Made by scripts/read-protobuf-fields.ts: facts about authentication.k8s.io v1. line.ts says how a line reads.

export const authenticationV1 = {
  group: 'authentication.k8s.io',
  version: 'v1',
  messages: `
BoundObjectReference: kind 1 string, apiVersion 2 string, name 3 string, uid 4 string
ExtraValue: = 1 []string
SelfSubjectReview: metadata 1 meta/v1.ObjectMeta!, status 2 SelfSubjectReviewStatus!
SelfSubjectReviewStatus: userInfo 1 UserInfo!
TokenRequest: metadata 1 meta/v1.ObjectMeta!, spec 2 TokenRequestSpec!, status 3 TokenRequestStatus!
TokenRequestSpec: audiences 1 []string!, boundObjectRef 3 BoundObjectReference?!, expirationSeconds 4 int64?!
TokenRequestStatus: token 1 string!, expirationTimestamp 2 time!
TokenReview: metadata 1 meta/v1.ObjectMeta!, spec 2 TokenReviewSpec!, status 3 TokenReviewStatus!
TokenReviewSpec: token 1 string, audiences 2 []string
TokenReviewStatus: authenticated 1 bool, user 2 UserInfo!, error 3 string, audiences 4 []string
UserInfo: username 1 string, uid 2 string, groups 3 []string, extra 4 {}ExtraValue
`,
} as const;
