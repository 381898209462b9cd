/* A module that does what its arguments say, one after the other. In `auth`:
     password          ask for the password (echo off) and compare with users=FILE
     otp, otp=off      ask for a one-time code with echo on (or off) and compare
     info=TEXT error=TEXT      show PAM_TEXT_INFO, PAM_ERROR_MSG
     info-size=N prompt-size=N a message, a question of N bytes
     prompts=N         N questions, one call each; any answer will do, but there must be one
     batch=N           one call with N messages (question, info, error, hidden question, ...)
     hostile           questions and messages with control bytes, HTML and broken UTF-8
     style=N           one message of a style that PAM does not define
     null              one message without text
     user=NAME         change PAM_USER
     stdout=TEXT stderr=TEXT   print there
     delay=USEC        pam_fail_delay: libpam waits when the stack fails
     code=PAM_NAME     end here with this code
   Without code= it succeeds if nothing before failed. In `account` only info, error, stdout,
   stderr, user, code and the size and hostile ones count. Anywhere: users=FILE, note=FILE
   (common.h). An argument with blanks goes in [brackets], as always in a service file.

   users=FILE holds lines `name:password:code`; `*` as name stands for everybody. */
#include "common.h"

/* 1 right, 0 wrong, -1 no such user, -2 no file */
static int known(const char *path, const char *user, int field, const char *answer) {
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!file) return -2;
    char line[4096];
    int verdict = -1;
    while (verdict == -1 && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line, *name = strsep(&rest, ":"), *value = NULL;
        for (int i = 0; i < field; i++) value = strsep(&rest, ":");
        if (strcmp(name, "*") != 0 && strcmp(name, user) != 0) continue;
        verdict = value && answer && strcmp(value, answer) == 0;
    }
    explicit_bzero(line, sizeof line);
    fclose(file);
    return verdict;
}

static int verdict_code(int verdict) {
    return verdict == 1 ? PAM_SUCCESS : verdict == 0 ? PAM_AUTH_ERR
         : verdict == -1 ? PAM_USER_UNKNOWN : PAM_AUTHINFO_UNAVAIL;
}

/* One call of the conversation. Every question must be answered. */
static int converse(pam_handle_t *pamh, int n, const struct pam_message *messages, char **first) {
    const void *item = NULL;
    int code = pam_get_item(pamh, PAM_CONV, &item);
    const struct pam_conv *conv = item;
    if (code != PAM_SUCCESS || !conv || !conv->conv) return PAM_CONV_ERR;
    const struct pam_message **list = calloc((size_t)n + 1, sizeof *list);
    struct pam_response *replies = NULL;
    for (int i = 0; i < n; i++) list[i] = &messages[i];
    code = conv->conv(n, list, &replies, conv->appdata_ptr);
    free(list);
    for (int i = 0; code == PAM_SUCCESS && i < n; i++) {
        int question = messages[i].msg_style == PAM_PROMPT_ECHO_ON || messages[i].msg_style == PAM_PROMPT_ECHO_OFF;
        if (question && (!replies || !replies[i].resp)) code = PAM_CONV_ERR;
    }
    for (int i = 0; replies && i < n; i++) {
        if (!replies[i].resp) continue;
        if (i == 0 && first && code == PAM_SUCCESS) { *first = replies[i].resp; continue; }
        explicit_bzero(replies[i].resp, strlen(replies[i].resp));
        free(replies[i].resp);
    }
    free(replies);
    return code;
}

static int say_one(pam_handle_t *pamh, int style, const char *text) {
    struct pam_message message = {style, text};
    return converse(pamh, 1, &message, NULL);
}

static int say_size(pam_handle_t *pamh, int style, const char *size) {
    size_t n = strtoul(size, NULL, 10);
    char *text = malloc(n + 1);
    if (!text) return PAM_BUF_ERR;
    memset(text, 'x', n);
    text[n] = '\0';
    int code = say_one(pamh, style, text);
    free(text);
    return code;
}

static int say_batch(pam_handle_t *pamh, int n) {
    static const struct pam_message kinds[] = {
        {PAM_PROMPT_ECHO_ON, "First name of your cat: "}, {PAM_TEXT_INFO, "Thank you"},
        {PAM_ERROR_MSG, "That was no cat"}, {PAM_PROMPT_ECHO_OFF, "Its secret: "}};
    if (n < 0) n = 0;
    struct pam_message *messages = calloc((size_t)n + 1, sizeof *messages);
    for (int i = 0; i < n; i++) messages[i] = kinds[i % 4];
    int code = converse(pamh, n, messages, NULL);
    free(messages);
    return code;
}

static int say_prompts(pam_handle_t *pamh, int n) {
    int code = PAM_SUCCESS;
    for (int i = 1; i <= n && code == PAM_SUCCESS; i++) {
        char text[64];
        snprintf(text, sizeof text, "Question %d of %d: ", i, n);
        code = say_one(pamh, i % 2 ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, text);
    }
    return code;
}

