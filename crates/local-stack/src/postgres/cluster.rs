//! A data directory, the settings of its server, and the proof that the server which answers is ours.

use std::ffi::OsString;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::binaries::Binaries;
use super::connection::{blocking, connect};
use crate::account::Account;
use crate::random;

/// What a server prints once it takes connections.
pub(crate) const READY: &str = "database system is ready to accept connections";

/// The superuser of every cluster that is made here.
pub(crate) const SUPERUSER: &str = "postgres";

/// A folder with a data directory in `data/`.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) folder: PathBuf,
    pub(crate) password: String,
    binaries: Binaries,
    account: Account,
}

impl Cluster {
    pub(crate) fn new(folder: PathBuf, password: Option<String>) -> Result<Self> {
        let account = Account::for_servers()?;
        let binaries = Binaries::find(&account)?;
        let password = password.map_or_else(|| random::hex(12), Ok)?;
        Ok(Self {
            folder,
            password,
            binaries,
            account,
        })
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.binaries.program(name)
    }

    /// Prepares the folder; the command line that is returned then makes the data directory.
    pub(crate) fn making(&self) -> Result<Vec<OsString>> {
        let password_file = self.folder.join("password");
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(self.data())
            .context("failed to make the data directory")?;
        std::fs::write(&password_file, &self.password)
            .context("failed to write the password file")?;
        self.account.take(&self.data())?;
        self.account.take(&password_file)?;
        let mut line = self.account.command_line(&self.program("initdb"));
        let options =
            "--no-sync --no-instructions --no-locale --encoding=UTF8 --auth=password --username";
        line.extend(options.split(' ').map(OsString::from));
        line.push(SUPERUSER.into());
        line.extend([
            joined("--pgdata=", &self.data()),
            joined("--pwfile=", &password_file),
        ]);
        Ok(line)
    }

    /// The command line of the server. It listens on the loopback alone and makes no sockets in folders of others.
    pub(crate) fn serving(&self, port: u16, settings: &[(String, String)]) -> Vec<OsString> {
        let mut line = self.account.command_line(&self.program("postgres"));
        line.extend(["-D".into(), self.data().into()]);
        let fixed = [
            ("port", port.to_string()),
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("unix_socket_directories", String::new()),
            ("logging_collector", "off".to_owned()),
        ];
        let fixed = fixed.map(|(name, value)| (name.to_owned(), value));
        for (name, value) in fixed.iter().chain(settings) {
            line.extend(["-c".into(), format!("{name}={value}").into()]);
        }
        line
    }

    pub(crate) fn url(&self, port: u16, database: &str) -> String {
        format!(
            "postgres://{SUPERUSER}:{}@127.0.0.1:{port}/{database}",
            self.password
        )
    }

    /// Another server may have come to the port before ours.
    pub(crate) fn demand_ours(&self, port: u16) -> Result<()> {
        let url = self.url(port, "postgres");
        let found = blocking(async move {
            let client = connect(&url).await?;
            let row = client.query_one("SHOW data_directory", &[]).await?;
            Ok(row.get::<_, String>(0))
        })?;
        let ours = self.data();
        ensure!(
            Path::new(&found) == ours,
            "the Postgres on port {port} is not ours: its data is in {found}, not in {}",
            ours.display()
        );
        Ok(())
    }
}

fn joined(option: &str, path: &Path) -> OsString {
    let mut word = OsString::from(option);
    word.push(path);
    word
}
