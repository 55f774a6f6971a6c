//! What every queue promises, asked of the queue in memory, the local SQS server and the load queue alike, so that no
//! double can lie. Where SQS leaves an outcome open, the law says no more than SQS does.

mod fifo;
mod laws;
mod redelivery;

/// Makes one test of each law for one bench.
macro_rules! laws {
    ($module:ident, $bench:expr, $test:meta, [$($group:ident :: $law:ident),* $(,)?]) => {
        mod $module {
            $(
                #[$test]
                async fn $law() {
                    super::$group::$law(&$bench).await;
                }
            )*
        }
    };
}

macro_rules! on_each_bench {
    (standard: $standard:tt, fifo: $fifo:tt) => {
        laws!(
            in_memory,
            crate::bench::Memory::new(),
            tokio::test(start_paused = true),
            $standard
        );
        laws!(
            in_memory_fifo,
            crate::bench::Memory::new(),
            tokio::test(start_paused = true),
            $fifo
        );
        laws!(real_server, crate::bench::Real, tokio::test, $standard);
        laws!(real_server_fifo, crate::bench::Real, tokio::test, $fifo);
        laws!(load_queue, crate::bench::Load, tokio::test, $standard);
    };
}

on_each_bench! {
    standard: [
        laws::a_receive_brings_ten_at_most,
        laws::a_long_poll_ends_when_a_message_comes,
        laws::an_empty_long_poll_ends_after_its_wait,
        laws::a_message_arrives_as_it_was_sent,
        laws::a_batch_of_ten_is_sent_received_and_deleted,
        laws::what_is_deleted_is_gone_and_deleting_it_again_succeeds,
        laws::a_handle_of_no_message_is_the_senders_fault_at_its_position,
        laws::one_handle_twice_in_a_batch_succeeds_twice,
        laws::a_queue_tells_its_facts,
        laws::a_queue_that_is_not_there_is_told_of,
        laws::the_longest_message_passes_and_a_longer_one_does_not,
        redelivery::a_held_message_is_invisible,
        redelivery::a_message_comes_again_after_its_visibility_timeout,
        redelivery::the_reader_may_set_the_visibility_timeout,
        redelivery::visibility_zero_shows_a_message_at_once,
        redelivery::an_extended_message_stays_hidden,
        redelivery::an_old_handle_is_answered_and_the_new_one_deletes,
        redelivery::what_is_received_too_often_goes_to_the_dead_letter_queue,
    ],
    fifo: [
        fifo::a_group_comes_in_order_and_one_batch_at_a_time,
        fifo::other_groups_go_on,
        fifo::a_released_message_comes_before_its_followers,
        fifo::a_deduplication_id_that_waits_passes_once,
        fifo::equal_bodies_are_two_messages,
        fifo::a_fifo_queue_tells_that_it_is_one,
        fifo::a_message_without_ids_is_refused,
    ]
}

// Where the local server departs from what SQS documents: it extends a message that is visible, gives a new
// SentTimestamp to what it moves to a dead-letter queue, and forgets a deduplication id with the message's deletion.
laws!(
    in_memory_where_the_local_server_departs,
    crate::bench::Memory::new(),
    tokio::test(start_paused = true),
    [
        redelivery::what_is_not_in_flight_cannot_be_extended,
        redelivery::a_dead_letter_keeps_the_time_of_its_sending,
        fifo::a_deduplication_id_outlives_its_message,
    ]
);
laws!(
    load_queue_where_the_local_server_departs,
    crate::bench::Load,
    tokio::test,
    [
        redelivery::what_is_not_in_flight_cannot_be_extended,
        redelivery::a_dead_letter_keeps_the_time_of_its_sending,
    ]
);
