//! What a seed decides before anything runs: the queue, the messages and when they come, the workers and how each of
//! their lives is set up and ends, the weather of queue and store.

use std::time::Duration;

use pg_writer::{Condition, MemoryFaults};
use sqs_reader::memory::Faults;

use super::draw::Draw;
use super::workload::{Letter, Mix, letters, refused};
use crate::pipeline::Options;

#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) fifo: bool,
    /// Whether there is a dead-letter queue.
    pub(super) dead_letters: bool,
    /// Whether it takes nothing while the storm lasts.
    pub(super) deny_dead_letters: bool,
    pub(super) visibility_timeout: Duration,
    pub(super) waves: Vec<Wave>,
    /// Comes before the last waves: a row that the store refuses, often while nothing else is there.
    pub(super) refused: Letter,
    /// In some worlds it has neighbours that the store takes; in others a control alone shows that the fault is its own.
    pub(super) last_waves: Vec<Wave>,
    /// One list a worker; each life begins where the one before it ended.
    pub(super) workers: Vec<Vec<Life>>,
    pub(super) last_life: Life,
    pub(super) store: MemoryFaults,
    /// When the store is there and takes nothing, for how long, and why.
    pub(super) troubles: Vec<(Duration, Duration, Condition)>,
}

/// Messages that come at one time.
#[derive(Debug)]
pub(super) struct Wave {
    pub(super) after: Duration,
    pub(super) letters: Vec<Letter>,
    /// Numbers of earlier messages that are sent once more under their own source attributes.
    pub(super) again: Vec<usize>,
}

/// One process: how it is set up, what it suffers, how it ends.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) pause_before: Duration,
    pub(super) options: Options,
    pub(super) max_in_flight: usize,
    pub(super) seed: u64,
    pub(super) faults: Faults,
    /// Share of receives that are asked for less than the reader wants.
    pub(super) short_receives: f64,
    /// Share of writes that take long, and how long at most.
    pub(super) slow_writes: (f64, Duration),
    pub(super) end: End,
}

/// How a life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    ByItself,
    /// Told to stop once all is done, which without faults takes so long at most.
    Quiet(Duration),
    /// Told to stop after so long.
    Stopped(Duration),
    /// Killed after so long.
    Killed(Duration),
}

/// The group of the last waves.
const LAST_GROUP: usize = 1_000;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Scenario {
    pub(super) fn drawn(seed: u64) -> Self {
        let draw = &mut Draw::new(seed);
        let fifo = draw.chance(0.2);
        let visibility_timeout = seconds(draw.time(seconds(5)..=seconds(60)).as_secs());
        let most_refused = if draw.chance(0.2) { 30 } else { 1 };
        let mix = Mix {
            malformed: draw.share(0.15),
            repeated: draw.share(0.2),
            forwarded: draw.share(0.1),
            // Sometimes more than are judged together.
            refused: draw.number(0..=most_refused),
            groups: fifo.then(|| draw.number(1..=20)),
        };
        let workers = (0..draw.number(1..=4))
            .map(|_| lives(draw, visibility_timeout))
            .collect();
        let last_life = last_life(draw, visibility_timeout);
        Self {
            fifo,
            // An unreadable message that is left on a FIFO queue blocks its group, by what FIFO means.
            dead_letters: fifo || draw.chance(0.85),
            deny_dead_letters: draw.chance(0.1),
            visibility_timeout,
            waves: waves(draw, &mix),
            refused: refused(draw, &mix, 8999),
            last_waves: (0..if draw.chance(0.5) { 5 } else { 0 })
                .map(|number| last_wave(draw, &mix, number, last_life.options.follow))
                .collect(),
            workers,
            last_life,
            store: store(draw, visibility_timeout),
            troubles: troubles(draw),
        }
    }
}

fn waves(draw: &mut Draw, mix: &Mix) -> Vec<Wave> {
    let count = draw.number(1..=4);
    let wave = |number| {
        let size = draw.number(10..=if number == 0 { 150 } else { 40 });
        Wave {
            after: if number == 0 {
                Duration::ZERO
            } else {
                draw.time(ms(10)..=seconds(60))
            },
            letters: letters(draw, mix, number * 1000, size),
            again: (0..draw.number(0..=3))
                .map(|_| draw.number(0..=1000))
                .collect(),
        }
    };
    (0..count).map(wave).collect()
}

