//! The laws of a store, held to by Postgres and by the in-memory double alike, so that a simulation cannot lie.

mod laws;
mod subject;

use subject::{MemorySubject, PostgresSubject};

macro_rules! hold {
    ($($law:ident)+) => {
        mod memory {
            $(#[tokio::test(start_paused = true)]
            async fn $law() {
                super::laws::$law(&super::MemorySubject::default()).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                super::laws::$law(&super::PostgresSubject::start().await).await;
            })+
        }
    };
}

hold! {
    one_id_twice_in_a_batch_is_one_row
    one_id_in_two_batches_is_one_row
    writers_in_opposite_order_neither_deadlock_nor_double
    an_empty_batch_costs_nothing
    null_stays_null
    unicode_is_kept
    the_date_is_that_of_the_sending_in_utc
    refused_rows_are_found_and_the_rest_is_written
    a_long_run_of_refused_rows_is_found
    where_every_row_is_refused_a_control_shows_that_it_is_their_fault
    where_a_control_is_refused_too_none_is_blamed
    rows_that_stood_already_vouch_for_nothing
    a_row_that_stands_is_not_refused_when_it_comes_again
    a_rejection_is_recorded_once_and_updated
    one_rejection_twice_in_a_call_is_one_row
    statements_are_counted
}
