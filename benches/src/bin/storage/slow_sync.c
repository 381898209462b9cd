/* Makes each fsync and fdatasync take SYNC_MICROS longer, as on a disk that is slower than this
   one. Put before a program by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int and_wait(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *micros = getenv("SYNC_MICROS");
    int result = real(fd);
    if (micros)
        usleep((useconds_t)atoi(micros));
    return result;
}

int fsync(int fd) { return and_wait("fsync", fd); }
int fdatasync(int fd) { return and_wait("fdatasync", fd); }
