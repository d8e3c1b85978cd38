/* SPDX-License-Identifier: MIT */
/* policy/queue - three lists by arrival and one by deadline. */
#include "policy/queue.h"

#include "base/assert.h"

#define PACE_SHIFT  3u /* the last eight or so decide */
#define US_PER_MS   1000u
#define PACE_MAX_MS 3600000u /* nobody is told more than a minute: no need to reckon with more */

static const struct gw_str names[] = {
#define XX(id, name) GW_STR_INIT(name),
    GW_PRIORITY_MAP(XX)
#undef XX
};

enum gw_err gw_priority_parse(struct gw_str name, enum gw_priority *priority)
{
    name = gw_str_trim(name);
    for (unsigned i = 0; i < GW_PRIORITY_COUNT; i++) {
        if (gw_str_eq_nocase(name, names[i])) {
            *priority = (enum gw_priority)i;
            return GW_OK;
        }
    }
    return GW_ERR_NOT_FOUND;
}

struct gw_str gw_priority_name(enum gw_priority priority)
{
    GW_ASSERT((unsigned)priority < GW_PRIORITY_COUNT);
    return names[priority];
}

void gw_queue_init(struct gw_queue *queue, const struct gw_queue_policy *policy)
{
    *queue = (struct gw_queue){.policy = *policy};
    for (unsigned i = 0; i < GW_PRIORITY_COUNT; i++) {
        gw_list_init(&queue->turns[i]);
    }
    gw_list_init(&queue->deadlines);
}

/* ---- coming in ---- */

static bool has_room(const struct gw_queue *queue, enum gw_priority priority)
{
    static const uint64_t shares_pct[] = {
        [GW_PRIORITY_HIGH] = 100,
        [GW_PRIORITY_NORMAL] = GW_QUEUE_NORMAL_PCT,
        [GW_PRIORITY_LOW] = GW_QUEUE_LOW_PCT,
    };
    uint64_t taken = (uint64_t)queue->count * 100;
    return taken < queue->policy.max_waiting * shares_pct[priority];
}

/* Nearly always behind the last one: all wait the same time, but for those with a deadline of their
 * own. */
static void link_by_deadline(struct gw_queue *queue, struct gw_queue_entry *entry)
{
    struct gw_list *before = queue->deadlines.prev;
    while (before != &queue->deadlines &&
           GW_CONTAINER_OF(before, struct gw_queue_entry, deadline)->deadline_ms >
               entry->deadline_ms) {
        before = before->prev;
    }
    gw_list_prepend(before, &entry->deadline);
}

bool gw_queue_put(struct gw_queue *queue, struct gw_queue_entry *entry, enum gw_priority priority,
                  uint64_t deadline_ms, uint64_t now_ms)
{
    uint64_t timeout_ms = queue->policy.timeout_ms;
    uint64_t end_ms = now_ms <= UINT64_MAX - timeout_ms ? now_ms + timeout_ms : UINT64_MAX - 1;
    GW_ASSERT(!entry->is_waiting && (unsigned)priority < GW_PRIORITY_COUNT);
    if (deadline_ms > 0 && deadline_ms < end_ms) {
        end_ms = deadline_ms;
    }
    if (!has_room(queue, priority) || end_ms <= now_ms) {
        queue->refused_total++;
        return false;
    }
    if (queue->count == 0) {
        queue->moved_at_ms = now_ms; /* nobody waited: the time until now says nothing */
    }
    *entry = (struct gw_queue_entry){
        .priority = priority, .deadline_ms = end_ms, .since_ms = now_ms, .is_waiting = true};
    gw_list_append(&queue->turns[priority], &entry->turn);
    link_by_deadline(queue, entry);
    queue->counts[priority]++;
    queue->count++;
    queue->entered_total++;
    return true;
}

/* ---- who is next ---- */

static struct gw_queue_entry *first_from(struct gw_queue *queue, unsigned priority)
{
    struct gw_queue_entry *entry = NULL;
    for (unsigned i = priority; i < GW_PRIORITY_COUNT && entry == NULL; i++) {
        entry = GW_LIST_FIRST(&queue->turns[i], struct gw_queue_entry, turn);
    }
    return entry;
}

