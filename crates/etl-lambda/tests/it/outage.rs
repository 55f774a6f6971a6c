//! While the database is away every message comes again, and none is dead-lettered by us.

use local_stack::{PostgresProxy, postgres};

use crate::harness::{Database, Event, Function, Queue, deliver};

#[test]
fn an_outage_fails_every_message_and_loses_none() {
    let (queue, database) = (Queue::with_dead_letter_queue(), Database::migrated());
    let way = PostgresProxy::start(postgres().port());
    let url = way.url(&database.url());
    let function = Function::with(&[("DATABASE_URL", &*url)]);
    queue.send(&[Event(0).body()]);
    assert!(deliver(&function, &queue).is_empty());
    let bodies = [Event(1).body(), "no JSON".to_owned(), Event(2).body()];
    queue.send(&bodies);
    way.refuse();
    assert_eq!(deliver(&function, &queue).len(), bodies.len());
    assert_eq!(queue.depth(), (3, 0));
    assert!(queue.dead_letters().is_empty());
    way.resume();
    assert!(deliver(&function, &queue).is_empty());
    assert_eq!(database.user_ids().len(), 3);
    assert_eq!(queue.dead_letters().len(), 1);
    assert!(
        function
            .log()
            .contains("failed to settle any message of the invocation")
    );
}

#[test]
fn a_connection_that_died_while_the_function_was_frozen_costs_no_delivery() {
    let (queue, database) = (Queue::alone(), Database::migrated());
    let way = PostgresProxy::start(postgres().port());
    let url = way.url(&database.url());
    let function = Function::with(&[("DATABASE_URL", &*url)]);
    for number in 0..2 {
        queue.send(&[Event(number).body()]);
        assert!(deliver(&function, &queue).is_empty());
        way.cut();
    }
    assert_eq!(database.user_ids().len(), 2);
}
