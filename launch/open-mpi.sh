# What launch/train sets for Open MPI on one or more hosts, and looks at before every start. Sourced.

# binding RANKS CORES: how that many ranks share the cores of a host, unless the user has said.
binding() {
  local ranks=$1 cores=$2 whole_cores
  # Open MPI counts whole cores, not hardware threads; with only a part of the machine's it may bind to the wrong ones.
  whole_cores=$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l) || whole_cores=0
  if ((ranks <= whole_cores && cores == $(nproc --all))); then
    default OMPI_MCA_hwloc_base_binding_policy core
  else
    default OMPI_MCA_hwloc_base_binding_policy none
    default OMPI_MCA_rmaps_base_oversubscribe 1
  fi
  ((ranks <= cores)) || default OMPI_MCA_mpi_yield_when_idle 1
}

# free_megabytes FOLDER: a number, or nothing.
free_megabytes() { df -m --output=avail -- "$1" 2>/dev/null | sed -n '2s/^ *\([0-9]\{1,15\}\)$/\1/p'; }

# check_scratch: returns 75 where there is no room: mpirun hangs for minutes, deaf to signals, when it cannot fill its session directory.
check_scratch() {
  local scratch=${TMPDIR:-/tmp} free
  check_temporary || return 75
  free=$(free_megabytes "$scratch")
  [[ -z $free ]] || ((free >= 64)) || {
    say "$scratch has $free MB free and Open MPI needs 64: free some, or set TMPDIR to a folder with more room" >&2
    return 75
  }
  free=$(free_megabytes /dev/shm)
  if ((${free:-0} < 64)) && [[ -z ${OMPI_MCA_btl_vader_backing_directory-} ]]; then
    say "note: /dev/shm has ${free:-no} MB free (64 wanted): the ranks exchange through $scratch instead"
    default OMPI_MCA_btl_vader_backing_directory "$scratch"
  fi
}

# remove_leftovers: what an mpirun that was killed left, 4 MiB a rank in /dev/shm among it. Only what is ours, carries
# this host's name (other containers' processes cannot be seen from here), is a minute old and belongs to nobody alive.
remove_leftovers() {
  local mine=(-mindepth 1 -maxdepth 1 -user "$EUID" -mmin +1) file
  while IFS= read -r file; do
    grep -qsF "$file" /proc/[0-9]*/maps || rm -f "$file"
  done < <(find /dev/shm "${mine[@]}" -name "vader_segment.$(hostname).*" 2>/dev/null)
  while IFS= read -r file; do
    [[ -e /proc/${file##*.} ]] || rm -rf "$file"
  done < <(find "${TMPDIR:-/tmp}/ompi.$(hostname).$EUID" "${mine[@]}" -name 'pid.*' 2>/dev/null)
}
