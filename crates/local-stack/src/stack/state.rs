//! What `up` started, on disk. Holds the database's password, so only its owner may read it.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::postgres::PostgresState;
use super::sqs::SqsState;

/// A server that is not there was never started, or was brought down with its data.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) postgres: Option<PostgresState>,
    pub(crate) sqs: Option<SqsState>,
}

impl State {
    pub(crate) fn load(home: &Path) -> Result<Self> {
        let text = match fs::read_to_string(file(home)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            text => text.context("failed to read the state of the stack")?,
        };
        // What cannot be read is as good as lost: the servers are found by their folders and pids then.
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        Ok(Self {
            postgres: read_postgres(&value["postgres"]),
            sqs: read_sqs(&value["sqs"]),
        })
    }

    pub(crate) fn save(&self, home: &Path) -> Result<()> {
        let postgres = self.postgres.as_ref().map(|postgres| {
            json!({ "pid": postgres.pid, "port": postgres.port, "folder": postgres.folder, "password": postgres.password })
        });
        let sqs = self.sqs.as_ref();
        let sqs =
            sqs.map(|sqs| json!({ "pid": sqs.pid, "port": sqs.port, "program": sqs.program }));
        let text = format!("{:#}\n", json!({ "postgres": postgres, "sqs": sqs }));
        let partial = home.join("state.json.partial");
        let mut options = OpenOptions::new();
        let mut target = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        target.write_all(text.as_bytes())?;
        fs::rename(partial, file(home)).context("failed to write the state of the stack")
    }
}

fn file(home: &Path) -> PathBuf {
    home.join("state.json")
}

fn read_postgres(value: &Value) -> Option<PostgresState> {
    Some(PostgresState {
        pid: number(&value["pid"])?,
        port: number(&value["port"])?,
        folder: value["folder"].as_str()?.into(),
        password: value["password"].as_str()?.to_owned(),
    })
}

fn read_sqs(value: &Value) -> Option<SqsState> {
    Some(SqsState {
        pid: number(&value["pid"])?,
        port: number(&value["port"])?,
        program: value["program"].as_str()?.into(),
    })
}

fn number<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    value.as_u64()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::home::ephemeral;

    #[test]
    fn what_is_saved_is_loaded_and_nobody_else_reads_it() {
        let home = ephemeral("unit").unwrap();
        let sqs = SqsState {
            pid: 17,
            port: 5070,
            program: "/bin/true".into(),
        };
        let state = State {
            postgres: None,
            sqs: Some(sqs),
        };
        state.save(&home).unwrap();
        let loaded = State::load(&home).unwrap();
        assert!(loaded.postgres.is_none());
        assert_eq!(loaded.sqs.unwrap().port, 5070);
        assert_eq!(file(&home).metadata().unwrap().mode() & 0o777, 0o600);
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn a_missing_or_broken_file_is_an_empty_state() {
        let home = ephemeral("unit").unwrap();
        assert!(State::load(&home).unwrap().sqs.is_none());
        fs::write(file(&home), "{").unwrap();
        assert!(State::load(&home).unwrap().sqs.is_none());
        fs::remove_dir_all(home).unwrap();
    }
}
