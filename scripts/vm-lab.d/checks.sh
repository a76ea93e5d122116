# What `scripts/vm-lab test` checks, sourced by it: first what a cluster is for, then what only machines with a kernel and
# a systemd of their own can show. Each check is a function; each thing it expects is one line of output and counts once.
# The machines are slow, so that each expectation has minutes, not seconds; none depends on how fast it was met.

checks=(ready units network kernel resources crash reboot reset rejoin)
patience=300 # seconds
installed_k8ts=/usr/local/lib/k8ts/bin/k8ts # there after a reset, too
passed=0 failed=0

ok() { printf 'ok      %s\n' "$1"; passed=$((passed + 1)); }
not_ok() { printf 'NOT OK  %s\n' "$1"; [ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/        /' | tail -30; failed=$((failed + 1)); }

expect() { # WHAT COMMAND…: tried until it succeeds; when it never does, its last output is shown
  local what=$1 end=$(($(date +%s) + patience)) output
  shift
  while :; do
    if output=$("$@" 2>&1); then ok "$what"; return 0; fi
    [ "$(date +%s)" -lt "$end" ] || break
    sleep 2
  done
  not_ok "$what" "$output"
}
expect_now() { local end; patience=0 expect "$@"; }
says() { local pattern=$1; shift; local output; output=$("$@" 2>&1) || true; printf '%s\n' "$output"; grep -qE -- "$pattern" <<<"$output"; }
equals() { local want=$1; shift; local output; output=$("$@" 2>&1) || true; printf '%s\n' "$output"; [ "$output" = "$want" ]; }
address_of() { kubectl get node "$1" -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'; }
pods_on() { kubectl get pods -l "$2" --field-selector "spec.nodeName=$1,status.phase=Running" -o 'jsonpath={range .items[*]}{.metadata.name} {.status.podIP}{"\n"}{end}'; }

check_ready() {
  local host
  for host in "${hosts[@]}"; do
    expect "$host is Ready" kubectl wait --for=condition=Ready "node/$host" --timeout=20s
  done
  expect "master is the control plane" says '^master +Ready +control-plane' kubectl get nodes
  expect "nodes are known by the address of the private network" says '^10\.89\.1\.11$' address_of node1
}

check_units() {
  local host unit
  for host in "${hosts[@]}"; do
    for unit in k8ts-agent $([ "$host" != master ] || echo k8ts-server); do
      expect "$unit is active on $host" equals active on "$host" systemctl is-active "$unit"
      expect_now "$unit starts at boot on $host" equals enabled on "$host" systemctl is-enabled "$unit"
      expect_now "$unit on $host runs what is installed in /opt/k8ts" says '/opt/k8ts/current/bin/node' on "$host" systemctl show -p ExecStart "$unit"
      expect_now "systemd has nothing to say about the file of $unit on $host" equals '' on "$host" systemd-analyze verify "/etc/systemd/system/$unit.service"
    done
    expect_now "no unit has failed on $host" equals '' on "$host" systemctl list-units --failed --no-legend --plain
  done
  expect_now "the server may write to its own folders only" says 'ReadWritePaths=.*/var/lib/k8ts' on master systemctl show -p ReadWritePaths k8ts-server
  expect_now "journald has the server's log" says '"' on master journalctl -u k8ts-server -n 5 -o cat --no-pager
}

check_network() {
  local host ip from to pod_ip
  kubectl apply -f "$root/examples/web.yaml" >/dev/null
  expect "the Deployment is rolled out" kubectl rollout status deployment/web --timeout=60s
  for host in node1 node2; do expect "pods of the Deployment run on $host" says '^web-' pods_on "$host" app=web; done
  for host in "${hosts[@]}"; do
    expect "the page, from outside, by the node port of $host" says 'from pod web-' inside curl -sS --max-time 20 "http://$(address_of "$host"):30080/"
  done
  ip=$(kubectl get service web -o 'jsonpath={.spec.clusterIP}')
  for host in "${hosts[@]}"; do expect "the page, on $host, by the Service's address" says 'from pod web-' on "$host" curl -sS --max-time 20 "http://$ip/"; done
  read -r from _ < <(pods_on node1 app=web)
  read -r to pod_ip < <(pods_on node2 app=web)
  expect "the page, in a pod, by the Service's name" says 'from pod web-' kubectl exec "$from" -- curl -sS --max-time 20 http://web.default.svc.cluster.local/
  expect "a pod on node1 reaches a pod on node2" says "from pod $to" kubectl exec "$from" -- curl -sS --max-time 20 "http://$pod_ip/"
  expect "packets as large as the pod network says go through unbroken" says ' 0% packet loss' on node1 \
    ping -c 2 -W 20 -M do -s "$(($(on node1 cat /sys/class/net/cni0/mtu) - 28))" "$pod_ip"
  expect "logs of a pod on another machine" says 'GET / HTTP' kubectl logs "$to"
}

check_kernel() {
  local host module
  for host in "${hosts[@]}"; do
    expect_now "$host has cgroup v2 alone" equals cgroup2fs on "$host" stat -f -c %T /sys/fs/cgroup
    for module in overlay br_netfilter vxlan nf_tables; do
      expect_now "$module is loaded on $host" on "$host" grep -q "^$module " /proc/modules
    done
    expect_now "bridged traffic meets the rules on $host" equals 1 on "$host" cat /proc/sys/net/bridge/bridge-nf-call-iptables
    expect_now "and will after a reboot" says br_netfilter on "$host" cat /etc/modules-load.d/k8ts.conf
  done
}

sized() { # NAME CONTAINER-RESOURCES COMMAND
  printf 'apiVersion: v1\nkind: Pod\nmetadata: { name: %s, labels: { app: sized } }\nspec:\n  nodeName: node1\n  terminationGracePeriodSeconds: 1\n  containers:\n    - { name: main, image: "k8ts.dev/busybox:1", resources: %s, command: [sh, -c, %s] }\n---\n' "$1" "$2" "$3"
}
group_of() { # NAME: the container's cgroup folder on node1
  on node1 sh -c "cat /proc/\$(pgrep -f 'sleep 1000$1\$' | head -1)/cgroup" | sed 's|^0::|/sys/fs/cgroup|'
}
setting_of() { on node1 sh -c "cat $(group_of "$1")/$2"; }
setting_of_pod() { on node1 sh -c "cat $(dirname "$(group_of "$1")")/$2"; }

check_resources() {
  {
    sized guaranteed '{ limits: { cpu: 250m, memory: 48Mi } }' '"exec sleep 10001"'
    sized burstable '{ requests: { cpu: 100m, memory: 16Mi }, limits: { memory: 64Mi } }' '"exec sleep 10002"'
    sized besteffort '{}' '"exec sleep 10003"'
    sized greedy '{ limits: { memory: 24Mi } }' '"dd if=/dev/zero of=/dev/null bs=200M"'
  } | kubectl apply -f - >/dev/null
  for name in guaranteed burstable besteffort; do
    expect "the $name pod runs" kubectl wait --for=condition=Ready "pod/$name" --timeout=20s
  done
  expect_now "its processor limit" equals '25000 100000' setting_of 1 cpu.max
  expect_now "its memory limit" equals $((48 * 1024 * 1024)) setting_of 1 memory.max
  expect_now "the whole pod's memory limit" equals $((48 * 1024 * 1024)) setting_of_pod 1 memory.max
  expect_now "the whole pod's processor limit" equals '25000 100000' setting_of_pod 1 cpu.max
  expect_now "a Burstable pod's memory limit" equals $((64 * 1024 * 1024)) setting_of 2 memory.max
  expect_now "a Burstable pod has no processor limit" equals 'max 100000' setting_of_pod 2 cpu.max
  expect_now "a Burstable pod's share of the processor" equals 4 setting_of_pod 2 cpu.weight
  expect_now "a BestEffort pod has no memory limit" equals max setting_of 3 memory.max
  expect_now "a BestEffort pod's share of the processor" equals 1 setting_of_pod 3 cpu.weight
  expect_now "BestEffort pods are below a folder of their own" says '/kubepods.*besteffort' group_of 3
  expect_now "a BestEffort pod is killed first when memory is short" equals 1000 on node1 sh -c "cat /proc/\$(pgrep -f 'sleep 10003\$' | head -1)/oom_score_adj"
  expect_now "a Guaranteed pod is killed last" equals -997 on node1 sh -c "cat /proc/\$(pgrep -f 'sleep 10001\$' | head -1)/oom_score_adj"
  expect "a container over its memory limit is OOMKilled" says 'OOMKilled' kubectl get pod greedy -o 'jsonpath={.status.containerStatuses[0].state.terminated.reason} {.status.containerStatuses[0].lastState.terminated.reason}'
  expect "and started again" says '^[1-9]' kubectl get pod greedy -o 'jsonpath={.status.containerStatuses[0].restartCount}'
  expect "the node's summary has the memory of a pod" says '"workingSetBytes":[1-9]' node_stats guaranteed
  expect "and its processor time" says '"usageCoreNanoSeconds":[1-9]' node_stats guaranteed
  expect "metrics of pods are there for Prometheus" says '^container_memory_working_set_bytes\{[^}]*pod="guaranteed"[^}]*\} [1-9]' kubectl get --raw /api/v1/nodes/node1/proxy/metrics/resource
  kubectl delete pods -l app=sized --wait --timeout="${patience}s" >/dev/null
  expect "no cgroup of those pods is left" says '^0$' on node1 sh -c "find /sys/fs/cgroup -path '*besteffort*' -name '*pod*' -type d | wc -l"
}
node_stats() { # POD: its part of node1's summary
  kubectl get --raw /api/v1/nodes/node1/proxy/stats/summary |
    "$root/node_modules/node-linux-$node_arch/bin/node" -e "const all = JSON.parse(require('fs').readFileSync(0, 'utf8')); console.log(JSON.stringify(all.pods.find((pod) => pod.podRef.name === '$1')))"
}

started_of() { on "$1" systemctl show -p NRestarts --value "$2"; }
check_crash() {
  local before
  before=$(kubectl get pods -l app=web -o 'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].containerID}{"\n"}{end}' | sort)
  on node1 systemctl kill -s KILL --kill-who=main k8ts-agent
  expect "systemd starts a killed agent again" says '^[1-9]' started_of node1 k8ts-agent
  expect "it is active" equals active on node1 systemctl is-active k8ts-agent
  on master systemctl kill -s KILL --kill-who=main k8ts-server
  expect "systemd starts a killed server again" says '^[1-9]' started_of master k8ts-server
  expect "the API answers" kubectl get --raw /readyz
  expect "every node is Ready" kubectl wait --for=condition=Ready nodes --all --timeout=20s
  expect_now "containers ran through both" equals "$before" sh -c "$(declare -f kubectl inside lab_pid); cache='$cache' folder='$folder'; kubectl get pods -l app=web -o 'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].containerID}{\"\\n\"}{end}' | sort"
}

boot_of() { on "$1" cat /proc/sys/kernel/random/boot_id; }
check_reboot() {
  local before
  before=$(boot_of node1)
  on node1 systemctl reboot || true
  inside ssh -F "$folder/ssh_config" -O exit node1 2>/dev/null || true
  expect "node1 boots again" other_than "$before" boot_of node1
  expect "its agent starts by itself" equals active on node1 systemctl is-active k8ts-agent
  expect "node1 is Ready again" kubectl wait --for=condition=Ready node/node1 --timeout=20s
  expect "the Deployment is complete" kubectl rollout status deployment/web --timeout=60s
  expect "the page, by the node port of node1" says 'from pod web-' inside curl -sS --max-time 20 "http://$(address_of node1):30080/"
  expect "no unit has failed on node1" equals '' on node1 systemctl list-units --failed --no-legend --plain
}
other_than() { local old=$1 output; shift; output=$("$@" 2>&1) && [ -n "$output" ] && [ "$output" != "$old" ]; }

# node2 leaves, is compared with what it was before anything was installed, and comes back by the next check.
check_reset() {
  local difference
  expect_now "k8ts reset on node2" on node2 "$installed_k8ts" reset --force
  # What vagrant/provision itself installed stays, and the machine's own logs and leases go on.
  difference=$(on node2 sh -c 'machine-state > /root/state-after; diff /root/state-at-first /root/state-after' | grep '^[<>]' |
    grep -vE ' (/usr/local/lib/k8ts|/root/state-|/var/log/(wtmp|btmp|lastlog|journal)|/var/lib/(systemd|containerd|dhcp|private))' || true)
  if [ -z "$difference" ]; then ok "node2 is what it was before k8ts came"; else not_ok "node2 is what it was before k8ts came" "$difference"; fi
  expect "the cluster has no node2" gone node/node2
}
gone() { ! kubectl get "$1" -o name; }

# A machine that is not ready for k8ts: swap is on, also after a reboot, and a module is not loaded.
check_rejoin() {
  local join
  on node2 sh -c 'modprobe -r br_netfilter; [ -e /swapfile ] || { dd if=/dev/zero of=/swapfile bs=1M count=64 status=none; chmod 600 /swapfile; mkswap -q /swapfile; }
    swapon /swapfile; grep -q /swapfile /etc/fstab || echo "/swapfile none swap sw 0 0" >>/etc/fstab'
  expect_now "br_netfilter is not loaded on node2" equals no on node2 sh -c '[ -e /sys/module/br_netfilter ] && echo yes || echo no'
  join=$(on master k8ts token create --ttl 30m --print-join-command)
  expect_now "join refuses a machine with swap, and says what to do" says 'ERROR Swap.*swap is on: /swapfile' on node2 "$installed_k8ts" ${join#k8ts }
  expect_now "with exit code 2" equals 2 exit_code on node2 "$installed_k8ts" ${join#k8ts }
  expect_now "and changes nothing" says '^/swapfile ' on node2 cat /proc/swaps
  expect_now "join --fix mends the machine and joins" on node2 "$installed_k8ts" ${join#k8ts } --fix
  expect "node2 is Ready" kubectl wait --for=condition=Ready node/node2 --timeout=20s
  expect_now "swap is off" equals 1 on node2 sh -c 'wc -l </proc/swaps'
  expect_now "and stays off after a reboot" equals '' on node2 sh -c 'grep -v "^#" /etc/fstab | grep swapfile'
  expect_now "br_netfilter was loaded" on node2 test -e /proc/sys/net/bridge
}
exit_code() { local code=0; "$@" >/dev/null 2>&1 || code=$?; echo "$code"; }

run_checks() {
  local start check
  start=$(date +%s)
  [ $# -gt 0 ] || set -- "${checks[@]}"
  for check in "$@"; do
    declare -F "check_$check" >/dev/null || die "no check $check" "one of: ${checks[*]}"
    printf '== %s\n' "$check"
    "check_$check"
  done
  printf '%s passed, %s failed, in %s s\n' "$passed" "$failed" "$(since "$start")"
  [ "$failed" = 0 ]
}
