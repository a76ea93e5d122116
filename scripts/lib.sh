# Sourced by the scripts beside it: where the checkout is, and the pinned Node.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case "$(uname -m)" in x86_64) node_arch=x64 ;; aarch64) node_arch=arm64 ;; *) echo "unsupported machine $(uname -m): k8ts runs on x86_64 and aarch64" >&2; exit 1 ;; esac
node_dir=$root/node_modules/node-linux-$node_arch/bin
export PATH=$node_dir:$root/node_modules/.bin:$PATH
