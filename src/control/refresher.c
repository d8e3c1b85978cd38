/* SPDX-License-Identifier: MIT */
/* control/refresher - one job per source: idle until its time has come, then a fetch. */
#include "control/refresher.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/rng.h"
#include "control/token_http.h"

#define AHEAD_MS        (5u * 60 * 1000) /* AWS asks for that much; Google and Entra for less */
#define JITTER_MS       (60u * 1000)     /* replicas that began together do not ask together */
#define MIN_DELAY_MS    5000u /* a metadata service may give a token that has seconds left */
#define MIN_BACKOFF_MS  1000u
#define MAX_BACKOFF_MS  60000u
#define REFUSED_WAIT_MS 10000u  /* after a refusal; longer and longer while tokens are refused */
#define MAX_REFUSALS    6       /* that is ten minutes */
#define LOOK_MS         500     /* refusals are marked in the slot, which wakes nobody */
#define IDLE_MS         3600000 /* nothing to do: until woken */

struct job {
    struct gw_list node;
    struct gw_token_entry *entry; /* held */
    struct gw_token_fetch fetch;
    struct gw_token_call *call; /* of the fetch; NULL: idle */
    uint64_t next_at_ms;        /* monotonic */
    uint64_t fetched_at_ms;     /* monotonic; 0: never */
    unsigned failures;          /* in a row */
    unsigned refusals;          /* in a row: fetched, and refused before its time */
    char last_why[GW_TOKEN_WHY_BYTES];
};

struct gw_refresher {
    /* immutable after create */
    struct gw_token_book *book;
    pthread_t thread;
    int wake_fd;
    /* any thread */
    atomic_bool is_stopping;
    atomic_uint_fast64_t refreshes_total;
    atomic_uint_fast64_t failures_total;
    struct {
        /* the thread's */
        struct gw_list jobs;
        struct gw_token_http *http; /* made with the first job */
        struct gw_rng rng;
    } own;
};

static uint64_t now_ms(void)
{
    return gw_clock_mono_ns() / 1000000;
}

uint64_t gw_refresher_delay_ms(uint64_t life_ms, uint64_t random)
{
    uint64_t ahead = AHEAD_MS + random % JITTER_MS;
    uint64_t delay = life_ms > 2 * ahead ? life_ms - ahead : life_ms / 2;
    return delay > MIN_DELAY_MS ? delay : MIN_DELAY_MS;
}

uint64_t gw_refresher_backoff_ms(unsigned failures, uint64_t random)
{
    unsigned doublings = failures > 7 ? 6 : failures - 1;
    uint64_t delay = (uint64_t)MIN_BACKOFF_MS << doublings;
    delay = delay < MAX_BACKOFF_MS ? delay : MAX_BACKOFF_MS;
    return delay - delay / 4 + random % (delay / 2); /* a quarter less or more */
}

/* ---- one job ---- */

static void end_fetch(struct job *job)
{
    gw_token_call_destroy(&job->call);
    gw_token_fetch_fini(&job->fetch);
}

static void fail(struct gw_refresher *refresher, struct job *job, const char *why)
{
    struct gw_str label = gw_token_entry_spec(job->entry)->label;
    job->failures++;
    atomic_fetch_add_explicit(&refresher->failures_total, 1, memory_order_relaxed);
    if (strcmp(job->last_why, why) != 0) {
        gw_log_warn("tokens", GW_STR_FMT ": no token: %s", GW_STR_ARG(label), why);
        (void)snprintf(job->last_why, sizeof(job->last_why), "%s", why);
    }
    job->next_at_ms =
        now_ms() + gw_refresher_backoff_ms(job->failures, gw_rng_next(&refresher->own.rng));
    end_fetch(job);
}

