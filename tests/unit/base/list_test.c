/* SPDX-License-Identifier: MIT */
/* Order, unlinking, and unlinking inside the loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
    int number;
    struct gw_list node;
};

static void assert_order(const struct gw_list *head, const char *digits)
{
    const struct gw_list *node = head->next;
    for (; *digits != '\0'; digits++, node = node->next) {
        assert_true(node != head);
        assert_int_equal(
            GW_CONTAINER_OF((struct gw_list *)(uintptr_t)node, struct item, node)->number,
            *digits - '0');
        assert_true(node->next->prev == node);
        assert_true(node->prev->next == node);
    }
    assert_true(node == head);
}

static void test_list(void **state)
{
    (void)state;
    struct gw_list head;
    struct item items[5];
    gw_list_init(&head);
    assert_true(gw_list_is_empty(&head));
    assert_null(GW_LIST_FIRST(&head, struct item, node));
    assert_null(GW_LIST_LAST(&head, struct item, node));
    for (int i = 0; i < 5; i++) {
        items[i].number = i;
        gw_list_init(&items[i].node);
    }
    gw_list_append(&head, &items[1].node);
    gw_list_append(&head, &items[2].node);
    gw_list_prepend(&head, &items[0].node);
    gw_list_append(&head, &items[3].node);
    assert_order(&head, "0123");
    assert_ptr_equal(GW_LIST_FIRST(&head, struct item, node), &items[0]);
    assert_ptr_equal(GW_LIST_LAST(&head, struct item, node), &items[3]);
    gw_list_unlink(&items[4].node); /* is in no list */
    gw_list_unlink(&items[2].node);
    assert_true(gw_list_is_empty(&items[2].node));
    gw_list_unlink(&items[2].node);
    assert_order(&head, "013");
    gw_list_prepend(&head, &items[2].node);
    assert_order(&head, "2013");
    int sum = 0;
    GW_LIST_FOREACH(&head, node)
    {
        sum = sum * 10 + GW_CONTAINER_OF(node, struct item, node)->number;
        gw_list_unlink(node);
    }
    assert_int_equal(sum, 2013);
    assert_true(gw_list_is_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
