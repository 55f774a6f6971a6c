//! A run from the first message to the verdict: the storm with all its workers, the calm, the last drain.

use std::sync::Arc;
use std::time::Duration;

use pg_writer::Condition;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::Outcome;
use super::journal::{Detail, Journal};
use super::law::Law;
use super::line::Process;
use super::scenario::{Life, Scenario, Wave};
use super::worker::live;
use crate::pipeline::Ending;

/// By then every outage of the store is over.
const CALM_AFTER: Duration = Duration::from_secs(400);

pub(super) struct World {
    scenario: Scenario,
    began: Instant,
    journal: Arc<Journal>,
    law: Arc<Law>,
}

impl World {
    pub(super) fn new(seed: u64, detail: Detail) -> Arc<Self> {
        let scenario = Scenario::drawn(seed);
        let journal = Arc::new(Journal::new(detail));
        journal.scenario(&scenario);
        let law = Law::new(&scenario, Arc::clone(&journal));
        Arc::new(Self {
            scenario,
            began: Instant::now(),
            journal,
            law,
        })
    }

    pub(super) async fn run(self: Arc<Self>) -> Outcome {
        self.storm().await;
        self.calm();
        // What no dead-letter queue took is hidden for an hour.
        let hidden_until = self.law.hidden_until();
        sleep_until(hidden_until.max(self.began + CALM_AFTER)).await;
        self.last_drain().await;
        self.law.judge();
        let (broken, journal) = self.journal.close();
        Outcome { broken, journal }
    }

    async fn storm(self: &Arc<Self>) {
        if let Some(queue) = &self.law.dead_letters {
            queue.deny_sends(self.scenario.deny_dead_letters);
        }
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(self).send_waves());
        tasks.spawn(Arc::clone(self).trouble_the_store());
        for number in 0..self.scenario.workers.len() {
            tasks.spawn(Arc::clone(self).work(number));
        }
        tasks.join_all().await;
    }

    async fn send_waves(self: Arc<Self>) {
        self.send(&self.scenario.waves).await;
    }

    async fn send(&self, waves: &[Wave]) {
        for wave in waves {
            sleep(wave.after).await;
            self.law.send(wave.letters.clone());
            self.law.send_again(&wave.again);
        }
    }

    async fn trouble_the_store(self: Arc<Self>) {
        for (from, length, condition) in &self.scenario.troubles {
            sleep_until(self.began + *from).await;
            self.law.store.set_condition(*condition);
            sleep(*length).await;
            self.law.store.set_condition(Condition::Working);
        }
    }

    async fn work(self: Arc<Self>, number: usize) {
        for life in &self.scenario.workers[number] {
            sleep(life.pause_before).await;
            live(&self.law, &self.process(number, life), life).await;
        }
    }

    fn calm(&self) {
        if let Some(queue) = &self.law.dead_letters {
            queue.deny_sends(false);
        }
        self.law.store.set_calm(true);
    }

    async fn last_drain(&self) {
        self.law.calm();
        self.law.send(vec![self.scenario.refused.clone()]);
        let life = &self.scenario.last_life;
        let process = self.process(self.scenario.workers.len(), life);
        let (ended, ()) = tokio::join!(
            live(&self.law, &process, life),
            self.send(&self.scenario.last_waves)
        );
        if let Some((ending, counts)) = ended
            && !matches!(
                (&ending, life.options.follow),
                (Ending::Done, false) | (Ending::Stopped, true)
            )
        {
            self.journal
                .broken(&format!("the last drain ended with {ending:?} {counts:?}"));
        }
    }

    fn process(&self, number: usize, life: &Life) -> Arc<Process> {
        Process::new(number, Arc::clone(&self.journal), life.max_in_flight)
    }
}
