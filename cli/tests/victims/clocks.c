/* Reads every clock for each line on its standard input, while threads and a
 * child process read them all the time. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void *spin(void *unused) {
    struct timespec now;
    for (;;) clock_gettime(CLOCK_REALTIME, &now);
    return unused;
}

int main(void) {
    pthread_t thread;
    char line[64];
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) pause();
    }
    for (int i = 0; i < 3; i++) pthread_create(&thread, NULL, spin, NULL);
    while (fgets(line, sizeof line, stdin)) {
        struct timespec real, coarse, monotonic;
        struct timeval day;
        clock_gettime(CLOCK_REALTIME, &real);
        gettimeofday(&day, NULL);
        time_t seconds = time(NULL);
        clock_gettime(CLOCK_REALTIME_COARSE, &coarse);
        clock_gettime(CLOCK_MONOTONIC, &monotonic);
        printf("%ld.%09ld %ld.%06ld %ld.0 %ld.%09ld %ld.%09ld\n", real.tv_sec, real.tv_nsec,
               day.tv_sec, day.tv_usec, (long)seconds, coarse.tv_sec, coarse.tv_nsec,
               monotonic.tv_sec, monotonic.tv_nsec);
        fflush(stdout);
    }
    return 0;
}
