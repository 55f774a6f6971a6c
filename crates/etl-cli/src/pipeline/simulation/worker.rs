//! One life of a worker: a pipeline of its own on the common queue and store, until it ends, is stopped or is killed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use login_model::{Maskers, Parser};
use masking::{Kind, Scheme};
use sqs_reader::memory::Faulty;
use sqs_reader::{Reader, ReaderOptions, Transport as _};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::database::Database;
use super::draw::Draw;
use super::law::Law;
use super::line::{Line, Process};
use super::scenario::{End, Life};
use crate::pipeline::{Counts, Ending, LAST_ROUND, Options, Pipeline, Rules};

/// Simulated time in which a drain ends, whatever fails.
const DRAINED_WITHIN: Duration = Duration::from_hours(2);
/// Past a stop and its grace period: a receive that is out, and the jitter of the clock.
const STOP_TAKES: Duration = Duration::from_millis(1_100);

/// Five of them, two minutes apart at most.
const LAST_WAVES_TAKE: Duration = Duration::from_secs(601);

type Running = Arc<Pipeline<Line, Database>>;

/// Lives it to its end; `None` where it was killed.
pub(super) async fn live(
    law: &Law,
    process: &Arc<Process>,
    life: &Life,
) -> Option<(Ending, Counts)> {
    let stop = CancellationToken::new();
    let pipeline = pipeline(law, process, life, stop.clone()).await;
    let mut run = tokio::spawn({
        let pipeline = Arc::clone(&pipeline);
        async move { pipeline.run().await }
    });
    let ending = until_its_end(law, process, life, &stop, &mut run).await;
    process.death.cancel();
    run.abort();
    let counts = pipeline.tally().counts();
    if ending.is_none() && !matches!(life.end, End::Killed(_)) {
        process.journal.broken(&format!(
            "worker {} did not end: {:?} {counts:?}",
            process.number, life.end
        ));
    }
    let ending = ending?.expect("a pipeline does not panic");
    process.note("ends", || (&ending, counts));
    judge(process, &ending, counts);
    Some((ending, counts))
}

/// `None` where it was killed, or did not end when it had to.
async fn until_its_end(
    law: &Law,
    process: &Process,
    life: &Life,
    stop: &CancellationToken,
    run: &mut JoinHandle<Ending>,
) -> Option<Result<Ending, JoinError>> {
    let after = match life.end {
        End::ByItself => DRAINED_WITHIN,
        End::Stopped(after) | End::Quiet(after) | End::Killed(after) => after,
    };
    let lives = async {
        match life.end {
            End::Quiet(_) => until_quiet(law, process, after).await,
            _ => sleep(after).await,
        }
    };
    let early = tokio::select! {
        biased;
        ended = &mut *run => Some(ended),
        () = lives => None,
    };
    if early.is_some() || matches!(life.end, End::ByItself | End::Killed(_)) {
        return early;
    }
    let held = process.holds();
    if held > 0 && matches!(life.end, End::Quiet(_)) {
        process.journal.broken(&format!(
            "{held} deliveries still held when all was long done"
        ));
    }
    process.note("is told to stop", || ());
    stop.cancel();
    let within = life.options.grace_period + LAST_ROUND + STOP_TAKES;
    timeout(within, run).await.ok()
}

/// Until nothing is held and nothing waits, looked at now and then once the last wave has come.
async fn until_quiet(law: &Law, process: &Process, at_most: Duration) {
    let look = async {
        sleep(LAST_WAVES_TAKE).await;
        while process.holds() + law.queue.counts().visible > 0 {
            sleep(Duration::from_secs(20)).await;
        }
    };
    // Who is not done in time is found to hold something.
    drop(timeout(at_most, look).await);
}

async fn pipeline(
    law: &Law,
    process: &Arc<Process>,
    life: &Life,
    stop: CancellationToken,
) -> Running {
    let facts = law.queue.facts().await.expect("the queue is there");
    let transport = Line {
        process: Arc::clone(process),
        queue: Faulty::new(law.queue.clone(), life.seed, life.faults.clone()),
        short_receives: (life.short_receives, Mutex::new(Draw::new(life.seed))),
    };
    let reader = Reader::new(
        transport,
        &facts,
        &ReaderOptions {
            max_in_flight: life.max_in_flight,
            visibility_timeout: facts.visibility_timeout,
        },
    );
    let (share, longest) = life.slow_writes;
    let database = Database {
        process: Arc::clone(process),
        store: law.store.to_another_process(),
        slow_writes: (share, longest, Mutex::new(Draw::new(life.seed))),
    };
    let options = Options {
        dead_letter_url: law
            .dead_letters
            .as_ref()
            .map(sqs_reader::memory::MemoryQueue::url),
        ..life.options.clone()
    };
    let pipeline = Pipeline::new(reader, database, rules(), options, stop);
    let watched = Arc::downgrade(&pipeline);
    let held = move || {
        watched
            .upgrade()
            .map_or(0, |pipeline| pipeline.inbox.held())
    };
    drop(process.held.set(Box::new(held)));
    pipeline
}

fn rules() -> Rules {
    let masker = |domain, kind| etl_access::keys::builder(Scheme::Base64, domain, kind).build();
    Rules {
        parser: Parser::new(),
        maskers: Maskers {
            ip: masker("ip", Kind::Ip).expect("base64 needs no key"),
            device_id: masker("device_id", Kind::Text).expect("base64 needs no key"),
        },
    }
}

/// A tally adds up: exactly where all was settled, and never to more than was received.
fn judge(process: &Process, ending: &Ending, counts: Counts) {
    let settled = counts.written + counts.duplicates + counts.rejected + counts.left;
    let deletable = settled - counts.left;
    let tried = counts.deleted + counts.undeleted;
    let adds_up = if *ending == Ending::Done {
        settled == counts.received && tried == deletable
    } else {
        settled <= counts.received && tried <= deletable
    };
    let owed = process.owed();
    if *ending == Ending::Done && owed > counts.undeleted {
        process.journal.broken(&format!(
            "{owed} failed deletes were not tried again: {counts:?}"
        ));
    }
    if !adds_up {
        process.journal.broken(&format!(
            "{ending:?}, but the tally does not add up: {counts:?}"
        ));
    }
}
