//! Looks at queue and database now and then, so that an idle run knows of an outage too and the answers of the
//! server wait for nobody.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use sqs_reader::{QueueFacts, Transport};
use tokio::time::{sleep, timeout};

use super::board::{Answer, Board, Depth};
use crate::pipeline::{Pipeline, Store};

/// One request to SQS each time, of no weight beside the polls.
const USUAL_PAUSE: Duration = Duration::from_secs(10);
const PAUSE_IN_TROUBLE: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(5);

/// Until dropped.
pub(super) async fn watch<T: Transport, S: Store>(
    pipeline: Arc<Pipeline<T, S>>,
    board: Arc<Board>,
    is_queue: bool,
) {
    loop {
        let (queue, database) =
            tokio::join!(in_time(pipeline.ask_queue()), in_time(pipeline.ask_store()));
        let is_well = queue.is_ok() && database.is_ok();
        note(&board, queue, database, is_queue);
        sleep(if is_well {
            USUAL_PAUSE
        } else {
            PAUSE_IN_TROUBLE
        })
        .await;
    }
}

async fn in_time<R>(
    question: impl Future<Output = Result<R, &'static str>>,
) -> Result<R, &'static str> {
    let answer = timeout(PATIENCE, question).await;
    answer.unwrap_or(Err("late"))
}

fn note(
    board: &Board,
    queue: Result<QueueFacts, &'static str>,
    database: Result<(), &'static str>,
    is_queue: bool,
) {
    let mut sight = board.sight();
    // A count that is no longer known is not shown as if it were.
    sight.depth = queue.as_ref().ok().filter(|_| is_queue).map(depth);
    turn("queue", &mut sight.queue, answer(queue));
    turn("database", &mut sight.database, answer(database));
}

fn depth(facts: &QueueFacts) -> Depth {
    Depth {
        waiting: facts.waiting,
        not_visible: facts.in_flight,
    }
}

fn answer<R>(answer: Result<R, &'static str>) -> Answer {
    answer.map_or_else(Answer::Badly, |_| Answer::Well)
}

/// A change for the worse or for the better is logged, once.
fn turn(dependency: &'static str, before: &mut Answer, now: Answer) {
    match (*before, now) {
        (Answer::NotAsked | Answer::Well, Answer::Badly(class)) => {
            tracing::warn!(
                dependency,
                error.class = class,
                "not ready: a server cannot be used"
            );
        }
        (Answer::Badly(_), Answer::Well) => tracing::info!(dependency, "ready again"),
        _ => {}
    }
    *before = now;
}
