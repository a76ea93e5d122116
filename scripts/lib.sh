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
mirror_of() { # CODENAME: where apt finds Debian's main archive
  apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Origin: Debian' |
    awk -v want="$1" '$2 == want && $1 ~ /^https?:/ {print $1; exit}'
}
debian_tree() { # FOLDER LOG PACKAGE…: makes a minimal tree of this machine's own Debian there
  local tree=$1 log=$2 codename mirror proxy
  shift 2
  codename=$(. /etc/os-release; echo "$VERSION_CODENAME")
  mirror=$(mirror_of "$codename")
  [ -n "$mirror" ] || die "apt knows no http mirror of Debian $codename" "run apt-get update; debootstrap takes its packages from that mirror"
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [ -z "${proxy:-}" ] || export http_proxy=$proxy
  rm -rf --one-file-system "$tree"
  debootstrap --variant=minbase --include="$(IFS=,; echo "$*")" "$codename" "$tree" "$mirror" >"$log" 2>&1 ||
    { tail -20 "$log" >&2; die "debootstrap failed" "its log is $log"; }
}