static void succeed(struct gw_refresher *refresher, struct job *job)
{
    struct gw_token_slot *slot = gw_token_entry_slot(job->entry);
    struct gw_str label = gw_token_entry_spec(job->entry)->label;
    const struct gw_token *token = &job->fetch.token;
    uint64_t wall_ms = gw_clock_wall_ms();
    bool was_refused = gw_token_slot_is_refused(slot);
    if (gw_token_slot_set(slot, token, wall_ms) != GW_OK) {
        fail(refresher, job, "the token is too large");
        return;
    }
    atomic_fetch_add_explicit(&refresher->refreshes_total, 1, memory_order_relaxed);
    if (job->failures > 0 || job->fetched_at_ms == 0) {
        gw_log_info("tokens", GW_STR_FMT ": has a token", GW_STR_ARG(label));
    }
    uint64_t life_ms = token->expires_at_ms > wall_ms ? token->expires_at_ms - wall_ms : 0;
    job->fetched_at_ms = now_ms();
    job->next_at_ms =
        token->expires_at_ms == 0
            ? job->fetched_at_ms + IDLE_MS /* a file's keys may be replaced */
            : job->fetched_at_ms + gw_refresher_delay_ms(life_ms, gw_rng_next(&refresher->own.rng));
    job->failures = 0;
    job->refusals = was_refused && job->refusals < MAX_REFUSALS ? job->refusals + 1
                    : was_refused                               ? job->refusals
                                                                : 0;
    job->last_why[0] = '\0';
    end_fetch(job);
}

static void step(struct gw_refresher *refresher, struct job *job,
                 const struct gw_token_answer *answer)
{
    enum gw_token_next next = GW_TOKEN_DONE;
    struct gw_token_call *answered =
        job->call; /* what it has given may be looked at until the end */
    job->call = NULL;
    job->fetch.now_ms = gw_clock_wall_ms();
    enum gw_err err = gw_token_step(&job->fetch, answer, &next);
    if (err == GW_OK && next == GW_TOKEN_SEND) {
        err = gw_token_call_create(refresher->own.http, &job->fetch.request, job->fetch.spec, job,
                                   &job->call);
        if (err != GW_OK) {
            fail(refresher, job,
                 err == GW_ERR_INVALID ? "the address to ask is not https" : gw_err_text(err));
        }
    } else if (err == GW_OK) {
        succeed(refresher, job);
    } else {
        char why[GW_TOKEN_WHY_BYTES];
        (void)snprintf(why, sizeof(why), "%s", job->fetch.why);
        fail(refresher, job, why);
    }
    gw_token_call_destroy(&answered);
}

static void begin(struct gw_refresher *refresher, struct job *job)
{
    if (refresher->own.http == NULL) {
        refresher->own.http = gw_token_http_create();
    }
    if (refresher->own.http == NULL ||
        gw_token_fetch_init(&job->fetch, gw_token_entry_spec(job->entry)) != GW_OK) {
        fail(refresher, job, gw_err_text(GW_ERR_NOMEM));
        return;
    }
    step(refresher, job, NULL);
}

static void on_done(struct gw_refresher *refresher, struct job *job)
{
    struct gw_token_answer answer = {0};
    const char *why = "";
    if (gw_token_call_answer(job->call, &answer, &why) == GW_OK) {
        step(refresher, job, &answer);
    } else {
        fail(refresher, job, why);
    }
}

/* ---- all jobs ---- */

static bool has_job(const struct gw_refresher *refresher, const struct gw_token_entry *entry)
{
    for (const struct gw_list *at = refresher->own.jobs.next; at != &refresher->own.jobs;
         at = at->next) {
        const struct job *job = (const struct job *)(const void *)at;
        if (job->entry == entry) {
            return true;
        }
    }
    return false;
}

/* Sources that a new configuration brought. */
static void find_new(struct gw_refresher *refresher)
{
    struct gw_token_entry *last = NULL;
    for (size_t i = 0; i < GW_TOKEN_BOOK_MAX; i++) {
        struct gw_token_entry *entry = gw_token_book_next(refresher->book, last);
        gw_token_entry_let_go(&last);
        if (entry == NULL) {
            return;
        }
        if (!has_job(refresher, entry)) {
            struct job *job = gw_zalloc(sizeof(*job));
            job->entry = gw_token_entry_hold(entry);
            gw_list_append(&refresher->own.jobs, &job->node);
        }
        last = entry;
    }
    gw_token_entry_let_go(&last);
}

static void end_job(struct job *job)
{
    end_fetch(job);
    gw_list_unlink(&job->node);
    gw_token_entry_let_go(&job->entry);
    gw_free(job);
}

