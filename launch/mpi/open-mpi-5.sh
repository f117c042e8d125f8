# What the scripts know of Open MPI 5, whose launcher is PRRTE: other names for what the launcher does, the old ones for the
# library. Both are set, since who starts srun, or another mpirun than that of PATH, may have either. Sourced by launch/mpi.sh
# after launch/mpi/open-mpi-4.sh.

mpi_settings+=(
  PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
  PRTE_MCA_oob_tcp_keepalive_time=3 PRTE_MCA_oob_tcp_keepalive_intvl=1 PRTE_MCA_oob_tcp_keepalive_probes=2
  OMPI_MCA_smsc=^cma
  # Without it, two lines at each start where a host has one network.
  OMPI_MCA_reachable=weighted
)
mpi_bound+=(PRTE_MCA_hwloc_default_binding_policy=core)
mpi_free+=(PRTE_MCA_hwloc_default_binding_policy=none)
mpi_crowded+=(PRTE_MCA_rmaps_default_mapping_policy=slot:oversubscribe)
mpi_agents+=(PRTE_MCA_plm_ssh_agent)
mpi_backing+=(OMPI_MCA_btl_sm_backing_directory)
mpi_segments+=('sm_segment.HOST.*')
# The last two: 5.0.11.
mpi_sessions+=(prterun.HOST.PROCESS.USER prted.HOST.PROCESS.USER prte.HOST.PROCESS.USER ompi.PROCESS prted.PROCESS)
mpi_repetitions+='|prterun detected that one or more processes exited with non-zero|prterun has exited due to process rank'

# What means the same under two names: a value that the user gave one of them is the other's too.
mpi_twins+=(
  OMPI_MCA_plm_rsh_agent=PRTE_MCA_plm_ssh_agent
  OMPI_MCA_hwloc_base_binding_policy=PRTE_MCA_hwloc_default_binding_policy
  OMPI_MCA_oob_tcp_if_include=PRTE_MCA_prte_if_include
  OMPI_MCA_oob_tcp_keepalive_time=PRTE_MCA_oob_tcp_keepalive_time
  OMPI_MCA_oob_tcp_keepalive_intvl=PRTE_MCA_oob_tcp_keepalive_intvl
  OMPI_MCA_oob_tcp_keepalive_probes=PRTE_MCA_oob_tcp_keepalive_probes
  OMPI_MCA_btl_vader_backing_directory=OMPI_MCA_btl_sm_backing_directory
)
