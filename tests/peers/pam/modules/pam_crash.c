/* A module that takes its process with it.
     how=abort|segv|exit|kill|stack|memory|files
                       abort(), a write to address 0, exit(0) (the process ends as if all were
                       well), SIGKILL, endless recursion, memory until refused (or until mb=N,
                       default 256) and then abort(), file descriptors until refused and then abort()
     in=auth|account   the phase (default auth; the other one succeeds)
     ask               asks for the password before
     note=FILE         see common.h */
#include "common.h"

static volatile int depth;
static int recurse(volatile char *above) {
    volatile char here[4096];
    here[0] = above[0];
    if (++depth < 0) return 0; /* the stack is long gone by then */
    return recurse(here) + here[0];
}

static void eat_memory(long megabytes) {
    for (long i = 0; i < megabytes; i++) {
        char *block = malloc(1 << 20);
        if (!block) break;
        memset(block, 1, 1 << 20);
    }
}

static int crash(pam_handle_t *pamh, int argc, const char **argv, const char *phase) {
    const char *in = option(argc, argv, "in"), *how = option(argc, argv, "how"), *mb = option(argc, argv, "mb");
    if (strcmp(in ? in : "auth", phase) != 0) return PAM_SUCCESS;
    ask_password_first(pamh, argc, argv);
    note(pamh, argc, argv, "crash", -1);
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none); /* a test machine need not collect core files */
    if (!how) how = "abort";
    if (strcmp(how, "segv") == 0) { volatile int *nowhere = NULL; *nowhere = 1; }
    if (strcmp(how, "exit") == 0) exit(0);
    if (strcmp(how, "kill") == 0) kill(getpid(), SIGKILL);
    if (strcmp(how, "stack") == 0) { volatile char start[1] = {0}; recurse(start); }
    if (strcmp(how, "memory") == 0) eat_memory(mb ? atol(mb) : 256);
    if (strcmp(how, "files") == 0) while (dup(0) >= 0 || dup(2) >= 0) { }
    abort();
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags UNUSED, int argc, const char **argv) {
    return crash(pamh, argc, argv, "auth");
}
int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags UNUSED, int argc, const char **argv) {
    return crash(pamh, argc, argv, "account");
}
EMPTY(pam_sm_setcred)
EMPTY(pam_sm_open_session)
EMPTY(pam_sm_close_session)
