# Sourced by the scripts beside it: where the checkout is, the pinned Node, kubectl and helm in PATH.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case "$(uname -m)" in
  x86_64) node_arch=x64 ;;
  aarch64) node_arch=arm64 ;;
  *) echo "k8ts runs on x86_64 and aarch64, not on $(uname -m)" >&2; exit 1 ;;
esac
cache=$root/.cache
export PATH=$root/bin:$root/node_modules/node-linux-$node_arch/bin:$root/node_modules/.bin:$cache/bin:/usr/local/sbin:/usr/sbin:/sbin:$PATH

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $1"; [ -z "${2:-}" ] || say "  what to do: $2"; exit 1; }
