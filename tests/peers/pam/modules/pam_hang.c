/* A module that does not come back.
     in=auth|account   the phase that hangs (default auth; the other one succeeds)
     ask               asks for the password before it hangs
     seconds=N         comes back after N seconds, with code= (default PAM_AUTH_ERR)
     spin              burns the processor instead of sleeping
     stubborn          ignores SIGTERM, SIGINT, SIGHUP and SIGALRM: only SIGKILL helps
     talk              sends a PAM_TEXT_INFO every 100 ms, so that it never looks idle
     note=FILE         see common.h */
#include "common.h"
#include <time.h>

static int hang(pam_handle_t *pamh, int argc, const char **argv, const char *phase) {
    const char *in = option(argc, argv, "in"), *seconds = option(argc, argv, "seconds");
    if (strcmp(in ? in : "auth", phase) != 0) return PAM_SUCCESS;
    ask_password_first(pamh, argc, argv);
    if (option(argc, argv, "stubborn")) {
        const int deaf[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM};
        for (size_t i = 0; i < sizeof deaf / sizeof *deaf; i++) signal(deaf[i], SIG_IGN);
    }
    note(pamh, argc, argv, "hang", -1);
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        if (option(argc, argv, "talk")) {
            if (pam_info(pamh, "Still busy") != PAM_SUCCESS) return PAM_CONV_ERR;
            usleep(100000);
        } else if (!option(argc, argv, "spin")) {
            usleep(50000);
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (seconds && now.tv_sec - start.tv_sec >= atol(seconds)) break;
    }
    const char *code = option(argc, argv, "code");
    return code ? code_of(code) : PAM_AUTH_ERR;
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags UNUSED, int argc, const char **argv) {
    return hang(pamh, argc, argv, "auth");
}
int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags UNUSED, int argc, const char **argv) {
    return hang(pamh, argc, argv, "account");
}
EMPTY(pam_sm_setcred)
EMPTY(pam_sm_open_session)
EMPTY(pam_sm_close_session)
