# What the scripts know of Intel MPI, whose launcher is a Hydra of its own. Sourced by launch/mpi.sh.

mpi_name='Intel MPI'
mpi_launcher=mpiexec
mpi_abi=abi # built against the standard ABI
mpi_oldest=2021.18
mpi_from=

mpi_bound+=(I_MPI_PIN_DOMAIN=core)
mpi_free+=(I_MPI_PIN=0)
mpi_yielding+=(I_MPI_THREAD_YIELD=3 I_MPI_WAIT_MODE=1)
mpi_agents+=(I_MPI_HYDRA_BOOTSTRAP_EXEC)
mpi_backing+=(I_MPI_SHM_FILE_PREFIX_4K)
mpi_stop=USR1
mpi_repetitions=''

mpi_where() {
  where=(-n "$1")
  [[ -z ${2-} ]] || where+=(-hosts "$2")
}