fn last_wave(draw: &mut Draw, mix: &Mix, number: usize, follow: bool) -> Wave {
    let only_valid = Mix {
        malformed: 0.0,
        refused: 0,
        ..*mix
    };
    let mut last_letters = letters(draw, &only_valid, 9000 + 10 * number, 2);
    for letter in &mut last_letters {
        // In a group of their own: a refused row may hold up all others of its group until it has a neighbour.
        letter.group = letter.group.map(|_| LAST_GROUP);
    }
    Wave {
        after: if follow {
            draw.time(seconds(1)..=seconds(120))
        } else {
            Duration::ZERO
        },
        letters: last_letters,
        again: vec![draw.number(0..=1000)],
    }
}

fn lives(draw: &mut Draw, visibility_timeout: Duration) -> Vec<Life> {
    let count = draw.number(1..=4);
    (0..count).map(|_| life(draw, visibility_timeout)).collect()
}

fn life(draw: &mut Draw, visibility_timeout: Duration) -> Life {
    let options = options(draw);
    let after = draw.time(ms(20)..=seconds(90));
    let end = match draw.number(0..=2) {
        0 if !options.follow => End::ByItself,
        0 | 1 => End::Stopped(after),
        _ => End::Killed(after),
    };
    Life {
        pause_before: if draw.chance(0.5) {
            Duration::ZERO
        } else {
            draw.time(ms(1)..=seconds(30))
        },
        max_in_flight: draw.number(10..=200),
        seed: draw.seed(),
        faults: draw.faults(),
        short_receives: draw.share(0.5),
        slow_writes: (draw.share(0.1), visibility_timeout * 3),
        options,
        end,
    }
}

/// The same range of options, but the queue does not fail. It drains, or follows until all is long done.
fn last_life(draw: &mut Draw, visibility_timeout: Duration) -> Life {
    let options = Options {
        max_messages: None,
        give_up_after: None,
        ..options(draw)
    };
    Life {
        pause_before: Duration::ZERO,
        max_in_flight: draw.number(10..=200),
        seed: draw.seed(),
        faults: Faults::default(),
        short_receives: 0.0,
        // Longer than the visibility timeout: then a message stays hidden only because that is extended.
        slow_writes: (draw.share(0.2), visibility_timeout * 3),
        end: if options.follow {
            End::Quiet(seconds(3_000))
        } else {
            End::ByItself
        },
        options,
    }
}

fn options(draw: &mut Draw) -> Options {
    let follow = draw.chance(0.5);
    Options {
        follow,
        // A follower that does not wait is as busy as its queue is fast, which takes long to simulate.
        wait: seconds(draw.number(usize::from(follow)..=20) as u64),
        max_messages: draw.chance(0.1).then(|| draw.number(1..=100) as u64),
        pollers: draw.number(1..=8),
        writers: draw.number(1..=4),
        batch_size: draw.number(1..=50),
        batch_age: draw.time(ms(5)..=seconds(3)),
        grace_period: draw.time(ms(10)..=seconds(60)),
        give_up_after: (!follow).then(|| draw.time(seconds(5)..=seconds(300))),
        dead_letter_url: None,
    }
}

fn store(draw: &mut Draw, visibility_timeout: Duration) -> MemoryFaults {
    let mut sometimes = |most| {
        if draw.chance(0.5) {
            draw.share(most)
        } else {
            0.0
        }
    };
    let (lost_before_commit, lost_after_commit) = (sometimes(0.1), sometimes(0.1));
    let outages = spells(draw, 2, visibility_timeout * 4);
    MemoryFaults {
        outages: outages.map(|(from, length)| from..from + length).collect(),
        seed: draw.seed(),
        lost_before_commit,
        lost_after_commit,
        latency: Duration::ZERO..=draw.time(ms(1)..=seconds(2)),
    }
}

/// One at a time. At most once is every row refused for no fault of its own: twice, between whose ends a control falls,
/// is what no search can tell from a bad row.
fn troubles(draw: &mut Draw) -> Vec<(Duration, Duration, Condition)> {
    let mut causes = vec![Condition::RefusingStatements, Condition::DiskFull];
    if draw.chance(0.5) {
        causes.insert(draw.number(0..=1), Condition::RefusingRows);
    }
    let spells = spells(draw, 2, seconds(60));
    spells
        .zip(causes)
        .map(|((from, length), cause)| (from, length, cause))
        .collect()
}

fn spells(
    draw: &mut Draw,
    most: usize,
    longest: Duration,
) -> impl Iterator<Item = (Duration, Duration)> + use<> {
    let count = draw.number(0..=most);
    let spell = |_| {
        (
            draw.time(ms(100)..=seconds(90)),
            draw.time(ms(100)..=longest),
        )
    };
    (0..count).map(spell).collect::<Vec<_>>().into_iter()
}
