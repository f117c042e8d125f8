#include "CFaults.h"
#include "CShared.h"

static enum faults_reduction next = FAULTS_NONE;

void faults_set_reduction(enum faults_reduction what) { next = what; }

// In the place of CShared's, which is weak: so the sums of a step can fail without a word about it in the step.
long shared_put(int64_t *values, long count, long ranks) {
  if (next == FAULTS_SKIP) {
    // The word after the values names message and step; who believes to have summed finds it as often as there are ranks.
    values[count - 1] *= ranks;
    return 0;
  }
  const int missing = next == FAULTS_COUNT;
  if (missing) next = FAULTS_NONE;
  return count - missing;
}
