/* probe CONFDIR SERVICE USER: one PAM login (authenticate, then account), told line by line.
   Answers come from standard input, one line per question. CONFDIR `-` means /etc/pam.d.
   Standard error has the transcript; standard output one line with the verdict. */
#include "modules/common.h"
#include <security/pam_appl.h>

static int talk(int n, const struct pam_message **messages, struct pam_response **replies, void *data UNUSED) {
    if (n <= 0 || n > PAM_MAX_NUM_MSG) return PAM_CONV_ERR;
    *replies = calloc((size_t)n, sizeof **replies);
    for (int i = 0; i < n; i++) {
        int style = messages[i]->msg_style;
        const char *text = messages[i]->msg;
        char shown[200];
        escape(shown, sizeof shown, text);
        fprintf(stderr, "%s length=%zu %s\n",
                style == PAM_PROMPT_ECHO_OFF ? "echo-off" : style == PAM_PROMPT_ECHO_ON ? "echo-on"
                : style == PAM_TEXT_INFO ? "info" : style == PAM_ERROR_MSG ? "error" : "unknown-style",
                text ? strlen(text) : 0, text ? shown : "(null)");
        if (style != PAM_PROMPT_ECHO_OFF && style != PAM_PROMPT_ECHO_ON) continue;
        char *line = NULL;
        size_t size = 0;
        ssize_t got = getline(&line, &size, stdin);
        if (got < 0) { free(line); fprintf(stderr, "no more answers\n"); return PAM_CONV_ERR; }
        if (got > 0 && line[got - 1] == '\n') line[got - 1] = '\0';
        (*replies)[i].resp = line;
    }
    return PAM_SUCCESS;
}

int main(int argc, char **argv) {
    if (argc != 4) { fprintf(stderr, "usage: probe CONFDIR SERVICE USER\n"); return 2; }
    const struct pam_conv conv = {talk, NULL};
    pam_handle_t *pamh = NULL;
    int plain = strcmp(argv[1], "-") == 0;
    int code = plain ? pam_start(argv[2], argv[3], &conv, &pamh)
                     : pam_start_confdir(argv[2], argv[3], &conv, argv[1], &pamh);
    if (code != PAM_SUCCESS) { printf("start=%s\n", name_of(code)); return 1; }
    pam_set_item(pamh, PAM_RHOST, "192.0.2.7");
    code = pam_authenticate(pamh, 0);
    printf("authenticate=%s", name_of(code));
    if (code == PAM_SUCCESS) printf(" account=%s", name_of(code = pam_acct_mgmt(pamh, 0)));
    const void *user = NULL;
    char shown[300];
    pam_get_item(pamh, PAM_USER, &user);
    escape(shown, sizeof shown, user);
    printf(" user=%s\n", shown);
    pam_end(pamh, code);
    return code == PAM_SUCCESS ? 0 : 1;
}
