/* The MPI C module over the standard ABI of MPI 5, for MPICH 5 and Intel MPI 2021.18. */
#pragma once
#define CMPI_STANDARD_ABI
#include "../CMPI/CMPI.h"
