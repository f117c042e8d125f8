#ifndef CFAULTS_H
#define CFAULTS_H

// What becomes of the sums over the ranks that this process starts next.
enum faults_reduction {
  FAULTS_NONE,
  // Every one is left out, and looks done.
  FAULTS_SKIP,
  // The first one is a value short.
  FAULTS_COUNT,
};

void faults_set_reduction(enum faults_reduction what);

#endif
