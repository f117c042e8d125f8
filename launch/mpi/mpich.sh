# What the scripts know of MPICH, whose launcher is Hydra. Sourced by launch/mpi.sh.

mpi_name=MPICH
mpi_launcher=mpiexec
mpi_abi=abi
mpi_oldest=4.0
mpi_from=
# Version 5 has the standard ABI of MPI 5. Before that, handles are numbers.
[[ $mpi_version =~ Version:\ +([0-9]+) ]] && ((BASH_REMATCH[1] < 5)) && mpi_abi=shim

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