struct gw_queue_entry *gw_queue_first(struct gw_queue *queue)
{
    return first_from(queue, GW_PRIORITY_HIGH);
}

struct gw_queue_entry *gw_queue_next(struct gw_queue *queue, struct gw_queue_entry *entry)
{
    GW_ASSERT(entry->is_waiting);
    return entry->turn.next != &queue->turns[entry->priority]
               ? GW_CONTAINER_OF(entry->turn.next, struct gw_queue_entry, turn)
               : first_from(queue, (unsigned)entry->priority + 1);
}

/* ---- leaving ---- */

void gw_queue_remove(struct gw_queue *queue, struct gw_queue_entry *entry)
{
    if (!entry->is_waiting) {
        return;
    }
    gw_list_unlink(&entry->turn);
    gw_list_unlink(&entry->deadline);
    entry->is_waiting = false;
    queue->counts[entry->priority]--;
    queue->count--;
}

/* Milliseconds since the line moved; a clock that jumped back counts as no time. */
static uint64_t still_ms(const struct gw_queue *queue, uint64_t now_ms)
{
    uint64_t still = now_ms > queue->moved_at_ms ? now_ms - queue->moved_at_ms : 0;
    return still < PACE_MAX_MS ? still : PACE_MAX_MS;
}

void gw_queue_serve(struct gw_queue *queue, struct gw_queue_entry *entry, uint64_t now_ms)
{
    GW_ASSERT(entry->is_waiting);
    uint64_t us = still_ms(queue, now_ms) * US_PER_MS;
    if (queue->pace_us == 0) {
        queue->pace_us = us;
    } else {
        queue->pace_us = queue->pace_us - (queue->pace_us >> PACE_SHIFT) + (us >> PACE_SHIFT);
    }
    queue->pace_us += queue->pace_us == 0; /* known, if very fast */
    queue->moved_at_ms = now_ms;
    gw_queue_remove(queue, entry);
}

uint64_t gw_queue_next_deadline_ms(const struct gw_queue *queue)
{
    const struct gw_queue_entry *entry =
        GW_LIST_FIRST(&queue->deadlines, struct gw_queue_entry, deadline);
    return entry != NULL ? entry->deadline_ms : UINT64_MAX;
}

struct gw_queue_entry *gw_queue_expire(struct gw_queue *queue, uint64_t now_ms)
{
    struct gw_queue_entry *entry =
        GW_LIST_FIRST(&queue->deadlines, struct gw_queue_entry, deadline);
    if (entry == NULL || entry->deadline_ms > now_ms) {
        return NULL;
    }
    gw_queue_remove(queue, entry);
    queue->expired_total++;
    return entry;
}

uint64_t gw_queue_retry_after_ms(const struct gw_queue *queue, enum gw_priority priority,
                                 uint64_t wait_ms, uint64_t now_ms)
{
    bool has_line = queue->policy.max_waiting > 0;
    uint64_t estimate_ms = has_line || wait_ms == 0 ? queue->policy.timeout_ms : 0;
    uint64_t before = 1; /* itself */
    for (unsigned i = 0; i <= (unsigned)priority; i++) {
        before += queue->counts[i];
    }
    if (queue->pace_us > 0) {
        /* A line that has stood still for longer than it does on the average is as slow as that. */
        uint64_t still_us = queue->count > 0 ? still_ms(queue, now_ms) * US_PER_MS : 0;
        uint64_t pace_us = still_us > queue->pace_us ? still_us : queue->pace_us;
        estimate_ms = before * pace_us / US_PER_MS;
    }
    estimate_ms = wait_ms > estimate_ms ? wait_ms : estimate_ms;
    estimate_ms = estimate_ms > GW_QUEUE_RETRY_MIN_MS ? estimate_ms : GW_QUEUE_RETRY_MIN_MS;
    return estimate_ms < GW_QUEUE_RETRY_MAX_MS ? estimate_ms : GW_QUEUE_RETRY_MAX_MS;
}