/* When the job is to begin, refusals considered. */
static uint64_t due_at(const struct job *job)
{
    uint64_t refused_at = job->fetched_at_ms + ((uint64_t)REFUSED_WAIT_MS << job->refusals) -
                          (job->refusals == 0 ? REFUSED_WAIT_MS : 0);
    bool is_refused = job->fetched_at_ms > 0 && job->failures == 0 &&
                      gw_token_slot_is_refused(gw_token_entry_slot(job->entry));
    return is_refused && refused_at < job->next_at_ms ? refused_at : job->next_at_ms;
}

/* Ends jobs that nobody wants and begins those whose time has come. Returns when to look again. */
static int run_jobs(struct gw_refresher *refresher)
{
    uint64_t wait_ms = IDLE_MS;
    struct gw_list *at = refresher->own.jobs.next;
    while (at != &refresher->own.jobs) {
        struct job *job = GW_CONTAINER_OF(at, struct job, node);
        at = at->next;
        if (!gw_token_entry_is_wanted(job->entry)) {
            end_job(job);
            continue;
        }
        wait_ms = wait_ms < LOOK_MS ? wait_ms : LOOK_MS;
        if (job->call == NULL && due_at(job) <= now_ms()) {
            begin(refresher, job);
        }
    }
    return (int)wait_ms;
}

static void wait_for_work(struct gw_refresher *refresher, int timeout_ms)
{
    uint64_t count = 0;
    if (refresher->own.http == NULL) {
        struct pollfd wake = {.fd = refresher->wake_fd, .events = POLLIN};
        (void)poll(&wake, 1, timeout_ms);
    } else {
        gw_token_http_wait(refresher->own.http, refresher->wake_fd, timeout_ms);
    }
    ssize_t got = read(refresher->wake_fd, &count, sizeof(count));
    (void)got; /* nobody woke us */
}

static void *run(void *user)
{
    struct gw_refresher *refresher = user;
    while (!atomic_load_explicit(&refresher->is_stopping, memory_order_acquire)) {
        void *job = NULL;
        find_new(refresher);
        wait_for_work(refresher, run_jobs(refresher));
        while (refresher->own.http != NULL &&
               gw_token_http_next_done(refresher->own.http, &job) != NULL) {
            on_done(refresher, job);
        }
    }
    while (!gw_list_is_empty(&refresher->own.jobs)) {
        end_job(GW_CONTAINER_OF(refresher->own.jobs.next, struct job, node));
    }
    gw_token_http_destroy(&refresher->own.http);
    return NULL;
}

/* Signals are for the main thread. */
static bool start_thread(struct gw_refresher *refresher)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    bool is_started = pthread_create(&refresher->thread, NULL, run, refresher) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

enum gw_err gw_refresher_create(struct gw_token_book *book, struct gw_refresher **out)
{
    struct gw_refresher *refresher = gw_zalloc(sizeof(*refresher));
    refresher->book = book;
    refresher->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    gw_list_init(&refresher->own.jobs);
    gw_rng_init(&refresher->own.rng);
    if (refresher->wake_fd == -1 || !start_thread(refresher)) {
        if (refresher->wake_fd != -1) {
            (void)close(refresher->wake_fd);
        }
        gw_free(refresher);
        return GW_ERR_IO;
    }
    *out = refresher;
    return GW_OK;
}

void gw_refresher_wake(struct gw_refresher *refresher)
{
    uint64_t one = 1;
    ssize_t put = write(refresher->wake_fd, &one, sizeof(one));
    (void)put; /* full: it is awake */
}

void gw_refresher_destroy(struct gw_refresher **refresher)
{
    struct gw_refresher *old = *refresher;
    *refresher = NULL;
    if (old == NULL) {
        return;
    }
    atomic_store_explicit(&old->is_stopping, true, memory_order_release);
    gw_refresher_wake(old);
    (void)pthread_join(old->thread, NULL);
    (void)close(old->wake_fd);
    gw_free(old);
}

struct gw_refresher_counts gw_refresher_counts(const struct gw_refresher *refresher)
{
    return (struct gw_refresher_counts){
        .refreshes_total = atomic_load_explicit(&refresher->refreshes_total, memory_order_relaxed),
        .failures_total = atomic_load_explicit(&refresher->failures_total, memory_order_relaxed)};
}
