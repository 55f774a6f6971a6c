//! The comparison of what was sent with what stands: sets of ids, not counts.

use std::collections::BTreeMap;
use std::fmt;

use tokio_postgres::NoTls;

use crate::stage::{Sent, Stage};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    messages: usize,
    malformed: usize,
    lost: usize,
    twice: usize,
    never_sent: usize,
    /// Malformed messages that stand in no dead-letter queue.
    unaccounted: usize,
    /// Left on the queue.
    on_queue: u64,
}

impl Verdict {
    pub(crate) fn of(stage: &Stage) -> Self {
        let Sent {
            user_ids,
            malformed,
        } = &stage.sent;
        let mut rows: BTreeMap<String, usize> = BTreeMap::new();
        for user_id in user_ids_in(&stage.postgres.admin_url()) {
            *rows.entry(user_id).or_default() += 1;
        }
        let dead_letters = stage.dead_letters();
        Self {
            messages: stage.sent.all(),
            malformed: malformed.len(),
            lost: user_ids.iter().filter(|id| !rows.contains_key(*id)).count(),
            twice: rows.values().filter(|count| **count > 1).count(),
            never_sent: rows.keys().filter(|id| !user_ids.contains(*id)).count(),
            unaccounted: malformed
                .iter()
                .filter(|id| !dead_letters.contains(id))
                .count(),
            on_queue: stage.depth(),
        }
    }

    pub(crate) fn holds(&self) -> bool {
        let troubles = [self.lost, self.twice, self.never_sent, self.unaccounted];
        troubles == [0; 4] && self.on_queue == 0
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            messages,
            malformed,
            lost,
            twice,
            never_sent,
            unaccounted,
            on_queue,
        } = self;
        write!(
            formatter,
            "{messages} messages, {lost} lost, {twice} twice, {never_sent} never sent; of {malformed} malformed \
             {unaccounted} not in the dead-letter queue; {on_queue} left on the queue"
        )
    }
}

fn user_ids_in(url: &str) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls)
            .await
            .expect("a connection");
        tokio::spawn(connection);
        let rows = client.query("SELECT user_id FROM user_logins", &[]).await;
        rows.expect("rows").iter().map(|row| row.get(0)).collect()
    })
}
