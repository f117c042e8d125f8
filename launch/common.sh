# Shared by the scripts of this folder, which source it: messages, versions, packages, cores, a Python.

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")") # the scripts may be called through links
me=launch/$(basename "$(readlink -f "$0")")
# The program: ICP_PROGRAM, else what launch/setup builds.
icp=${ICP_PROGRAM:-$root/.build/release/icp}

# A terminal that has gone takes no line; the run goes on.
say() { printf '%s: %s\n' "$me" "$*" 2>/dev/null || true; }

# stop [STATUS] MESSAGE: one line that says what to do, and the end.
stop() {
  local status=1
  if [[ $1 =~ ^[0-9]+$ ]]; then
    status=$1
    shift
  fi
  printf '%s: %s\n' "$me" "$*" >&2 || true
  exit "$status"
}

# quoted WORDS...: as a line that a shell reads as these words.
quoted() {
  local words
  printf -v words '%q ' "$@"
  printf '%s\n' "${words% }"
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

# check_temporary: fails, and says why, where programs cannot make temporary files; some of them blame something else.
check_temporary() {
  local folder=${TMPDIR:-/tmp}
  if [[ $folder != /* ]]; then # mpirun works in other folders than this
    printf '%s: TMPDIR: %s is no whole path: set TMPDIR to one that begins with /\n' "$me" "$folder" >&2
    return 1
  fi
  [[ -d $folder && -w $folder && -x $folder ]] && return
  printf '%s: TMPDIR: %s is no folder that can be written: set TMPDIR to one\n' "$me" "$folder" >&2
  return 1
}

# ensure_home: a HOME for programs that trust that there is one: mpirun 4.1 crashes where neither the variable nor
# the list of users says any. / is a folder in which nobody else can put settings.
ensure_home() {
  [[ -z ${HOME-} ]] || return 0
  HOME=$(getent passwd "$EUID" 2>/dev/null | cut -d: -f6) || true
  [[ $HOME == /* && -d $HOME ]] || HOME=/
  export HOME
}
ensure_home

# Puts the folder of `swift` on PATH if it is in none of PATH's: toolchains are often only unpacked. Fails where there is none.
has_swift() {
  command -v swift >/dev/null && return
  local folders candidate
  IFS=: read -ra folders <<<"${ICP_SWIFT_FOLDERS-$(printf '%s:' /opt/swift*/usr/bin)$HOME/.local/share/swiftly/bin}"
  for candidate in "${folders[@]}"; do
    if [[ -x $candidate/swift ]]; then
      export PATH=$candidate:$PATH
      return
    fi
  done
  return 1
}

find_swift() {
  has_swift || stop "Swift is missing: install 6.2 or newer from https://www.swift.org/install/linux and put it on PATH"
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

# group_cores [ROOT [MEMBERSHIP]]: how many cores' time the control groups allow, rounded up: this process's own group and
# those around it, of version 1 and 2, as the program's ControlGroup reads them. Nothing where there is no limit.
group_cores() {
  local tree=${1:-/sys/fs/cgroup} controllers path base quota period least=
  while IFS=: read -r _ controllers path; do
    case ,$controllers, in
    ,,) if [[ -d $tree/unified ]]; then base=$tree/unified; else base=$tree; fi ;;
    *,cpu,*) base=$tree/cpu ;;
    *) continue ;;
    esac
    path=/${path//..\//}
    while true; do
      quota='' period=''
      if [[ $controllers ]]; then
        { read -r quota <"$base$path/cpu.cfs_quota_us" && read -r period <"$base$path/cpu.cfs_period_us"; } 2>/dev/null
      else
        read -r quota period 2>/dev/null <"$base$path/cpu.max"
      fi || true
      if [[ $quota =~ ^[1-9][0-9]{0,14}$ && $period =~ ^[1-9][0-9]{0,14}$ ]]; then
        quota=$(((quota + period - 1) / period))
        [[ $least ]] && ((least <= quota)) || least=$quota
      fi
      [[ $path == *[!/]* ]] || break
      path=${path%/*}
    done
  done <"${2:-/proc/self/cgroup}"
  echo "$least"
} 2>/dev/null

# The cores this process may use: its affinity, and what its control groups allow.
usable_cores() {
  local cores limit
  cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc) # nproc believes these two
  limit=$(group_cores)
  if [[ $limit ]] && ((limit < cores)); then cores=$limit; fi
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
    # Seconds, but minutes on a busy machine. Half of one would be in the way for ever.
    timeout 300 "${ICP_PYTHON:-python3}" -m venv "$own_python" &>"$log" </dev/null || {
      rm -rf "$own_python"
      return 1
    }
  fi
  while (($#)); do
    # shellcheck disable=SC2086 # packages are words
    timeout -k 5 "$1" "$own_python/bin/python" -m pip install --disable-pip-version-check -q $2 &>>"$log" </dev/null &&
      return
    shift 2
  done
  return 1
}

# find_models_python MODULES...: ICP_PYTHON becomes a Python that exports models of these packages, besides torch and onnx:
# the one it names or python3, else one of our own in .build/python-models, made once.
find_models_python() {
  local check='import torch, onnx, onnxscript, onnxruntime, safetensors, importlib.util' package
  # Not imported: torchvision's C++ operators may be another torch's, which models do without.
  for package; do check+="; assert importlib.util.find_spec('$package')"; done
  local own_python=$root/.build/python-models candidate
  for candidate in "${ICP_PYTHON:-python3}" "$own_python/bin/python"; do
    if command -v "$candidate" >/dev/null && "$candidate" -c "$check" &>/dev/null </dev/null; then
      export ICP_PYTHON=$candidate
      return
    fi
  done
  say "making a Python with torch and onnx in .build/python-models (once; minutes)"
  make_python 600 "$with_torch onnx onnxscript onnxruntime pillow" 1800 'torch numpy safetensors onnx onnxscript onnxruntime pillow' ||
    stop "cannot make it; see $own_python.log, or name a Python in ICP_PYTHON that can $check"
  # Without what they depend on: torch is there, and theirs may be another one's.
  for package in 'torchvision==0.28.0' 'timm huggingface_hub pyyaml'; do
    # shellcheck disable=SC2086 # packages are words
    "$own_python/bin/python" -m pip install --disable-pip-version-check -q --no-deps $package &>>"$own_python.log" </dev/null ||
      say "could not install $package; see $own_python.log"
  done
  "$own_python/bin/python" -c "$check" &>/dev/null </dev/null || stop "it cannot $check; see $own_python.log"
  export ICP_PYTHON=$own_python/bin/python
}

# newest_step RUN: the number in the name of a run's newest checkpoint; -1 where there is none.
newest_step() {
  local name newest=-1
  for name in "$1"/checkpoints/step-*.safetensors; do
    # The program does not follow links either.
    [[ ${name##*/} =~ ^step-([0-9]{1,18})\.safetensors$ && -f $name && ! -L $name ]] || continue
    ((10#${BASH_REMATCH[1]} <= newest)) || newest=$((10#${BASH_REMATCH[1]}))
  done
  echo "$newest"
}

# background COMMAND...: starts it, without input; sets `child`, its process, and the pipe by which `await` learns its end.
#
# Between this shell, which has traps, and the command stands one that hears no signal and only waits: where a signal and
# the child's end coincide, bash 5.2's own wait gives 127 or -1 for the status, or does not return (14 of 300 tries). It
# tells by a pipe: a file would need room, and a folder that nobody tidies away.
background() {
  exec {own_output}>&1
  exec {end_of_child}< <(
    trap '' HUP INT TERM USR1
    (
      trap - HUP INT TERM USR1
      exec "$@" >&"$own_output" {own_output}>&-
    ) </dev/null &
    echo $!
    exec {own_output}>&-
    status=0
    wait $! || status=$?
    echo "$status"
  )
  waiting_shell=$!
  exec {own_output}>&-
  heard_from_child child || child=
}

# await: waits for the end of what `background` started last, however many signals come meanwhile; returns its status.
await() {
  local status
  heard_from_child status || status=70 # the shell between was killed
  exec {end_of_child}<&-
  return "$status"
}

# heard_from_child NAME: waits for a number from the pipe. Fails where nobody is left to write one.
heard_from_child() {
  local word
  while true; do
    if read -r -t 1 -u "$end_of_child" word && [[ $word =~ ^[0-9]{1,9}$ ]]; then
      printf -v "$1" %s "$word"
      return 0
    fi
    if ! kill -0 "$waiting_shell" 2>/dev/null; then
      read -r -t 1 -u "$end_of_child" word && [[ $word =~ ^[0-9]{1,9}$ ]] || return 1
      printf -v "$1" %s "$word"
      return 0
    fi
  done
}

# can_be_cured STATUS: whether a new start can help. Not what would only come again: a wrong configuration, bad data, a full
# disk, numbers that are not finite, no such program, no such host or slots (64, 65, 74, 77, 126, 127, 213); nor a
# terminal, a user or a reader that ended it (129, 130, 141).
can_be_cured() { [[ ! $1 =~ ^(0|64|65|74|77|126|127|129|130|141|213)$ ]]; }
