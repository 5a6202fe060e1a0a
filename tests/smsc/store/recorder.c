/* Stands between a process and the C library (LD_PRELOAD) and writes down, in order:
 *
 *   W  octets written to the store's file: in the page cache only, until an S
 *   D  octets written through a descriptor opened with O_DSYNC: on the disk at once
 *   S  fdatasync or fsync of the store's file came back: every W before it is on the disk
 *   A  octets sent on a socket: what a client may have been told by then
 *
 * The log ($RECORD_LOG) is a sequence of: kind (1 octet), offset (8), length (8), octets; host order.
 * With $RECORD_FAIL_AFTER=n the n+1st fdatasync and all later ones fail with EIO.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096, UNKNOWN = 0, CACHED = 1, DURABLE = 2 };

static const char TARGET[] = "/store.mdb";
static unsigned char kinds[DESCRIPTORS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static long fail_after = -1, syncs = 0;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("RECORD_LOG"), *fail = getenv("RECORD_FAIL_AFTER");
    if (path)
        log_fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fail)
        fail_after = atol(fail);
}

static int kind_of(int fd) { return fd >= 0 && fd < DESCRIPTORS ? kinds[fd] : UNKNOWN; }

static void put(char kind, int64_t offset, const void *octets, int64_t length) {
    char head[17];
    if (log_fd < 0)
        return;
    head[0] = kind;
    memcpy(head + 1, &offset, 8);
    memcpy(head + 9, &length, 8);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)octets, (size_t)length}};
    pthread_mutex_lock(&lock);
    /* One writev of O_APPEND is whole unless the disk is full. */
    if (syscall(SYS_writev, log_fd, parts, length ? 2 : 1) < 0)
        abort();
    pthread_mutex_unlock(&lock);
}

static void wrote(int fd, int64_t offset, const void *octets, int64_t length) {
    if (length > 0)
        put(kind_of(fd) == DURABLE ? 'D' : 'W', offset, octets, length);
}

static int opened(int fd, const char *path, int flags) {
    size_t length = strlen(path), tail = sizeof TARGET - 1;
    if (fd >= 0 && fd < DESCRIPTORS) {
        kinds[fd] = UNKNOWN;
        if (length >= tail && !strcmp(path + length - tail, TARGET))
            kinds[fd] = flags & O_DSYNC ? DURABLE : CACHED;
    }
    return fd;
}

int open(const char *path, int flags, ...) {
    int (*next)(const char *, int, ...) = real("open");
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return opened(next(path, flags, mode), path, flags);
}

int open64(const char *path, int flags, ...) {
    int (*next)(const char *, int, ...) = real("open64");
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return opened(next(path, flags, mode), path, flags);
}

int close(int fd) {
    int (*next)(int) = real("close");
    if (fd >= 0 && fd < DESCRIPTORS)
        kinds[fd] = UNKNOWN;
    return next(fd);
}

ssize_t pwrite(int fd, const void *octets, size_t length, off_t offset) {
    ssize_t (*next)(int, const void *, size_t, off_t) = real("pwrite");
    ssize_t done = next(fd, octets, length, offset);
    if (kind_of(fd))
        wrote(fd, offset, octets, done);
    return done;
}

ssize_t pwrite64(int fd, const void *octets, size_t length, off64_t offset) {
    ssize_t (*next)(int, const void *, size_t, off64_t) = real("pwrite64");
    ssize_t done = next(fd, octets, length, offset);
    if (kind_of(fd))
        wrote(fd, offset, octets, done);
    return done;
}

ssize_t write(int fd, const void *octets, size_t length) {
    ssize_t (*next)(int, const void *, size_t) = real("write");
    off_t offset = kind_of(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = next(fd, octets, length);
    if (kind_of(fd))
        wrote(fd, offset, octets, done);
    return done;
}

static void wrote_parts(int fd, const struct iovec *parts, int count, off_t offset, ssize_t done) {
    for (int at = 0; at < count && done > 0; at++) {
        ssize_t here = (ssize_t)parts[at].iov_len < done ? (ssize_t)parts[at].iov_len : done;
        wrote(fd, offset, parts[at].iov_base, here);
        offset += here;
        done -= here;
    }
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    ssize_t (*next)(int, const struct iovec *, int) = real("writev");
    off_t offset = kind_of(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = next(fd, parts, count);
    if (kind_of(fd))
        wrote_parts(fd, parts, count, offset, done);
    return done;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    ssize_t (*next)(int, const struct iovec *, int, off_t) = real("pwritev");
    ssize_t done = next(fd, parts, count, offset);
    if (kind_of(fd))
        wrote_parts(fd, parts, count, offset, done);
    return done;
}

static int sync_with(const char *name, int fd) {
    int (*next)(int) = real(name);
    if (!kind_of(fd))
        return next(fd);
    if (fail_after >= 0 && syncs++ >= fail_after) {
        errno = EIO;
        return -1;
    }
    int failed = next(fd);
    if (!failed)
        put('S', 0, NULL, 0);
    return failed;
}

int fdatasync(int fd) { return sync_with("fdatasync", fd); }

int fsync(int fd) { return sync_with("fsync", fd); }

ssize_t send(int fd, const void *octets, size_t length, int flags) {
    ssize_t (*next)(int, const void *, size_t, int) = real("send");
    put('A', fd, octets, (int64_t)length); /* before it leaves: by now it must be true */
    return next(fd, octets, length, flags);
}
