#define _GNU_SOURCE
#include "CSupervision.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static supervision_place place;
static volatile sig_atomic_t is_watching, stop_requests, interrupts;

/* ---- Last words: write(2) alone, no memory, no locks ------------------------------------------------------------------ */

typedef struct {
  char text[512];
  size_t length;
} line;

static void add(line *line, const char *text) {
  while (*text && line->length < sizeof line->text - 1) line->text[line->length++] = *text++;
}

static void add_number(line *line, int64_t number) {
  char digits[24], *first = digits + sizeof digits - 1;
  *first = 0;
  uint64_t rest = number < 0 ? 0 : (uint64_t)number;
  do *--first = (char)('0' + rest % 10);
  while (rest /= 10);
  add(line, first);
}

static void say(const char *what) {
  line line = {.length = 0};
  add(&line, "icp: ");
  add(&line, place.place);
  if (*place.step > 0) {
    add(&line, " step ");
    add_number(&line, *place.step);
  }
  add(&line, " phase ");
  add(&line, place.phases[*place.phase]);
  add(&line, ": ");
  add(&line, what);
  line.text[line.length++] = '\n';
  for (size_t done = 0; done < line.length;) {
    const ssize_t count = write(STDERR_FILENO, line.text + done, line.length - done);
    if (count < 0 && errno != EINTR) return;
    if (count > 0) done += (size_t)count;
  }
}

/* ---- Crashes ---------------------------------------------------------------------------------------------------------- */

static const struct {
  int signal;
  const char *words;
} crashes[] = {
  {SIGILL, "a check of the program failed (SIGILL); this is a bug: please report it, the run can go on from its last checkpoint"},
  {SIGTRAP, "a check of the program failed (SIGTRAP); this is a bug: please report it, the run can go on from its last checkpoint"},
  {SIGSEGV, "memory that is not the program's was touched (SIGSEGV); this is a bug: please report it, the run can go on from its last checkpoint"},
  {SIGFPE, "an impossible division (SIGFPE); this is a bug: please report it, the run can go on from its last checkpoint"},
  {SIGABRT, "a library gave up (SIGABRT), see above; the run can go on from its last checkpoint"},
  {SIGBUS, "a mapped file became shorter, or its disk failed (SIGBUS); do not change the data during a run, which can go on from its last checkpoint"},
};
enum { CRASHES = sizeof crashes / sizeof *crashes };
static struct sigaction former[CRASHES];
static int wants_backtrace;

static void crash(int signal, siginfo_t *info, void *context) {
  for (int i = 0; i < CRASHES; i++) {
    if (crashes[i].signal != signal) continue;
    is_watching = 0; /* no second line from leave */
    say(crashes[i].words);
    struct rlimit core = {0, 0};
    getrlimit(RLIMIT_CORE, &core);
    if (wants_backtrace || core.rlim_cur > 0) {
      /* For the same signal again: who was here before, Swift's backtraces, or nobody, which leaves a core dump. */
      sigaction(signal, wants_backtrace ? &former[i] : &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
      if (info->si_code <= 0) raise(signal);
      return;
    }
    _exit(place.status);
  }
  (void)context;
}

static void leave(void) {
  if (!is_watching) return;
  is_watching = 0;
  say("the process was ended by exit, in the middle of the run; the run can go on from its last checkpoint");
  _exit(place.status);
}

void supervision_begin(supervision_place here) {
  place = here;
  const char *backtrace = getenv("SWIFT_BACKTRACE");
  wants_backtrace = backtrace && (strstr(backtrace, "enable=yes") || strstr(backtrace, "enable=on"));
  /* A stack that overflowed cannot run its own handler. */
  static char stack[64 << 10];
  sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
  for (int i = 0; i < CRASHES; i++) {
    struct sigaction action = {.sa_sigaction = crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(crashes[i].signal, &action, &former[i]);
  }
  static int is_registered;
  if (!is_registered) atexit(leave);
  is_registered = 1;
  is_watching = 1;
}

void supervision_end(void) { is_watching = 0; }

/* ---- Requests to stop ------------------------------------------------------------------------------------------------- */

/* While a run is made ready there is nothing to save, and reading pictures may take minutes: a request ends the process. */
static volatile sig_atomic_t is_ready = 1;
static int status_if_not_ready;
/* mpirun's ranks get SIGTERM from it where another rank has failed, which has said so, or where mpirun ends, which says so. */
static int has_launcher;

static void request(int signal, siginfo_t *info, void *context) {
  (void)context;
  if (!is_ready) {
    static const char words[] = "icp: stopped on request before the first step; nothing is changed\n";
    const int is_end_of_job = signal == SIGTERM && has_launcher && info->si_pid == getppid();
    /* One rank speaks for all; before MPI_Init nobody knows which it is. */
    const int speaks = !place.place || strncmp(place.place, "rank 0 ", 7) == 0;
    if (speaks && !is_end_of_job) (void)!write(STDERR_FILENO, words, sizeof words - 1);
    _exit(status_if_not_ready);
  }
  if (signal == SIGINT && ++interrupts > 1) _exit(128 + SIGINT);
  stop_requests++;
}

/* Whether SIGHUP was ignored when the process began (nohup). Seen before any library's constructor runs: those that come with
   Open MPI 5 catch the signal as they are loaded. */
static int ignores_hangup;
static void look_at_hangup(void) {
  struct sigaction former;
  ignores_hangup = sigaction(SIGHUP, NULL, &former) == 0 && former.sa_handler == SIG_IGN;
}

/* Where standard output is closed, the first file that is opened would become it, and what is printed would go there. Written
   to, these say that they cannot be. */
static void occupy_standard_descriptors(void) {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++)
    if (fcntl(descriptor, F_GETFD) < 0) (void)!open("/dev/null", O_RDONLY);
}

static void look_at_start(void) {
  look_at_hangup();
  occupy_standard_descriptors();
}
__attribute__((section(".preinit_array"), used)) static void (*const at_start)(void) = look_at_start;

void supervision_take_stop_requests(void) {
  const int signals[] = {SIGUSR1, SIGTERM, SIGINT, SIGHUP};
  sigset_t wanted;
  sigemptyset(&wanted);
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    struct sigaction action = {.sa_sigaction = request, .sa_flags = SA_RESTART | SA_SIGINFO};
    /* nohup means that a terminal which closes is nobody's request. */
    if (signals[i] == SIGHUP && ignores_hangup) action = (struct sigaction){.sa_handler = SIG_IGN};
    sigaction(signals[i], &action, NULL);
    sigaddset(&wanted, signals[i]);
  }
  /* Whoever started us may have held them back. */
  pthread_sigmask(SIG_UNBLOCK, &wanted, NULL);
}

int supervision_stop_requests(void) { return stop_requests; }

void supervision_leave_on_request(int status) {
  status_if_not_ready = status;
  has_launcher = getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMI_SIZE");
  is_ready = 0;
}

void supervision_keep_requests(void) { is_ready = 1; }

/* ---- Threads ---------------------------------------------------------------------------------------------------------- */

static void *nothing(void *lock) {
  pthread_mutex_lock(lock);
  pthread_mutex_unlock(lock);
  return NULL;
}

int supervision_try_threads(int count) {
  enum { MOST = 16 };
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_t threads[MOST];
  int made = 0, error = 0;
  pthread_mutex_lock(&lock);
  while (made < count && made < MOST && !(error = pthread_create(&threads[made], NULL, nothing, &lock))) made++;
  pthread_mutex_unlock(&lock);
  while (made > 0) pthread_join(threads[--made], NULL);
  return error;
}
