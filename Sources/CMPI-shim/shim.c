/* Between CMPI.h, whose handles are pointers, and MPICH before version 5, whose handles are numbers: a number stands in a
   pointer. No request is NULL there and a number here. */
#include "include/constants.h"
#include <mpi.h>
#include <stdint.h>

_Static_assert(sizeof(MPI_Comm) == sizeof(int), "this MPI's handles are pointers: build without the shim");
_Static_assert(MPI_SUCCESS == CMPI_SUCCESS && MPI_ERR_TRUNCATE == CMPI_ERR_TRUNCATE, "codes");
_Static_assert(MPI_THREAD_SINGLE == CMPI_THREAD_SINGLE && MPI_THREAD_FUNNELED == CMPI_THREAD_FUNNELED &&
                   MPI_THREAD_SERIALIZED == CMPI_THREAD_SERIALIZED,
               "thread levels");
_Static_assert(MPI_COMM_TYPE_SHARED == CMPI_COMM_TYPE_SHARED, "kinds of communicators");
_Static_assert(MPI_MAX_ERROR_STRING <= CMPI_MAX_ERROR_STRING &&
                   MPI_MAX_LIBRARY_VERSION_STRING <= CMPI_MAX_LIBRARY_VERSION_STRING,
               "texts");

typedef void *handle;
typedef struct {
  int source, tag, error;
} status;

static handle to_handle(int number) { return (handle)(intptr_t)number; }
static int number_of(handle handle) { return (int)(intptr_t)handle; }
static MPI_Request request_of(handle handle) { return handle ? number_of(handle) : MPI_REQUEST_NULL; }
static handle from_request(MPI_Request request) { return request == MPI_REQUEST_NULL ? 0 : to_handle(request); }
static int is_ignored(const status *to) { return (const void *)to == (const void *)MPI_STATUS_IGNORE; }
static void copy(const MPI_Status *from, status *to) {
  if (!is_ignored(to)) *to = (status){from->MPI_SOURCE, from->MPI_TAG, from->MPI_ERROR};
}

#define SHIM(name) cmpi_shim_##name

handle cmpi_world(void) { return to_handle(MPI_COMM_WORLD); }
handle cmpi_int64(void) { return to_handle(MPI_INT64_T); }
handle cmpi_float(void) { return to_handle(MPI_FLOAT); }
handle cmpi_char(void) { return to_handle(MPI_CHAR); }
handle cmpi_byte(void) { return to_handle(MPI_BYTE); }
handle cmpi_sum(void) { return to_handle(MPI_SUM); }
handle cmpi_min(void) { return to_handle(MPI_MIN); }
handle cmpi_max(void) { return to_handle(MPI_MAX); }
handle cmpi_errors_return(void) { return to_handle(MPI_ERRORS_RETURN); }
void *cmpi_in_place(void) { return MPI_IN_PLACE; }
int cmpi_any_source(void) { return MPI_ANY_SOURCE; }
handle cmpi_info_null(void) { return to_handle(MPI_INFO_NULL); }
void *cmpi_status_ignore(void) { return MPI_STATUS_IGNORE; }
void *cmpi_statuses_ignore(void) { return MPI_STATUSES_IGNORE; }

int SHIM(Init_thread)(int *count, char ***words, int wanted, int *got) { return MPI_Init_thread(count, words, wanted, got); }
int SHIM(Initialized)(int *is) { return MPI_Initialized(is); }
int SHIM(Finalized)(int *is) { return MPI_Finalized(is); }
int SHIM(Finalize)(void) { return MPI_Finalize(); }
int SHIM(Abort)(handle comm, int code) { return MPI_Abort(number_of(comm), code); }
int SHIM(Query_thread)(int *level) { return MPI_Query_thread(level); }
int SHIM(Get_library_version)(char *text, int *length) { return MPI_Get_library_version(text, length); }
int SHIM(Error_string)(int code, char *text, int *length) { return MPI_Error_string(code, text, length); }
int SHIM(Error_class)(int code, int *kind) { return MPI_Error_class(code, kind); }
int SHIM(Comm_set_errhandler)(handle comm, handle way) { return MPI_Comm_set_errhandler(number_of(comm), number_of(way)); }
int SHIM(Comm_rank)(handle comm, int *rank) { return MPI_Comm_rank(number_of(comm), rank); }
int SHIM(Comm_size)(handle comm, int *size) { return MPI_Comm_size(number_of(comm), size); }

/* CALL(x): makes the call with a number of its own named made, and gives it back as a handle. */
#define MAKES(call, result) \
  MPI_Comm made = MPI_COMM_NULL; \
  const int code = call; \
  *(result) = to_handle(made); \
  return code;
int SHIM(Comm_dup)(handle comm, handle *copy) { MAKES(MPI_Comm_dup(number_of(comm), &made), copy) }
int SHIM(Comm_split)(handle comm, int color, int key, handle *part) {
  MAKES(MPI_Comm_split(number_of(comm), color, key, &made), part)
}
int SHIM(Comm_split_type)(handle comm, int type, int key, handle info, handle *part) {
  MAKES(MPI_Comm_split_type(number_of(comm), type, key, number_of(info), &made), part)
}

