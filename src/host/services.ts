// Long-lived processes behind one interface. systemd runs them where it is PID 1; elsewhere (labs, containers) the
// supervisor does. Starting does not wait: readiness is announced by the process itself (ready.ts) and shows as `running`.

export interface ServiceSpec {
  /** k8ts-server; the unit's, log's and pid file's name. */
  readonly name: string;
  readonly description: string;
  /** Program by absolute path, then its arguments. */
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** systemd units to be started before, when they exist. */
  readonly after?: readonly string[];
  /** Where it may write; everything else is read-only for it under systemd. Absent: it works on the whole machine. */
  readonly writablePaths?: readonly string[];
}

/**
 *   absent ──install──► stopped ──start──► starting ──announceReady──► running
 *                          ▲                  ▲                          │
 *                          └──────stop────────┼── failed (back-off) ◄────┘ exit
 */
export interface ServiceStatus {
  readonly state: 'absent' | 'stopped' | 'starting' | 'running' | 'failed';
  readonly pid?: number;
  readonly restarts: number;
  /** Why it is not running: "exit code 1, next try in 2 s". */
  readonly reason?: string;
}

export interface Services {
  readonly kind: 'systemd' | 'supervisor';
  /** Writes what is needed to start it, also after a reboot. Does not start or restart it. */
  install(spec: ServiceSpec): Promise<void>;
  /** Not an error when it runs already. Returns before it is ready. */
  start(name: string): Promise<void>;
  /** SIGTERM, then SIGKILL after 20 s; resolves when the process is gone. */
  stop(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  status(name: string): Promise<ServiceStatus>;
  /** Stops it and takes back `install`. */
  remove(name: string): Promise<void>;
  /** The last `lines` of what it printed. */
  logs(name: string, lines: number): Promise<string>;
}
