// SPDX-License-Identifier: Apache-2.0
/*
 * A stand-in for libnccl.so.2 between processes of one machine whose device memory is the host's. It does what NCCL's
 * contract says of a communicator that does not block: init and operations are in progress until all ranks have come,
 * ncclCommAbort ends that, a peer that never comes is waited for for ever, and an error can turn up later. Elements are
 * really combined, so that a wrong address, count, type or operation shows. For tests only.
 *
 * The communicator's name is the name of a file in shared memory: counters of who has come, and room for one operand of
 * every rank. Settings, in the environment:
 *   STAND_IN_ERROR_AFTER=N   after N operations, ncclCommGetAsyncError reports ncclRemoteError
 *   STAND_IN_HANG_AFTER=N    this rank never comes to operation N (from 0)
 *   STAND_IN_LOG=FILE        a line for each operation is appended there
 *   STAND_IN_SLOW_STATE=MS   ncclCommGetAsyncError takes so long, and reads the communicator at its end
 *   STAND_IN_FINALIZE=1      what ncclCommFinalize begins never ends
 *   STAND_IN_ABORT_HANGS=1   ncclCommAbort never returns
 *   STAND_IN_VERSION=N       ncclGetVersion's answer
 * A communicator is freed once; whoever uses it afterwards, or frees it while it is being freed, ends the process. What
 * is called on another device than the rank's, which is its number, is told in the log.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SUCCESS = 0, SYSTEM_ERROR = 2, INVALID_ARGUMENT = 4, INVALID_USAGE = 5, REMOTE_ERROR = 6, IN_PROGRESS = 7 };
enum { SUM, PROD, MAX, MIN, AVG, BROADCAST, GATHER };
#define MOST_RANKS 8
#define ROOM (32 << 20)

typedef struct { char bytes[128]; } Id;

typedef struct {
  size_t size; unsigned magic, version; int blocking, cga, min_ctas, max_ctas; const char *net; int split, traffic;
  const char *name; int collnet, policy, shrink, nvls;
} Config;

typedef struct { atomic_long come[2]; char pad[48]; char operand[MOST_RANKS][ROOM]; } Shared;

typedef struct { const void *send; void *receive; size_t count; int type, op, root; } Operation;

typedef struct {
  Id id; int rank, size; Shared *shared; long phase; long operations; atomic_int state; atomic_int aborted;
  Operation *queue; int queued, room; atomic_int freed;
} Comm;

static __thread int depth;
static __thread Comm *grouped;
static char last_error[256];

static long setting(const char *name) { const char *text = getenv(name); return text ? atol(text) : -1; }

static void say(const char *format, long a, long b, long c, long d) {
  const char *name = getenv("STAND_IN_LOG");
  if (!name) return;
  char line[256];
  int n = snprintf(line, sizeof line, format, a, b, c, d);
  int file = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (file >= 0) { if (write(file, line, n) < 0) {} close(file); }
}

/* Memory of a communicator is never given back, so that this shows reliably. */
static void check(Comm *comm, const char *where) {
  int (*get_device)(int *) = NULL, device = -1;
  void *runtime = dlopen("libcudart.so.13", RTLD_LAZY | RTLD_NOLOAD);
  if (!runtime) runtime = dlopen("libcudart.so.12", RTLD_LAZY | RTLD_NOLOAD);
  if (runtime) get_device = (int (*)(int *)) dlsym(runtime, "cudaGetDevice");
  if (!get_device || get_device(&device) || device != comm->rank) say("rank %ld on device %ld%.0ld%.0ld\n", comm->rank, device, 0, 0);
  if (atomic_load(&comm->freed)) { fprintf(stderr, "stand-in: %s with a freed communicator\n", where); abort(); }
}

static void release(Comm *comm, const char *where) {
  check(comm, where);
  if (atomic_exchange(&comm->freed, 1)) { fprintf(stderr, "stand-in: freed twice by %s\n", where); abort(); }
}

/* All ranks have to come here; 0 if this one is aborted before. */
static int meet(Comm *comm) {
  atomic_long *come = &comm->shared->come[0];
  long target = ++comm->phase * comm->size;
  atomic_fetch_add(come, 1);
  while (atomic_load(come) < target) {
    if (atomic_load(&comm->aborted)) return 0;
    usleep(200);
  }
  return !atomic_load(&comm->aborted);
}

