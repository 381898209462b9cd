/* What the three test modules share: arguments, PAM codes by name, the note file. */
#ifndef VESTIBULE_TEST_PAM_COMMON_H
#define VESTIBULE_TEST_PAM_COMMON_H

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include <security/pam_modules.h>
#include <security/pam_ext.h>
#ifndef PAM_DATA_SILENT /* not in pam_modules.h of every release */
#define PAM_DATA_SILENT 0x40000000
#endif

#define UNUSED __attribute__((unused))

/* The value of `name=value`, "" for a bare `name`, NULL when absent. */
UNUSED static const char *option(int argc, const char **argv, const char *name) {
    size_t n = strlen(name);
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], name, n) == 0 && (argv[i][n] == '=' || argv[i][n] == '\0'))
            return argv[i][n] ? argv[i] + n + 1 : "";
    return NULL;
}

static const struct { const char *name; int code; } pam_codes[] = {
    {"PAM_SUCCESS", PAM_SUCCESS}, {"PAM_OPEN_ERR", PAM_OPEN_ERR}, {"PAM_SYMBOL_ERR", PAM_SYMBOL_ERR},
    {"PAM_SERVICE_ERR", PAM_SERVICE_ERR}, {"PAM_SYSTEM_ERR", PAM_SYSTEM_ERR}, {"PAM_BUF_ERR", PAM_BUF_ERR},
    {"PAM_PERM_DENIED", PAM_PERM_DENIED}, {"PAM_AUTH_ERR", PAM_AUTH_ERR},
    {"PAM_CRED_INSUFFICIENT", PAM_CRED_INSUFFICIENT}, {"PAM_AUTHINFO_UNAVAIL", PAM_AUTHINFO_UNAVAIL},
    {"PAM_USER_UNKNOWN", PAM_USER_UNKNOWN}, {"PAM_MAXTRIES", PAM_MAXTRIES},
    {"PAM_NEW_AUTHTOK_REQD", PAM_NEW_AUTHTOK_REQD}, {"PAM_ACCT_EXPIRED", PAM_ACCT_EXPIRED},
    {"PAM_SESSION_ERR", PAM_SESSION_ERR}, {"PAM_CRED_UNAVAIL", PAM_CRED_UNAVAIL},
    {"PAM_CRED_EXPIRED", PAM_CRED_EXPIRED}, {"PAM_CRED_ERR", PAM_CRED_ERR},
    {"PAM_NO_MODULE_DATA", PAM_NO_MODULE_DATA}, {"PAM_CONV_ERR", PAM_CONV_ERR},
    {"PAM_AUTHTOK_ERR", PAM_AUTHTOK_ERR}, {"PAM_AUTHTOK_RECOVERY_ERR", PAM_AUTHTOK_RECOVERY_ERR},
    {"PAM_AUTHTOK_LOCK_BUSY", PAM_AUTHTOK_LOCK_BUSY}, {"PAM_AUTHTOK_DISABLE_AGING", PAM_AUTHTOK_DISABLE_AGING},
    {"PAM_TRY_AGAIN", PAM_TRY_AGAIN}, {"PAM_IGNORE", PAM_IGNORE}, {"PAM_ABORT", PAM_ABORT},
    {"PAM_AUTHTOK_EXPIRED", PAM_AUTHTOK_EXPIRED}, {"PAM_MODULE_UNKNOWN", PAM_MODULE_UNKNOWN},
    {"PAM_BAD_ITEM", PAM_BAD_ITEM}, {"PAM_CONV_AGAIN", PAM_CONV_AGAIN}, {"PAM_INCOMPLETE", PAM_INCOMPLETE},
};

/* A code by its name, or a plain number (for values that PAM does not know). */
UNUSED static int code_of(const char *name) {
    for (size_t i = 0; i < sizeof pam_codes / sizeof *pam_codes; i++)
        if (strcasecmp(name, pam_codes[i].name) == 0) return pam_codes[i].code;
    return *name ? atoi(name) : PAM_SERVICE_ERR;
}

UNUSED static const char *name_of(int code) {
    for (size_t i = 0; i < sizeof pam_codes / sizeof *pam_codes; i++)
        if (pam_codes[i].code == code) return pam_codes[i].name;
    return "PAM_unknown";
}

/* Copies text, every byte outside printable ASCII (and \) as \xNN. */
UNUSED static void escape(char *to, size_t size, const char *from) {
    size_t used = 0;
    for (; from && *from && used + 5 < size; from++) {
        unsigned char c = (unsigned char)*from;
        if (c < 0x21 || c > 0x7e || c == '\\') used += (size_t)sprintf(to + used, "\\x%02x", c);
        else to[used++] = (char)c;
    }
    to[used] = '\0';
}

/* One line to the file of `note=`: what was called, by which process, for whom, with what
   items. Of passwords only ever the length. */
UNUSED static void note(pam_handle_t *pamh, int argc, const char **argv, const char *what, long length) {
    const char *path = option(argc, argv, "note");
    if (!path) return;
    const int kinds[] = {PAM_SERVICE, PAM_USER, PAM_RHOST, PAM_RUSER, PAM_TTY};
    char text[5][600], line[3600];
    for (int i = 0; i < 5; i++) {
        const void *item = NULL;
        if (pam_get_item(pamh, kinds[i], &item) != PAM_SUCCESS) item = NULL;
        escape(text[i], sizeof text[i], item ? item : "");
    }
    int n = snprintf(line, sizeof line, "%s pid=%ld uid=%ld service=%s user=%s rhost=%s ruser=%s tty=%s length=%ld\n",
                     what, (long)getpid(), (long)getuid(), text[0], text[1], text[2], text[3], text[4], length);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0) return;
    if (write(fd, line, (size_t)n) < 0) { /* a test module has nobody to tell */ }
    close(fd);
}

/* Modules that misbehave ask for the password first when told so, like a real one. */
UNUSED static void ask_password_first(pam_handle_t *pamh, int argc, const char **argv) {
    const char *password = NULL;
    if (option(argc, argv, "ask")) (void)pam_get_authtok(pamh, PAM_AUTHTOK, &password, NULL);
}

#define EMPTY(name) \
    int name(pam_handle_t *pamh UNUSED, int flags UNUSED, int argc UNUSED, const char **argv UNUSED) { return PAM_SUCCESS; }

#endif
