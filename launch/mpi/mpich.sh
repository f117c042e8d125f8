# What the scripts know of MPICH, whose launcher is Hydra. Sourced by launch/mpi.sh.

mpi_name=MPICH
mpi_launcher=mpiexec
mpi_abi=yes # built against the standard ABI
mpi_oldest=5.0

mpi_bound+=(HYDRA_BINDING=core)
mpi_free+=(HYDRA_BINDING=none)
mpi_agents+=(HYDRA_LAUNCHER_EXEC)
# SIGTERM would do too: both go to the ranks, and nothing is killed behind them.
mpi_stop=USR1
mpi_repetitions='' # its paragraphs have lines of another kind

# Hydra gives the ranks its whole environment.
mpi_where() {
  where=(-n "$1")
  [[ -z ${2-} ]] || where+=(-hosts "$2")
}
