# What the scripts know of Open MPI 4, whose launcher is ORTE. Sourced by launch/mpi.sh; the program's table is
# Sources/MPI/MPIFamily.swift.

mpi_name='Open MPI'
mpi_launcher=mpirun
mpi_oldest=4.0
mpi_from=' (Debian 11, Ubuntu 20.04 and later bring it)'

# Set always, if the user has not.
mpi_settings+=(
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  # A lost host is noticed after 5 seconds; the default is 8 minutes.
  OMPI_MCA_oob_tcp_keepalive_time=3 OMPI_MCA_oob_tcp_keepalive_intvl=1 OMPI_MCA_oob_tcp_keepalive_probes=2
  # Copying straight from one process to another needs a right that containers withhold.
  OMPI_MCA_btl_vader_single_copy_mechanism=none
)
# A core for each rank; ranks wherever there is room; ranks that outnumber the cores.
mpi_bound+=(OMPI_MCA_hwloc_base_binding_policy=core)
mpi_free+=(OMPI_MCA_hwloc_base_binding_policy=none)
mpi_crowded+=(OMPI_MCA_rmaps_base_oversubscribe=1)
mpi_yielding+=(OMPI_MCA_mpi_yield_when_idle=1)

# Variables: the remote shell; the folder for what ranks of a host share.
mpi_agents+=(OMPI_MCA_plm_rsh_agent)
mpi_backing+=(OMPI_MCA_btl_vader_backing_directory)

# Files of a launcher that was killed: in /dev/shm, and in TMPDIR. HOST, USER and PROCESS stand for this host's name, our
# number, and a process that is gone.
mpi_segments+=('vader_segment.HOST.*')
mpi_sessions+=(ompi.HOST.USER/pid.PROCESS)

# The signal by which the launcher asks the ranks to save: it passes this one on at once and with no deadline.
mpi_stop=USR1
# Paragraphs in which the launcher repeats, after a line of ours, that a rank has ended.
mpi_repetitions='Primary job  terminated normally|mpirun detected that one or more processes exited with non-zero|MPI_ABORT was invoked on rank'

# mpi_where RANKS [HOSTS]: sets `where`, the launcher's arguments; hosts as in a:2,b:2, whose ranks get `exported` variables.
mpi_where() {
  local name
  where=(-n "$1")
  [[ ${2-} ]] || return 0
  where+=(--host "$2")
  for name in "${exported[@]}"; do where+=(-x "$name"); done
}