static size_t width(int type) {
  switch (type) { case 0: case 1: return 1; case 2: case 3: case 7: return 4; case 6: case 9: return 2; default: return 8; }
}

#define COMBINE(T) do { \
  T *to = o->receive; \
  for (size_t i = 0; i < n; i++) { \
    T value = ((T *) s->operand[0])[at + i]; \
    for (int r = 1; r < comm->size; r++) { \
      T next = ((T *) s->operand[r])[at + i]; \
      switch (o->op) { case PROD: value *= next; break; case MAX: if (next > value) value = next; break; \
        case MIN: if (next < value) value = next; break; default: value += next; } \
    } \
    to[start + i] = o->op == AVG ? value / comm->size : value; \
  } } while (0)

static int one(Comm *comm, Operation *o) {
  Shared *s = comm->shared;
  size_t w = width(o->type), most = ROOM / w;
  for (size_t start = 0; start < o->count; start += most) {
    size_t n = o->count - start < most ? o->count - start : most, at = 0;
    memcpy(s->operand[comm->rank], (const char *) o->send + start * w, n * w);
    if (!meet(comm)) return 0;
    if (o->op == BROADCAST) memcpy((char *) o->receive + start * w, s->operand[o->root], n * w);
    else if (o->op == GATHER)
      for (int r = 0; r < comm->size; r++) memcpy((char *) o->receive + (r * o->count + start) * w, s->operand[r], n * w);
    else switch (o->type) {
      case 1: COMBINE(uint8_t); break; case 2: COMBINE(int32_t); break; case 4: COMBINE(int64_t); break;
      case 7: COMBINE(float); break; case 8: COMBINE(double); break;
      default: break; /* half precision: only the rendezvous */
    }
    if (!meet(comm)) return 0;
  }
  return 1;
}

static void *work(void *argument) {
  Comm *comm = argument;
  int queued = comm->queued;
  for (int i = 0; i < queued; i++) {
    if (comm->operations == setting("STAND_IN_HANG_AFTER")) {
      while (!atomic_load(&comm->aborted)) usleep(1000);
      return NULL;
    }
    Operation *o = &comm->queue[i];
    say("op %ld type %ld count %ld root %ld\n", o->op, o->type, (long) o->count, o->root);
    if (!one(comm, o)) return NULL;
    comm->operations++;
  }
  comm->queued = 0;
  if (comm->operations >= setting("STAND_IN_ERROR_AFTER") && setting("STAND_IN_ERROR_AFTER") >= 0) {
    snprintf(last_error, sizeof last_error, "stand-in: the link to a peer is down");
    atomic_store(&comm->state, REMOTE_ERROR);
  } else {
    atomic_store(&comm->state, SUCCESS);
  }
  return NULL;
}

static void *begin(void *argument) {
  Comm *comm = argument;
  if (meet(comm)) atomic_store(&comm->state, SUCCESS);
  shm_unlink(comm->id.bytes);
  return NULL;
}

static int start(Comm *comm, void *(*what)(void *)) {
  pthread_t thread;
  atomic_store(&comm->state, IN_PROGRESS);
  if (pthread_create(&thread, NULL, what, comm)) return SYSTEM_ERROR;
  pthread_detach(thread);
  return IN_PROGRESS;
}

int ncclGetVersion(int *version) { *version = setting("STAND_IN_VERSION") > 0 ? setting("STAND_IN_VERSION") : 22703; return SUCCESS; }

int ncclGetUniqueId(Id *id) {
  memset(id, 0, sizeof *id);
  snprintf(id->bytes, sizeof id->bytes, "/rdm-stand-in-%d-%ld", (int) getpid(), random());
  return SUCCESS;
}

int ncclCommInitRankConfig(Comm **out, int size, Id id, int rank, Config *config) {
  if (config->magic != 0xcafebeef || config->blocking != 0 || config->size != sizeof(Config) || size > MOST_RANKS) {
    snprintf(last_error, sizeof last_error, "stand-in: the configuration is wrong");
    return INVALID_ARGUMENT;
  }
  int file = shm_open(id.bytes, O_RDWR | O_CREAT, 0600);
  if (file < 0 || ftruncate(file, sizeof(Shared))) { snprintf(last_error, sizeof last_error, "stand-in: %s", strerror(errno)); return SYSTEM_ERROR; }
  Comm *comm = calloc(1, sizeof *comm);
  comm->id = id; comm->rank = rank; comm->size = size;
  comm->shared = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (comm->shared == MAP_FAILED) return SYSTEM_ERROR;
  say("init rank %ld of %ld, blocking %ld, %ld\n", rank, size, config->blocking, config->version);
  *out = comm;
  return start(comm, begin);
}

