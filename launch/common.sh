# Shared by the scripts of this folder, which source it: messages, versions, cores.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
icp=$root/.build/release/icp
me=launch/$(basename "$0")

say() { printf '%s: %s\n' "$me" "$*"; }

# stop [STATUS] MESSAGE: one line that says what to do, and the end.
stop() {
  local status=1
  if [[ $1 =~ ^[0-9]+$ ]]; then
    status=$1
    shift
  fi
  printf '%s: %s\n' "$me" "$*" >&2
  exit "$status"
}

# The comment at the head of the calling script is its help.
print_help() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

# at_least VERSION MINIMUM: compares MAJOR.MINOR.
at_least() {
  local major=${1%%.*} minor=${1#*.}
  minor=${minor%%[!0-9]*}
  ((major > ${2%%.*} || (major == ${2%%.*} && ${minor:-0} >= ${2#*.})))
}

# default NAME VALUE: exports a variable unless the user has set it.
default() { export "$1=${!1-$2}"; }

# Puts the folder of `swift` on PATH if it is in none of PATH's: toolchains are often only unpacked.
find_swift() {
  command -v swift >/dev/null && return
  local folders candidate
  IFS=: read -ra folders <<<"${ICP_SWIFT_FOLDERS-$(printf '%s:' /opt/swift*/usr/bin)$HOME/.local/share/swiftly/bin}"
  for candidate in "${folders[@]}"; do
    if [[ -x $candidate/swift ]]; then
      export PATH=$candidate:$PATH
      return
    fi
  done
  stop "Swift is missing: install 6.2 or newer from https://www.swift.org/install/linux and put it on PATH"
}

# The cores this process may use: its affinity, and the CPU quota of its container.
usable_cores() {
  local cores quota period
  cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc) # nproc believes these two
  if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [[ $quota != max ]]; then
    quota=$(((quota + period - 1) / period))
    ((quota < cores)) && cores=$quota
  fi
  echo "$cores"
}
