//! A connection of the driver's own, for the search of refused rows. diesel keeps back a refusal's SQLSTATE, which alone
//! tells a full disk from a bad row in every language; here a statement is sent past diesel, and the code is read.

use std::time::Duration;

use tokio::sync::MutexGuard;
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error as DriverError};

use crate::column::ColumnSlice;
use crate::deadline::with_grace;
use crate::sqlstate::is_of_the_server;

/// A statement that binds columns, in one list, and nothing else.
pub(crate) trait OfColumns {
    /// What comes before the list.
    const HEAD: &'static str;
    /// What comes after it.
    const TAIL: &'static str;
    /// In the order in which they are bound.
    fn columns(&self) -> Vec<ColumnSlice<'_>>;
}

/// The connection, for as long as a search has it.
pub(crate) struct Witness<'a> {
    place: MutexGuard<'a, Option<Client>>,
    limit: Duration,
}

/// Why a statement brought nothing.
#[derive(Debug)]
pub(crate) enum Testimony {
    /// No answer in time.
    Late(Duration),
    /// The driver's error; with a code where the server answered.
    Failed(DriverError),
}

impl<'a> Witness<'a> {
    /// `place` holds a connection; each statement on it may take `limit`.
    pub(crate) fn new(place: MutexGuard<'a, Option<Client>>, limit: Duration) -> Self {
        Self { place, limit }
    }

    /// Runs a statement; answers the number that it answers, if it does.
    pub(crate) async fn run(&mut self, statement: &impl OfColumns) -> Result<u64, Testimony> {
        let Some(client) = self.place.take() else {
            return Err(Testimony::Late(self.limit));
        };
        let outcome = timeout(with_grace(self.limit), send(&client, statement)).await;
        self.keep(client, outcome)
    }

    /// Runs a statement and what a commit would check, and takes it back.
    pub(crate) async fn run_and_take_back(
        &mut self,
        statement: &impl OfColumns,
    ) -> Result<(), Testimony> {
        let Some(client) = self.place.take() else {
            return Err(Testimony::Late(self.limit));
        };
        let outcome = timeout(
            with_grace(self.limit),
            send_and_take_back(&client, statement),
        )
        .await;
        self.keep(client, outcome)
    }

    /// A connection on which an answer was late or cut off is in no known state, and one whose server is in trouble may not
    /// lead to the server that took over: it is given up.
    fn keep<R, E>(
        &mut self,
        client: Client,
        outcome: Result<Result<R, DriverError>, E>,
    ) -> Result<R, Testimony> {
        match outcome {
            Err(_) => Err(Testimony::Late(self.limit)),
            Ok(Err(error)) if error.code().is_none_or(is_of_the_server) => {
                Err(Testimony::Failed(error))
            }
            Ok(outcome) => {
                *self.place = Some(client);
                outcome.map_err(Testimony::Failed)
            }
        }
    }
}

/// To the end of the answer: a refusal at the commit comes after the rows.
async fn send<S: OfColumns>(client: &Client, statement: &S) -> Result<u64, DriverError> {
    let columns = statement.columns();
    let parameters: Vec<(&(dyn ToSql + Sync), Type)> = columns
        .iter()
        .map(|column| (column as &(dyn ToSql + Sync), column.array_type()))
        .collect();
    let text = text_of::<S>(columns.len());
    let mut answer = 0;
    for row in client.query_typed(&text, &parameters).await? {
        answer = row.try_get::<_, i64>(0)?.unsigned_abs();
    }
    Ok(answer)
}

async fn send_and_take_back(
    client: &Client,
    statement: &impl OfColumns,
) -> Result<(), DriverError> {
    client.batch_execute("BEGIN").await?;
    let outcome = match send(client, statement).await {
        Ok(_) => client.batch_execute("SET CONSTRAINTS ALL IMMEDIATE").await,
        Err(error) => Err(error),
    };
    client.batch_execute("ROLLBACK").await?;
    outcome
}

fn text_of<S: OfColumns>(columns: usize) -> String {
    let numbers: Vec<String> = (1..=columns).map(|number| format!("${number}")).collect();
    format!("{}{}{}", S::HEAD, numbers.join(", "), S::TAIL)
}
