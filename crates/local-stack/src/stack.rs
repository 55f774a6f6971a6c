//! The servers that outlive the command: started once, found again through a state file, stopped by name.

mod detached;
mod postgres;
mod psql;
mod show;
mod sqs;
mod state;
mod table;

use std::fs::File;
use std::path::PathBuf;
use std::thread;

use anyhow::{Context, Result, anyhow};

use self::postgres::PostgresState;
use self::sqs::SqsState;
use self::state::State;
use crate::hint::hinted;
use crate::home::home;
use crate::sqs::client::SqsClient;
use crate::sqs::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};

pub(crate) use self::show::show;

/// The stack of this clone and user. Invariant: holds the lock, so two commands never start the same server.
#[derive(Debug)]
pub(crate) struct Stack {
    home: PathBuf,
    state: State,
    _lock: File,
}

impl Stack {
    pub(crate) fn open() -> Result<Self> {
        let home = home()?;
        let lock =
            File::create(home.join("lock")).context("failed to open the lock of the stack")?;
        lock.lock()
            .context("failed to take the lock of the stack")?;
        let state = State::load(&home)?;
        Ok(Self {
            home,
            state,
            _lock: lock,
        })
    }

    /// Starts what does not run yet. The two start side by side: initdb takes most of a second.
    pub(crate) fn up(&mut self, port_postgres: Option<u16>, port_sqs: Option<u16>) -> Result<()> {
        let Self { home, state, .. } = self;
        let (postgres, sqs) = thread::scope(|scope| {
            let sqs = scope.spawn(|| SqsState::up(home, state.sqs.clone(), port_sqs));
            let postgres = PostgresState::up(home, state.postgres.clone(), port_postgres);
            (
                postgres,
                sqs.join()
                    .map_err(|_| anyhow!("the thread of the SQS server panicked")),
            )
        });
        // Whichever started is remembered, the other's failure notwithstanding.
        if let Ok(postgres) = &postgres {
            state.postgres = Some(postgres.clone());
        }
        if let Ok(Ok(sqs)) = &sqs {
            state.sqs = Some(sqs.clone());
        }
        state.save(home)?;
        postgres.context("failed to start Postgres")?;
        sqs?.context("failed to start the SQS server")?;
        Ok(())
    }

    /// Stops what `up` started, and removes its data unless it shall be kept.
    pub(crate) fn down(&mut self, keep: bool) -> Result<()> {
        if let Some(sqs) = &self.state.sqs {
            sqs.stop()?;
        }
        if let Some(postgres) = &self.state.postgres {
            postgres.stop(keep)?;
        }
        self.state.sqs = None;
        if !keep {
            PostgresState::remove(&self.home)?;
            self.state.postgres = None;
        }
        self.state.save(&self.home)
    }

    /// One line a server, and whether both run.
    pub(crate) fn status(&self) -> (String, bool) {
        let postgres = self.running_postgres();
        let sqs = self.running_sqs();
        let up = postgres.is_ok() && sqs.is_ok();
        let postgres =
            postgres.map_or_else(|_| "Postgres: stopped".to_owned(), PostgresState::describe);
        let sqs = sqs.map_or_else(|_| "SQS: stopped".to_owned(), SqsState::describe);
        (format!("{postgres}\n{sqs}"), up)
    }

    /// Lines for `eval` in a shell.
    pub(crate) fn environment(&self) -> Result<String> {
        let endpoint = format!("http://127.0.0.1:{}", self.running_sqs()?.port);
        let variables = [
            ("DATABASE_URL", self.running_postgres()?.database_url()),
            ("ETL_ENDPOINT_URL", endpoint),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY.to_owned()),
        ];
        let exports = variables
            .iter()
            .map(|(name, value)| format!("export {name}='{value}'\n"));
        // A real profile's settings must not mix with these.
        Ok(exports.collect::<String>() + "unset AWS_SESSION_TOKEN AWS_PROFILE\n")
    }

    pub(crate) fn client(&self) -> Result<SqsClient> {
        Ok(SqsClient::new(self.running_sqs()?.port))
    }

    pub(crate) fn running_postgres(&self) -> Result<&PostgresState> {
        let running = self
            .state
            .postgres
            .as_ref()
            .filter(|postgres| postgres.is_running());
        running.ok_or_else(|| not_up("Postgres"))
    }

    fn running_sqs(&self) -> Result<&SqsState> {
        let running = self.state.sqs.as_ref().filter(|sqs| sqs.is_running());
        running.ok_or_else(|| not_up("SQS"))
    }
}

fn not_up(server: &str) -> anyhow::Error {
    hinted(
        format_args!("the local {server} does not run"),
        "start it with `local-stack up`",
    )
}
