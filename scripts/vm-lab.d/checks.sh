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
lacks() { local pattern=$1; shift; ! "$@" | grep -E -- "$pattern"; }
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

# Each look at a machine takes seconds, so that a check looks once and judges what it saw.
check_units() {
  local host seen unit units
  for host in "${hosts[@]}"; do
    units=(k8ts-agent)
    [ "$host" != master ] || units+=(k8ts-server)
    seen=$(on "$host" sh -c "for unit in ${units[*]}; do
      systemctl show -p ActiveState,UnitFileState,Type,ExecStart,ReadWritePaths \$unit | sed \"s/^/\$unit /\"
      systemd-analyze verify /etc/systemd/system/\$unit.service 2>&1 | sed \"s/^/\$unit verify /\"
      journalctl -u \$unit -n 2 -o cat --no-pager | sed \"s/^/\$unit log /\"
    done; systemctl list-units --failed --no-legend --plain | sed 's/^/failed /'" 2>&1)
    for unit in "${units[@]}"; do
      expect_now "$unit is active on $host" says "^$unit ActiveState=active" echo "$seen"
      expect_now "$unit starts at boot on $host" says "^$unit UnitFileState=enabled" echo "$seen"
      expect_now "$unit on $host says itself when it is ready" says "^$unit Type=notify" echo "$seen"
      expect_now "$unit on $host runs what is installed in /opt/k8ts" says "^$unit ExecStart=.*/opt/k8ts/current/bin/node" echo "$seen"
      expect_now "$unit on $host logs to the journal" says "^$unit log ." echo "$seen"
      expect_now "systemd has nothing to say about the file of $unit on $host" lacks "^$unit verify" echo "$seen"
    done
    expect_now "no unit has failed on $host" lacks '^failed' echo "$seen"
    [ "$host" != master ] || expect_now "the server may write to its own folders only" says '^k8ts-server ReadWritePaths=.*/var/lib/k8ts' echo "$seen"
  done
}

check_network() {
  local host ip from to pod_ip
  expect "the Deployment is accepted" kubectl apply -f "$root/examples/web.yaml"
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
  local host seen module
  for host in "${hosts[@]}"; do
    seen=$(on "$host" sh -c 'echo "cgroup $(stat -f -c %T /sys/fs/cgroup)"; sed "s/ .*//; s/^/module /" /proc/modules
      echo "bridged $(cat /proc/sys/net/bridge/bridge-nf-call-iptables)"; sed "s/^/boot /" /etc/modules-load.d/k8ts.conf /etc/sysctl.d/90-k8ts.conf' 2>&1)
    expect_now "$host has cgroup v2 alone" says '^cgroup cgroup2fs$' echo "$seen"
    for module in overlay br_netfilter vxlan nf_tables; do
      expect_now "$module is loaded on $host" says "^module $module$" echo "$seen"
    done
    expect_now "bridged traffic meets the rules on $host" says '^bridged 1$' echo "$seen"
    expect_now "and will after a reboot" says '^boot br_netfilter$' echo "$seen"
  done
}

sized() { # NODE NAME RESOURCES COMMAND
  cat <<YAML
apiVersion: v1
kind: Pod
metadata: { name: $2, labels: { app: sized } }
spec:
  nodeName: $1
  terminationGracePeriodSeconds: 1
  containers:
    - { name: main, image: "k8ts.dev/busybox:1", resources: $3, command: [sh, -c, $4] }
---
YAML
}
# Each sleeps for a number of seconds that no other program does, so that its process can be found on the machine.
groups_on() { # NODE SECONDS…: the processes' cgroups and those of their pods, as the kernel has them
  local host=$1
  shift
  on "$host" sh -c "for seconds in $*; do
    process=\$(pgrep -o -x -f \"sleep \$seconds\")
    group=\$(sed 's|^0::|/sys/fs/cgroup|' /proc/\$process/cgroup) pod=\${group%/*}
    echo \$seconds group \$group
    echo \$seconds oom_score_adj \$(cat /proc/\$process/oom_score_adj)
    for file in cpu.max memory.max; do echo \$seconds \$file \$(cat \$group/\$file); done
    for file in cpu.max memory.max cpu.weight; do echo \$seconds pod \$file \$(cat \$pod/\$file); done
    echo \$seconds class cpu.weight \$(cat \${pod%/*}/cpu.weight)
  done"
}
status_of() { kubectl get pod "$1" -o "jsonpath={.status.containerStatuses[0].$2}"; }

check_resources() { resources_on node1; }
resources_on() {
  local host=$1 name seen what want pods
  pods=$(
    sized "$host" guaranteed '{ limits: { cpu: 500m, memory: 48Mi } }' '"exec sleep 10001"'
    sized "$host" burstable '{ requests: { cpu: 100m, memory: 16Mi }, limits: { memory: 64Mi } }' '"exec sleep 10002"'
    sized "$host" besteffort '{}' '"exec sleep 10003"'
    sized "$host" greedy '{ limits: { memory: 24Mi } }' '"sleep 1; x=0123456789abcdef; while :; do x=$x$x; done"'
  )
  expect "pods of each class are accepted on $host" apply "$pods"
  for name in guaranteed burstable besteffort; do
    expect "the $name pod runs" kubectl wait --for=condition=Ready "pod/$name" --timeout=20s
  done
  seen=$(groups_on "$host" 10001 10002 10003 2>&1)
  while IFS='|' read -r what want; do expect_now "$what" says "^$want$" echo "$seen"; done <<'LINES'
a Guaranteed pod's container: limit of the processor|10001 cpu.max 50000 100000
a Guaranteed pod's container: limit of memory|10001 memory.max 50331648
a Guaranteed pod: limit of the processor|10001 pod cpu.max 50000 100000
a Guaranteed pod: limit of memory|10001 pod memory.max 50331648
a Guaranteed pod is killed last when memory is short|10001 oom_score_adj -997
a Burstable pod's container: limit of memory|10002 memory.max 67108864
a Burstable pod: limit of memory|10002 pod memory.max 67108864
a Burstable pod: no limit of the processor|10002 pod cpu.max max 100000
a Burstable pod: share of the processor|10002 pod cpu.weight 4
a BestEffort pod: no limit of memory|10003 memory.max max
a BestEffort pod: share of the processor|10003 pod cpu.weight 1
a BestEffort pod is killed first when memory is short|10003 oom_score_adj 1000
BestEffort pods are below a folder of their own|10003 group .*/kubepods.*besteffort.*
which weighs as little as can be|10003 class cpu.weight 1
LINES
  expect "a container over its memory limit is OOMKilled" says OOMKilled status_of greedy '*.terminated.reason'
  expect "and started again" says '^[1-9]' status_of greedy restartCount
  expect "the node's summary has the memory of a pod" says '"workingSetBytes":[1-9]' summary_of "$host" guaranteed
  expect "and its processor time" says '"usageCoreNanoSeconds":[1-9]' summary_of "$host" guaranteed
  expect "so have the metrics" says '^container_memory_working_set_bytes\{[^}]*pod="guaranteed"[^}]*\} [1-9]' kubectl get --raw "/api/v1/nodes/$host/proxy/metrics/resource"
  expect "the pods are deleted" kubectl delete pods -l app=sized --wait --timeout=60s
  expect "none of their cgroups is left" equals 0 on "$host" sh -c "find /sys/fs/cgroup -path '*besteffort*' -name '*pod[0-9a-f]???????[-_]*' -type d | wc -l"
}
apply() { kubectl apply -f - <<<"$1"; }
summary_of() { # NODE POD
  kubectl get --raw "/api/v1/nodes/$1/proxy/stats/summary" |
    "$root/node_modules/node-linux-$node_arch/bin/node" -e \
      "console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(0, 'utf8')).pods.find((pod) => pod.podRef.name === '$2')))"
}

containers_of() { kubectl get pods -l "$1" -o 'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].containerID}{"\n"}{end}' | sort; }
started_of() { on "$1" systemctl show -p NRestarts --value "$2"; }
check_crash() {
  local before
  before=$(containers_of app=web)
  on node1 systemctl kill -s KILL --kill-who=main k8ts-agent
  expect "systemd starts a killed agent again" says '^[1-9]' started_of node1 k8ts-agent
  expect "it is active" equals active on node1 systemctl is-active k8ts-agent
  on master systemctl kill -s KILL --kill-who=main k8ts-server
  expect "systemd starts a killed server again" says '^[1-9]' started_of master k8ts-server
  expect "the API answers" kubectl get --raw /readyz
  expect "every node is Ready" kubectl wait --for=condition=Ready nodes --all --timeout=20s
  expect_now "containers ran through both" equals "$before" containers_of app=web
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
  # A node may not delete its own object (upstream took that right from nodes), so reset says who can.
  expect_now "k8ts reset on node2, which says what is left to do" says 'kubectl delete node node2' on node2 "$installed_k8ts" reset --force
  # What vagrant/provision itself installed stays, and the machine's own logs, leases and boot go on.
  difference=$(on node2 sh -c 'machine-state > /root/state-after; diff /root/state-at-first /root/state-after' | grep '^[<>]' |
    grep -vE ' (/usr/local/lib/k8ts|/root/state-|/var/log/(wtmp|btmp|lastlog|journal)|/var/lib/(systemd|containerd|dhcp|private))| unit systemd-networkd-wait-online' || true)
  if [ -z "$difference" ]; then ok "node2 is what it was before k8ts came"; else not_ok "node2 is what it was before k8ts came" "$difference"; fi
  expect "and that does it" kubectl delete node node2
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
  expect_now "containerd leaves cgroups to systemd now" says 'SystemdCgroup *= *true' on node2 cat /etc/containerd/config.toml
  resources_on node2
}
exit_code() { local code=0; "$@" >/dev/null 2>&1 || code=$?; echo "$code"; }

run_checks() {
  local start check
  start=$(date +%s)
  set +e # what fails is counted, and the next check goes on
  [ $# -gt 0 ] || set -- "${checks[@]}"
  for check in "$@"; do
    declare -F "check_$check" >/dev/null || die "no check $check" "one of: ${checks[*]}"
    printf '== %s\n' "$check"
    "check_$check"
  done
  printf '%s passed, %s failed, in %s s\n' "$passed" "$failed" "$(since "$start")"
  [ "$failed" = 0 ]
}
