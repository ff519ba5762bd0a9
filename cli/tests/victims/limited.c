/* Tells from inside what it can still have: for each line on its standard input it takes one
 * thing and says "ok" or the error's name. A thread of it and a child process count all the while
 * in the file that is its first argument; they rest between two counts if there is no second. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile unsigned long *counts;
static int rests;
static char *volatile taken;

static void *count(void *which) {
    for (;;) {
        counts[(long)which]++;
        if (rests) usleep(500);
    }
    return NULL;
}

static void *nothing(void *unused) { return unused; }

static int take(const char *what) {
    if (!strncmp(what, "fork", 4)) {
        pid_t child = fork();
        if (child < 0) return errno;
        if (child == 0) _exit(0);
        waitpid(child, NULL, 0);
    } else if (!strncmp(what, "child", 5)) { /* one that stays */
        pid_t child = fork();
        if (child < 0) return errno;
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;) pause();
        }
    } else if (!strncmp(what, "thread", 6)) {
        pthread_t thread;
        int error = pthread_create(&thread, NULL, nothing, NULL);
        if (error) return error;
        pthread_join(thread, NULL);
    } else if (!strncmp(what, "file", 4)) {
        int file = open("/dev/null", O_RDONLY);
        if (file < 0) return errno;
        close(file);
    } else { /* mebibytes */
        size_t size = (size_t)atol(what) << 20;
        char *memory = malloc(size);
        if (!memory) return errno;
        memset(memory, 1, size);
        taken = memory; /* or the compiler would do without */
    }
    return 0;
}

int main(int number, char **arguments) {
    char line[64];
    pthread_t thread;
    int file = open(arguments[1], O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, 4096)) return 1;
    counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    rests = number < 3;
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        count((void *)1);
    }
    pthread_create(&thread, NULL, count, (void *)0);
    while (fgets(line, sizeof line, stdin)) {
        int error = take(line);
        printf("%s\n", error == 0 ? "ok" : error == EAGAIN ? "EAGAIN" : error == EMFILE ? "EMFILE"
                     : error == ENOMEM ? "ENOMEM" : strerror(error));
        fflush(stdout);
    }
    return 0;
}
