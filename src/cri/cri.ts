// The container runtime's socket (CRI v1 over gRPC) behind one interface. Implementations: grpc (containerd and others),
// fake (tests). Field names are the proto's in camelCase; source: k8s.io/cri-api runtime/v1 api.proto.
// The agent's author extends this file; preflight needs only `version` and `status`.

export interface RuntimeVersion {
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  readonly runtimeApiVersion: string;
}

export interface RuntimeCondition {
  readonly type: string;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}
