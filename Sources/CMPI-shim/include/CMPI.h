/* The MPI C module for MPICH before version 5, whose handles are numbers: the same names and types that Open MPI and the
   standard ABI have, over the functions of shim.c. */
#pragma once
#include "constants.h"

typedef struct cmpi_comm *MPI_Comm;
typedef struct cmpi_datatype *MPI_Datatype;
typedef struct cmpi_op *MPI_Op;
typedef struct cmpi_request *MPI_Request;
typedef struct cmpi_errhandler *MPI_Errhandler;
typedef struct cmpi_info *MPI_Info;
typedef struct cmpi_enum *MPI_T_enum;
typedef struct cmpi_cvar *MPI_T_cvar_handle;
typedef struct {
  int MPI_SOURCE, MPI_TAG, MPI_ERROR;
} MPI_Status;

#define MPI_SUCCESS CMPI_SUCCESS
#define MPI_ERR_TRUNCATE CMPI_ERR_TRUNCATE
#define MPI_THREAD_SINGLE CMPI_THREAD_SINGLE
#define MPI_THREAD_FUNNELED CMPI_THREAD_FUNNELED
#define MPI_THREAD_SERIALIZED CMPI_THREAD_SERIALIZED
#define MPI_COMM_TYPE_SHARED CMPI_COMM_TYPE_SHARED
#define MPI_MAX_ERROR_STRING CMPI_MAX_ERROR_STRING
#define MPI_MAX_LIBRARY_VERSION_STRING CMPI_MAX_LIBRARY_VERSION_STRING

MPI_Comm cmpi_world(void);
MPI_Datatype cmpi_int64(void);
MPI_Datatype cmpi_float(void);
MPI_Datatype cmpi_char(void);
MPI_Datatype cmpi_byte(void);
MPI_Op cmpi_sum(void);
MPI_Op cmpi_min(void);
MPI_Op cmpi_max(void);
MPI_Errhandler cmpi_errors_return(void);
void *cmpi_in_place(void);
int cmpi_any_source(void);
MPI_Info cmpi_info_null(void);
MPI_Status *cmpi_status_ignore(void);
MPI_Status *cmpi_statuses_ignore(void);

/* A name of the library's that is a function of ours. */
#define SHIM(name, arguments) int MPI_##name arguments __asm__("cmpi_shim_" #name)
SHIM(Init_thread, (int *, char ***, int, int *));
SHIM(Initialized, (int *));
SHIM(Finalized, (int *));
SHIM(Finalize, (void));
SHIM(Abort, (MPI_Comm, int));
SHIM(Query_thread, (int *));
SHIM(Get_library_version, (char *, int *));
SHIM(Error_string, (int, char *, int *));
SHIM(Error_class, (int, int *));
SHIM(Comm_set_errhandler, (MPI_Comm, MPI_Errhandler));
SHIM(Comm_rank, (MPI_Comm, int *));
SHIM(Comm_size, (MPI_Comm, int *));
SHIM(Comm_dup, (MPI_Comm, MPI_Comm *));
SHIM(Comm_split, (MPI_Comm, int, int, MPI_Comm *));
SHIM(Comm_split_type, (MPI_Comm, int, int, MPI_Info, MPI_Comm *));
SHIM(Barrier, (MPI_Comm));
SHIM(Ibarrier, (MPI_Comm, MPI_Request *));
SHIM(Bcast, (void *, int, MPI_Datatype, int, MPI_Comm));
SHIM(Allgather, (const void *, int, MPI_Datatype, void *, int, MPI_Datatype, MPI_Comm));
SHIM(Allreduce, (const void *, void *, int, MPI_Datatype, MPI_Op, MPI_Comm));
SHIM(Iallreduce, (const void *, void *, int, MPI_Datatype, MPI_Op, MPI_Comm, MPI_Request *));
SHIM(Isend, (const void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *));
SHIM(Sendrecv, (const void *, int, MPI_Datatype, int, int, void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Status *));
SHIM(Irecv, (void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *));
SHIM(Recv, (void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Status *));
SHIM(Iprobe, (int, int, MPI_Comm, int *, MPI_Status *));
SHIM(Testsome, (int, MPI_Request *, int *, int *, MPI_Status *));
SHIM(Test, (MPI_Request *, int *, MPI_Status *));
SHIM(T_init_thread, (int, int *));
SHIM(T_finalize, (void));
SHIM(T_cvar_get_index, (const char *, int *));
SHIM(T_cvar_get_info, (int, char *, int *, int *, MPI_Datatype *, MPI_T_enum *, char *, int *, int *, int *));
SHIM(T_cvar_handle_alloc, (int, void *, MPI_T_cvar_handle *, int *));
SHIM(T_cvar_handle_free, (MPI_T_cvar_handle *));
SHIM(T_cvar_read, (MPI_T_cvar_handle, void *));
SHIM(T_enum_get_info, (MPI_T_enum, int *, char *, int *));
SHIM(T_enum_get_item, (MPI_T_enum, int, int *, char *, int *));
#undef SHIM

/* The system call by which ranks of one host may copy from each other. glibc declares it with _GNU_SOURCE only. */
#include <sys/uio.h>
extern ssize_t process_vm_readv(pid_t, const struct iovec *, unsigned long, const struct iovec *, unsigned long,
                                unsigned long);
