# Shared by the scripts of this folder, which source it: messages, versions, packages, cores, a Python.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The program: ICP_PROGRAM, else what launch/setup builds.
icp=${ICP_PROGRAM:-$root/.build/release/icp}
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

# Stops where ICP_PROGRAM is no icp that can be started from anywhere.
check_program() {
  [[ ${ICP_PROGRAM-} ]] || return 0
  [[ $ICP_PROGRAM == /* ]] || stop 64 "ICP_PROGRAM is $ICP_PROGRAM: expected the whole path of a program"
  [[ -f $ICP_PROGRAM && -x $ICP_PROGRAM ]] || stop 64 "ICP_PROGRAM is $ICP_PROGRAM: no program is there"
  [[ $("$ICP_PROGRAM" --version 2>/dev/null) == 'icp '* ]] ||
    stop 64 "ICP_PROGRAM is $ICP_PROGRAM: not icp, since its --version does not begin so"
}

# default NAME VALUE: exports a variable unless the user has set it.
default() { export "$1=${!1-$2}"; }

# Open MPI as icp wants it, except for what the user has set.
open_mpi_environment() {
  default OMP_NUM_THREADS 1
  default OPENBLAS_NUM_THREADS 1
  default OMPI_ALLOW_RUN_AS_ROOT 1
  default OMPI_ALLOW_RUN_AS_ROOT_CONFIRM 1
  # A lost host is noticed after 5 seconds; the default is 8 minutes.
  default OMPI_MCA_oob_tcp_keepalive_time 3
  default OMPI_MCA_oob_tcp_keepalive_intvl 1
  default OMPI_MCA_oob_tcp_keepalive_probes 2
  # Copying straight from one process to another needs a right that containers withhold.
  default OMPI_MCA_btl_vader_single_copy_mechanism none
}

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

# apt_install PACKAGES...: with apt-get, as root or through sudo. Fails with 1 where apt-get does, whose words it shows,
# with 2 where there is none, and with 3 where there is no root to become.
apt_install() {
  local become_root=() log status=0
  command -v apt-get >/dev/null || return 2
  if ((EUID != 0)); then
    command -v sudo >/dev/null || return 3
    become_root=(sudo)
  fi
  say "installing with apt-get: $*"
  log=$(mktemp)
  { "${become_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
    "${become_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -q -y --no-install-recommends "$@"; } &>"$log" </dev/null || status=1
  ((status == 0)) || cat "$log" >&2
  rm -f "$log"
  return "$status"
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

# The numbers of those cores, a line each.
core_numbers() {
  local part parts
  IFS=, read -ra parts < <(awk '/^Cpus_allowed_list:/ { print $2 }' /proc/self/status)
  for part in "${parts[@]}"; do seq "${part%-*}" "${part#*-}"; done
}

own_python=$root/.build/python
with_torch='torch==2.13.0+cpu numpy safetensors' # without the libraries for GPUs, which take gigabytes

can_import() { "$1" -c "import ${2}" &>/dev/null </dev/null; }

# find_python MODULES: ICP_PYTHON becomes the first Python that imports them: the one it names or python3, else our own.
find_python() {
  local candidate
  for candidate in "${ICP_PYTHON:-python3}" "$own_python/bin/python"; do
    if can_import "$candidate" "$1"; then
      export ICP_PYTHON=$candidate
      return
    fi
  done
  return 1
}

# make_python SECONDS PACKAGES [SECONDS PACKAGES ...]: our own Python, with the first packages that install in their time.
make_python() {
  local log=$own_python.log
  mkdir -p "$root/.build"
  if [[ ! -x $own_python/bin/python ]]; then
    timeout 60 "${ICP_PYTHON:-python3}" -m venv "$own_python" &>"$log" </dev/null || return
  fi
  while (($#)); do
    # shellcheck disable=SC2086 # packages are words
    timeout -k 5 "$1" "$own_python/bin/python" -m pip install --disable-pip-version-check -q $2 &>>"$log" </dev/null &&
      return
    shift 2
  done
  return 1
}

# newest_step RUN: the number in the name of a run's newest checkpoint; -1 where there is none.
newest_step() {
  local names=("$1"/checkpoints/step-*.safetensors) name
  name=${names[-1]##*/step-}
  name=${name%.safetensors}
  if [[ $name =~ ^[0-9]+$ ]]; then echo $((10#$name)); else echo -1; fi
}

# background COMMAND...: starts it, without input; sets `child`, its process, and the files by which `await` learns its end.
#
# Between this shell, which has traps, and the command stands one that hears no signal and only waits: where a signal and
# the child's end coincide, bash 5.2's own wait gives 127 or -1 for the status, or does not return (14 of 300 tries).
background() {
  end_of_child=$(mktemp -d)
  (
    trap '' INT TERM USR1
    (
      trap - INT TERM USR1
      exec "$@"
    ) </dev/null &
    echo $! >"$end_of_child/process.new" && mv "$end_of_child/process.new" "$end_of_child/process"
    status=0
    wait $! || status=$?
    echo "$status" >"$end_of_child/status.new" && mv "$end_of_child/status.new" "$end_of_child/status"
  ) &
  until [[ -e $end_of_child/process ]]; do sleep 0.01; done
  child=$(<"$end_of_child/process")
}

# await: waits for the end of what `background` started last, however many signals come meanwhile; returns its status.
await() {
  local status
  until [[ -e $end_of_child/status ]]; do sleep 0.1 || true; done
  status=$(<"$end_of_child/status")
  rm -rf "$end_of_child"
  return "$status"
}

# can_be_cured STATUS: whether a new start can help: a crash or a rank that mpirun lost (70, 1, 128 and the number of a signal
# that kills or is a crash), a lost or stopped peer, a held run directory (75), weights that no longer agree (76), a lost host
# (205). Not a wrong configuration, bad data, a full disk or numbers that are not finite (64, 65, 74, 77).
can_be_cured() { [[ $1 =~ ^(1|70|75|76|13[2-79]|143|205)$ ]]; }
