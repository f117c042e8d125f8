#include "CFaults.h"
#include "CShared.h"

#include <mpi.h>
#include <stdint.h>

// MPI lets a program put functions of its own in the place of MPI's, which stay under their PMPI names (MPI 3.1, 14.2): so the
// sums of a step can fail without a word about it in the step.

static enum faults_reduction next = FAULTS_NONE;

void faults_set_reduction(enum faults_reduction what) { next = what; }

int MPI_Iallreduce(const void *from, void *values, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm communicator,
                   MPI_Request *request) {
  if (next == FAULTS_SKIP) {
    // The word after the values names message and step; who believes to have summed finds it as often as there are ranks.
    int ranks;
    PMPI_Comm_size(communicator, &ranks);
    ((uint64_t *)values)[count - 1] *= (uint64_t)ranks;
    *request = MPI_REQUEST_NULL;
    return MPI_SUCCESS;
  }
  int missing = next == FAULTS_COUNT;
  if (missing) next = FAULTS_NONE;
  return PMPI_Iallreduce(from, values, count - missing, type, operation, communicator, request);
}

// The same for the sums of one host, in the place of CShared's: what is left out has no values.
long shared_values(long count) {
  if (next == FAULTS_SKIP) return 0;
  const int missing = next == FAULTS_COUNT;
  if (missing) next = FAULTS_NONE;
  return count - missing;
}