#define STARTS(call, result) \
  MPI_Request made = MPI_REQUEST_NULL; \
  const int code = call; \
  *(result) = from_request(made); \
  return code;
int SHIM(Barrier)(handle comm) { return MPI_Barrier(number_of(comm)); }
int SHIM(Ibarrier)(handle comm, handle *request) { STARTS(MPI_Ibarrier(number_of(comm), &made), request) }
int SHIM(Bcast)(void *values, int count, handle type, int root, handle comm) {
  return MPI_Bcast(values, count, number_of(type), root, number_of(comm));
}
int SHIM(Allgather)(const void *sent, int count, handle type, void *got, int each, handle kind, handle comm) {
  return MPI_Allgather(sent, count, number_of(type), got, each, number_of(kind), number_of(comm));
}
int SHIM(Allreduce)(const void *sent, void *got, int count, handle type, handle op, handle comm) {
  return MPI_Allreduce(sent, got, count, number_of(type), number_of(op), number_of(comm));
}
int SHIM(Iallreduce)(const void *sent, void *got, int count, handle type, handle op, handle comm, handle *request) {
  STARTS(MPI_Iallreduce(sent, got, count, number_of(type), number_of(op), number_of(comm), &made), request)
}
int SHIM(Isend)(const void *sent, int count, handle type, int to, int tag, handle comm, handle *request) {
  STARTS(MPI_Isend(sent, count, number_of(type), to, tag, number_of(comm), &made), request)
}
int SHIM(Irecv)(void *got, int count, handle type, int from, int tag, handle comm, handle *request) {
  STARTS(MPI_Irecv(got, count, number_of(type), from, tag, number_of(comm), &made), request)
}
int SHIM(Sendrecv)(const void *sent, int count, handle type, int to, int tag, void *got, int most, handle kind, int from,
                   int mark, handle comm, status *about) {
  MPI_Status own = {0};
  const int code = MPI_Sendrecv(sent, count, number_of(type), to, tag, got, most, number_of(kind), from, mark,
                                number_of(comm), &own);
  copy(&own, about);
  return code;
}
int SHIM(Recv)(void *got, int count, handle type, int from, int tag, handle comm, status *about) {
  MPI_Status own = {0};
  const int code = MPI_Recv(got, count, number_of(type), from, tag, number_of(comm), &own);
  copy(&own, about);
  return code;
}
int SHIM(Iprobe)(int from, int tag, handle comm, int *is, status *about) {
  MPI_Status own = {0};
  const int code = MPI_Iprobe(from, tag, number_of(comm), is, &own);
  if (*is) copy(&own, about);
  return code;
}
int SHIM(Test)(handle *request, int *is, status *about) {
  MPI_Status own = {0};
  MPI_Request pending = request_of(*request);
  const int code = MPI_Test(&pending, is, &own);
  *request = from_request(pending);
  if (*is) copy(&own, about);
  return code;
}

/* All that the program calls it with: statuses ignored. */
int SHIM(Testsome)(int count, handle *requests, int *done, int *indices, status *about) {
  (void)about;
  MPI_Request pending[count > 0 ? count : 1];
  for (int i = 0; i < count; i++) pending[i] = request_of(requests[i]);
  const int code = MPI_Testsome(count, pending, done, indices, MPI_STATUSES_IGNORE);
  for (int i = 0; i < count; i++) requests[i] = from_request(pending[i]);
  return code;
}

int SHIM(T_init_thread)(int wanted, int *got) { return MPI_T_init_thread(wanted, got); }
int SHIM(T_finalize)(void) { return MPI_T_finalize(); }
int SHIM(T_cvar_get_index)(const char *name, int *index) { return MPI_T_cvar_get_index(name, index); }
int SHIM(T_cvar_get_info)(int index, char *name, int *name_length, int *verbosity, handle *type, MPI_T_enum *choices,
                          char *text, int *text_length, int *binding, int *scope) {
  MPI_Datatype own = MPI_DATATYPE_NULL;
  const int code =
      MPI_T_cvar_get_info(index, name, name_length, verbosity, &own, choices, text, text_length, binding, scope);
  *type = to_handle(own);
  return code;
}
int SHIM(T_cvar_handle_alloc)(int index, void *object, MPI_T_cvar_handle *handle, int *count) {
  return MPI_T_cvar_handle_alloc(index, object, handle, count);
}
int SHIM(T_cvar_handle_free)(MPI_T_cvar_handle *handle) { return MPI_T_cvar_handle_free(handle); }
int SHIM(T_cvar_read)(MPI_T_cvar_handle handle, void *value) { return MPI_T_cvar_read(handle, value); }
int SHIM(T_enum_get_info)(MPI_T_enum choices, int *count, char *name, int *length) {
  return MPI_T_enum_get_info(choices, count, name, length);
}
int SHIM(T_enum_get_item)(MPI_T_enum choices, int index, int *value, char *name, int *length) {
  return MPI_T_enum_get_item(choices, index, value, name, length);
}