static int say_hostile(pam_handle_t *pamh, int questions) {
    static const char *texts[] = {
        "<script>alert('pam')</script>", "\033[2J\033]0;owned\007 cleared", "bad \xff\xfe utf-8 \xc3",
        "line one\r\nSet-Cookie: pam=1\r\n\r\nline two", "{{ 7 * 7 }} ${7*7} %s%s%n", "right\xe2\x80\xaetfel"};
    int code = PAM_SUCCESS;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && code == PAM_SUCCESS; i++) {
        code = say_one(pamh, i % 2 ? PAM_ERROR_MSG : PAM_TEXT_INFO, texts[i]);
        if (code == PAM_SUCCESS && questions) code = say_one(pamh, PAM_PROMPT_ECHO_ON, texts[i]);
    }
    return code;
}

static int ask_password(pam_handle_t *pamh, int argc, const char **argv, const char *user) {
    const char *password = NULL;
    int code = pam_get_authtok(pamh, PAM_AUTHTOK, &password, NULL);
    if (code != PAM_SUCCESS) return code;
    note(pamh, argc, argv, "password", (long)strlen(password ? password : ""));
    return verdict_code(known(option(argc, argv, "users"), user, 1, password));
}

static int ask_otp(pam_handle_t *pamh, int argc, const char **argv, const char *user, const char *value) {
    int style = strcmp(value, "off") == 0 ? PAM_PROMPT_ECHO_OFF : PAM_PROMPT_ECHO_ON;
    struct pam_message message = {style, "One-time code: "};
    char *answer = NULL;
    int code = converse(pamh, 1, &message, &answer);
    if (code != PAM_SUCCESS) return code;
    note(pamh, argc, argv, "otp", (long)strlen(answer ? answer : ""));
    code = verdict_code(known(option(argc, argv, "users"), user, 2, answer));
    if (answer) { explicit_bzero(answer, strlen(answer)); free(answer); }
    return code;
}

static int is(const char *argument, const char *name, const char **value) {
    size_t n = strlen(name);
    if (strncmp(argument, name, n) != 0 || (argument[n] != '\0' && argument[n] != '=')) return 0;
    *value = argument[n] ? argument + n + 1 : "";
    return 1;
}

static int run(pam_handle_t *pamh, int argc, const char **argv, int account) {
    const char *user = NULL, *value = "";
    int code = pam_get_user(pamh, &user, NULL);
    if (code != PAM_SUCCESS) return code;
    note(pamh, argc, argv, account ? "account" : "auth", -1);
    for (int i = 0; i < argc && code == PAM_SUCCESS; i++) {
        const char *a = argv[i];
        if (is(a, "code", &value)) return code_of(value);
        else if (is(a, "info", &value)) code = say_one(pamh, PAM_TEXT_INFO, value);
        else if (is(a, "error", &value)) code = say_one(pamh, PAM_ERROR_MSG, value);
        else if (is(a, "info-size", &value)) code = say_size(pamh, PAM_TEXT_INFO, value);
        else if (is(a, "prompt-size", &value)) code = say_size(pamh, PAM_PROMPT_ECHO_ON, value);
        else if (is(a, "hostile", &value)) code = say_hostile(pamh, !account);
        else if (is(a, "user", &value)) code = pam_set_item(pamh, PAM_USER, value);
        else if (is(a, "stdout", &value)) { printf("%s\n", value); fflush(stdout); }
        else if (is(a, "stderr", &value)) fprintf(stderr, "%s\n", value);
        else if (account) continue;
        else if (is(a, "password", &value)) code = ask_password(pamh, argc, argv, user);
        else if (is(a, "otp", &value)) code = ask_otp(pamh, argc, argv, user, value);
        else if (is(a, "prompts", &value)) code = say_prompts(pamh, atoi(value));
        else if (is(a, "batch", &value)) code = say_batch(pamh, atoi(value));
        else if (is(a, "style", &value)) code = say_one(pamh, atoi(value), "A message of no known style");
        else if (is(a, "null", &value)) code = say_one(pamh, PAM_TEXT_INFO, NULL);
        else if (is(a, "delay", &value)) code = pam_fail_delay(pamh, (unsigned)atoi(value));
        if (is(a, "user", &value)) code = pam_get_user(pamh, &user, NULL);
    }
    return code;
}

int pam_sm_authenticate(pam_handle_t *pamh, int flags UNUSED, int argc, const char **argv) {
    return run(pamh, argc, argv, 0);
}
int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags UNUSED, int argc, const char **argv) {
    return run(pamh, argc, argv, 1);
}
EMPTY(pam_sm_setcred)
EMPTY(pam_sm_open_session)
EMPTY(pam_sm_close_session)
