# What launch/ needs of an MPI library's launcher: which family it is of, what is set for it, and what is looked at before
# every start. Sourced. The tables, one a family, are in launch/mpi/.

# find_mpi: reads the table of the family whose mpirun is on PATH; Open MPI's where there is none. Sets mpi_version, what the
# launcher says, of which only a number is used; fails where it is of no family that has been tried.
find_mpi() {
  mpi_settings=() mpi_bound=() mpi_free=() mpi_crowded=() mpi_yielding=() mpi_twins=()
  mpi_agents=() mpi_backing=() mpi_segments=() mpi_sessions=() mpi_abi=
  mpi_version=$(mpirun --version 2>&1 </dev/null) || mpi_version=$(mpiexec --version 2>&1 </dev/null) || true
  case $mpi_version in
  *HYDRA*) source "$root/launch/mpi/mpich.sh" ;;
  *'Intel(R) MPI'*) source "$root/launch/mpi/intel-mpi.sh" ;;
  *)
    source "$root/launch/mpi/open-mpi-4.sh"
    source "$root/launch/mpi/open-mpi-5.sh"
    [[ $mpi_version == *'(Open MPI)'* ]]
    ;;
  esac
}

# mpi_build: what `swift build` has to know of the family found: Open MPI is built against by its own header, the others by
# the standard ABI of MPI 5, wherever its header and library are: beside the launcher, or in CPATH and LIBRARY_PATH, as
# environment modules set them.
mpi_build() {
  local prefix folders=() header='' library=''
  [[ ${mpi_abi-} ]] || return 0
  if [[ $mpi_abi == shim ]]; then
    export ICP_MPI=shim
    # mpicc says where its header and library are.
    header=$(first_with mpi.h "${CPATH-}" $(mpichcc_flag -I)) || stop "mpi.h of $mpi_name is missing: put its folder into CPATH"
    library=$(first_with libmpich.so "${LIBRARY_PATH-}" $(mpichcc_flag -L) "/usr/lib/$(uname -m)-linux-gnu") ||
      stop "libmpich.so is missing: put its folder into LIBRARY_PATH"
    export CPATH=$header${CPATH:+:$CPATH} LIBRARY_PATH=$library${LIBRARY_PATH:+:$LIBRARY_PATH}
    return 0
  fi
  prefix=$(dirname "$(dirname "$(readlink -f "$(command -v "$mpi_launcher")")")")
  header=$(first_with mpi_abi.h "$prefix/include" "${CPATH-}" "${I_MPI_ROOT:+$I_MPI_ROOT/include}" /usr/include /usr/local/include) ||
    stop "mpi_abi.h of $mpi_name is missing: put its folder into CPATH"
  library=$(first_with libmpi_abi.so "$prefix/lib" "${LIBRARY_PATH-}" "${LD_LIBRARY_PATH-}" "${I_MPI_ROOT:+$I_MPI_ROOT/lib}" \
    /usr/lib /usr/local/lib) || stop "libmpi_abi.so of $mpi_name is missing: put its folder into LIBRARY_PATH and LD_LIBRARY_PATH"
  mkdir -p "$root/.build/mpi"
  printf 'Name: icp-mpi-abi\nDescription: the standard ABI of MPI 5\nVersion: 5\nCflags: "-I%s"\nLibs: "-L%s"\n' \
    "$header" "$library" >"$root/.build/mpi/icp-mpi-abi.pc"
  export ICP_MPI=abi PKG_CONFIG_PATH=$root/.build/mpi${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
  default LD_LIBRARY_PATH "$library"
}

# mpichcc_flag -I|-L: the folders that MPICH's compiler passes with it.
mpichcc_flag() {
  local words word
  read -ra words < <(mpicc.mpich -show 2>/dev/null || mpicc -show 2>/dev/null) || true
  for word in "${words[@]}"; do [[ $word != "$1"* ]] || printf '%s\n' "${word#"$1"}"; done
}

# first_with NAME FOLDERS...: the first of the folders, or lists of them, that holds a file of that name.
first_with() {
  local folders folder name=$1
  shift
  IFS=: read -ra folders <<<"$(IFS=: && echo "$*")"
  for folder in "${folders[@]}"; do
    if [[ $folder && -e $folder/$name ]]; then
      echo "$folder"
      return
    fi
  done
  return 1
}

# default_all NAME=VALUE...: exports what the user has not set.
default_all() {
  local setting
  for setting; do default "${setting%%=*}" "${setting#*=}"; done
}

# mpi_environment: what is set always, except for what the user has set.
mpi_environment() {
  local twins one other
  for twins in "${mpi_twins[@]}"; do
    one=${twins%%=*} other=${twins#*=}
    if [[ ${!one-} ]]; then default "$other" "${!one}"; elif [[ ${!other-} ]]; then default "$one" "${!other}"; fi
  done
  default_all OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "${mpi_settings[@]}"
}

# binding RANKS CORES: how that many ranks share the cores of a host, unless the user has said.
binding() {
  local ranks=$1 cores=$2 whole_cores
  # Open MPI counts whole cores, not hardware threads; with only a part of the machine's it may bind to the wrong ones.
  whole_cores=$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l) || whole_cores=0
  if ((ranks <= whole_cores && cores == $(nproc --all))); then
    default_all "${mpi_bound[@]}"
  else
    default_all "${mpi_free[@]}" "${mpi_crowded[@]}"
  fi
  ((ranks <= cores)) || default_all "${mpi_yielding[@]}"
}

# free_megabytes FOLDER: a number, or nothing.
free_megabytes() { df -m --output=avail -- "$1" 2>/dev/null | sed -n '2s/^ *\([0-9]\{1,15\}\)$/\1/p'; }

# check_scratch: returns 75 where there is no room: mpirun hangs for minutes, deaf to signals, when it cannot fill its session directory.
check_scratch() {
  local scratch=${TMPDIR:-/tmp} free name
  check_temporary || return 75
  free=$(free_megabytes "$scratch")
  [[ -z $free ]] || ((free >= 64)) || {
    say "$scratch has $free MB free and $mpi_name needs 64: free some, or set TMPDIR to a folder with more room" >&2
    return 75
  }
  free=$(free_megabytes /dev/shm)
  ((${free:-0} < 64)) && ((${#mpi_backing[@]})) || return 0
  for name in "${mpi_backing[@]}"; do
    [[ -z ${!name-} ]] || return 0
  done
  say "note: /dev/shm has ${free:-no} MB free (64 wanted): the ranks exchange through $scratch instead"
  for name in "${mpi_backing[@]}"; do default "$name" "$scratch"; done
}

# remove_leftovers: what a launcher that was killed left, 4 MiB a rank in /dev/shm among it. Only what is ours, carries
# this host's name (other containers' processes cannot be seen from here), is a minute old and belongs to nobody alive.
remove_leftovers() {
  local mine=(-mindepth 1 -maxdepth 1 -user "$EUID" -mmin +1) host pattern folder before after file process named
  host=$(hostname)
  for pattern in "${mpi_segments[@]}"; do
    while IFS= read -r file; do
      grep -qsF "$file" /proc/[0-9]*/maps || rm -f "$file"
    done < <(find /dev/shm "${mine[@]}" -name "${pattern//HOST/$host}" 2>/dev/null)
  done
  for pattern in "${mpi_sessions[@]}"; do
    # What has no host in its own name holds a file that has.
    named='' && [[ $pattern == *HOST* ]] || named=pmix.$host
    pattern=${pattern//HOST/$host}
    pattern=${TMPDIR:-/tmp}/${pattern//USER/$EUID}
    folder=${pattern%/*}
    before=${pattern##*/}
    after=${before#*PROCESS} before=${before%%PROCESS*}
    while IFS= read -r file; do
      process=${file##*/}
      process=${process#"$before"}
      process=${process%"$after"}
      [[ $process =~ ^[0-9]+$ && ! -e /proc/$process ]] || continue
      [[ $named ]] && ! compgen -G "$file/$named.*" >/dev/null || rm -rf "$file"
    done < <(find "$folder" "${mine[@]}" -name "$before*$after" 2>/dev/null)
  done
}

# The end of a run as rank 0 tells it: by a file, since PRRTE says 0 also where a host or its daemon was lost.

# want_end_mark FOLDER: before a start whose run directory that is, or lies in that. The program makes the file.
want_end_mark() {
  [[ $1 == /* ]] || set -- "$PWD/$1"
  export ICP_END_MARK=$1/.ended-$$-$RANDOM$RANDOM
}

# proved STATUS: what a start that ended with this status is worth: 0 without the file is a host that was lost.
proved() {
  local mark=${ICP_END_MARK-}
  unset ICP_END_MARK
  if [[ $mark && -f $mark && ! -L $mark ]]; then
    rm -f "$mark"
  elif [[ $mark && $1 == 0 ]]; then
    say "$mpi_launcher ended with 0, but rank 0 did not come to the end of the run: a host was lost" >&2
    return 205
  fi
  return "$1"
}
