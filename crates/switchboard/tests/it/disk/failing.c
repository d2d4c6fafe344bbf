// A disk that refuses once to keep what the log of the database holds, when the file named by FAIL_ONCE is there.

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int fdatasync(int file) {
    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, name, sizeof name - 1);
    name[length > 0 ? length : 0] = 0;
    const char *flag = getenv("FAIL_ONCE");
    if (flag && strstr(name, "switchboard.db-wal") && unlink(flag) == 0) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_fdatasync, file);
}

int fsync(int file) {
    return fdatasync(file);
}
