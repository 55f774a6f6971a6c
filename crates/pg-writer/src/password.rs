//! Where a connection's password comes from. It is asked for at every new connection, since files are replaced and
//! tokens expire. Invariant: no error and no `Debug` holds one.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use tokio_postgres::Config;

use crate::error::StoreError;
use crate::pass_file;

/// A password that is good for one connection.
pub type Token = Pin<Box<dyn Future<Output = Result<String, StoreError>> + Send>>;
/// Makes one.
pub type TokenMaker = Arc<dyn Fn() -> Token + Send + Sync>;

/// Where to ask.
#[derive(Clone, Default)]
pub(crate) enum Password {
    /// It stands in the connection string, or the server wants none.
    #[default]
    Given,
    /// The first line of a file.
    File(PathBuf),
    /// The matching line of libpq's password file.
    PassFile(PathBuf),
    /// Made for the occasion.
    Token(TokenMaker),
}

impl Password {
    /// Puts the password into `config`, where there is one.
    ///
    /// Answers why a password file was passed over, should the server turn out to want a password.
    pub(crate) async fn put_into(&self, config: &mut Config) -> Result<Option<String>, StoreError> {
        match self {
            Self::Given => {}
            Self::File(path) => {
                config.password(of_file(path)?);
            }
            Self::Token(make) => {
                config.password(make().await?);
            }
            Self::PassFile(_) if config.get_password().is_some() => {}
            Self::PassFile(path) => match pass_file::look_up(path, config) {
                Ok(Some(password)) => {
                    config.password(password);
                }
                Ok(None) => {}
                Err(why) => return Ok(Some(why)),
            },
        }
        Ok(None)
    }
}

/// Without the line's end, which editors and `echo` leave.
fn of_file(path: &Path) -> Result<String, StoreError> {
    let refused = |why: &dyn std::fmt::Display| {
        StoreError::Configuration(format!("the password file {} {why}", path.display()))
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| refused(&format_args!("cannot be read: {error}")))?;
    match text.lines().next() {
        None | Some("") => Err(refused(&"is empty")),
        Some(line) => Ok(line.to_owned()),
    }
}