int ncclCommInitRank(Comm **out, int size, Id id, int rank) { return INVALID_USAGE; }

int ncclCommGetAsyncError(Comm *comm, int *state) {
  check(comm, "ncclCommGetAsyncError");
  if (setting("STAND_IN_SLOW_STATE") > 0) { usleep(1000 * setting("STAND_IN_SLOW_STATE")); check(comm, "ncclCommGetAsyncError"); }
  *state = atomic_load(&comm->state);
  return SUCCESS;
}

int ncclGroupStart(void) { depth++; return SUCCESS; }

int ncclGroupEnd(void) {
  if (depth == 0) return INVALID_USAGE;
  if (--depth > 0 || !grouped) return SUCCESS;
  Comm *comm = grouped;
  grouped = NULL;
  say("group of %ld on rank %ld%.0ld%.0ld\n", comm->queued, comm->rank, 0, 0);
  return start(comm, work);
}

static int add(Comm *comm, Operation o) {
  check(comm, "an operation");
  if (atomic_load(&comm->state) != SUCCESS) return atomic_load(&comm->state);
  if (comm->queued == comm->room) {
    comm->room = comm->room ? 2 * comm->room : 64;
    comm->queue = realloc(comm->queue, comm->room * sizeof(Operation));
  }
  comm->queue[comm->queued++] = o;
  grouped = comm;
  return depth > 0 ? SUCCESS : start(comm, work);
}

int ncclAllReduce(const void *send, void *receive, size_t count, int type, int op, Comm *comm, void *stream) {
  return add(comm, (Operation) {send, receive, count, type, op, -1});
}

int ncclBroadcast(const void *send, void *receive, size_t count, int type, int root, Comm *comm, void *stream) {
  return add(comm, (Operation) {send, receive, count, type, BROADCAST, root});
}

int ncclAllGather(const void *send, void *receive, size_t count, int type, Comm *comm, void *stream) {
  return add(comm, (Operation) {send, receive, count, type, GATHER, -1});
}

int ncclCommFinalize(Comm *comm) {
  check(comm, "ncclCommFinalize");
  if (setting("STAND_IN_FINALIZE") < 0) return SUCCESS;
  atomic_store(&comm->state, IN_PROGRESS);
  return IN_PROGRESS;
}

int ncclCommDestroy(Comm *comm) {
  release(comm, "ncclCommDestroy");
  say("destroy rank %ld%.0ld%.0ld%.0ld\n", comm->rank, 0, 0, 0);
  return SUCCESS;
}

int ncclCommAbort(Comm *comm) {
  release(comm, "ncclCommAbort");
  say("abort rank %ld%.0ld%.0ld%.0ld\n", comm->rank, 0, 0, 0);
  while (setting("STAND_IN_ABORT_HANGS") > 0) sleep(1);
  atomic_store(&comm->aborted, 1);
  return SUCCESS;
}

const char *ncclGetErrorString(int result) { return result == REMOTE_ERROR ? "remote process exited or there was a network error" : result == INVALID_ARGUMENT ? "invalid argument" : "stand-in error"; }
const char *ncclGetLastError(Comm *comm) { return last_error; }

/* libtorch_cuda.so needs these by name; none is called. */
#define UNUSED(name) int name(void) { return INVALID_USAGE; }
UNUSED(ncclAlltoAll) UNUSED(ncclBcast) UNUSED(ncclCommCount) UNUSED(ncclCommDeregister) UNUSED(ncclCommInitAll)
UNUSED(ncclCommInitRankScalable) UNUSED(ncclCommRegister) UNUSED(ncclCommShrink) UNUSED(ncclCommSplit)
UNUSED(ncclCommUserRank) UNUSED(ncclCommWindowDeregister) UNUSED(ncclCommWindowRegister) UNUSED(ncclGroupSimulateEnd)
UNUSED(ncclMemAlloc) UNUSED(ncclMemFree) UNUSED(ncclRecv) UNUSED(ncclRedOpCreatePreMulSum) UNUSED(ncclRedOpDestroy)
UNUSED(ncclReduce) UNUSED(ncclReduceScatter) UNUSED(ncclSend)
