/* Constants of MPICH, on which both sides of the shim agree: shim.c compares them with the library's own. */
#pragma once
#define CMPI_SUCCESS 0
#define CMPI_ERR_TRUNCATE 14
#define CMPI_THREAD_SINGLE 0
#define CMPI_THREAD_FUNNELED 1
#define CMPI_THREAD_SERIALIZED 2
#define CMPI_COMM_TYPE_SHARED 1
#define CMPI_MAX_ERROR_STRING 512
#define CMPI_MAX_LIBRARY_VERSION_STRING 8192
