//! The way to the database: which one, and how its role logs in. The one place that reads libpq's variables.

mod iam;

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use login_model::UnknownName;
use nix::unistd::{User, geteuid};
use pg_writer::{Settings, StoreError};

/// How a role proves who it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DatabaseAuth {
    /// By a password, if the server asks for one.
    #[default]
    Password,
    /// By a token for each connection, good for 15 minutes; the certificate is verified in full.
    Iam,
}

/// Which database, and how its role logs in. No `Debug`: the URL may hold a password.
pub struct DatabaseAccess {
    /// `postgres://ROLE@HOST:PORT/DATABASE?sslmode=…`
    pub url: String,
    /// A file with the password as its first line.
    pub password_file: Option<PathBuf>,
    /// How the role proves who it is.
    pub auth: DatabaseAuth,
    /// The schema of the tables, where it is not the first of the role's `search_path`.
    pub schema: Option<String>,
}

/// The settings contradict each other, or lack something.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Two passwords.
    #[error("the database URL holds a password, and --database-password-file names another")]
    TwoPasswords,
    /// A password where a token is to be one.
    #[error("--database-auth iam logs in without a password, and one is given")]
    PasswordBesideToken,
    /// A token is for one role at one host.
    #[error("--database-auth iam: the database URL names no {0}")]
    Incomplete(&'static str),
    /// What the URL or the schema's name says.
    #[error(transparent)]
    Settings(#[from] StoreError),
}

impl AccessError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TwoPasswords => Some("leave it out of the URL"),
            Self::PasswordBesideToken => Some("leave the password out of the database URL"),
            Self::Incomplete(_) => {
                Some("a token is for one role at one host: postgres://ROLE@HOST:PORT/DATABASE")
            }
            Self::Settings(error) => error.hint(),
        }
    }
}

impl DatabaseAccess {
    /// The settings of its connections; connects to nothing yet.
    pub fn settings(&self) -> Result<Settings, AccessError> {
        let settings = Settings::parse(&self.url)?;
        let settings = match self.schema.as_deref() {
            Some(schema) => settings.schema(schema)?,
            None => settings,
        };
        match self.auth {
            DatabaseAuth::Iam => self.with_tokens(settings),
            DatabaseAuth::Password => self.with_password(settings),
        }
    }

    fn with_tokens(&self, settings: Settings) -> Result<Settings, AccessError> {
        if settings.has_password() || self.password_file.is_some() {
            return Err(AccessError::PasswordBesideToken);
        }
        let tokens = iam::tokens(&settings)?;
        Ok(settings.tokens(tokens)?)
    }

    /// As with libpq: the URL's password, else `PGPASSWORD`, else the password file. A file that is named here is meant.
    fn with_password(&self, settings: Settings) -> Result<Settings, AccessError> {
        if let Some(path) = &self.password_file {
            if settings.has_password() {
                return Err(AccessError::TwoPasswords);
            }
            return Ok(settings.password_file(path.clone()));
        }
        if settings.has_password() {
            return Ok(settings);
        }
        if let Some(password) = variable("PGPASSWORD") {
            return Ok(settings.password(&password));
        }
        let home = || Some(PathBuf::from(variable("HOME")?).join(".pgpass"));
        let Some(file) = variable("PGPASSFILE").map(PathBuf::from).or_else(home) else {
            return Ok(settings);
        };
        let user = User::from_uid(geteuid()).ok().flatten();
        let settings = user.map_or(settings.clone(), |user| settings.or_user(&user.name));
        Ok(settings.pass_file(file))
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

impl DatabaseAuth {
    /// Every name on the command line.
    pub const NAMES: [&'static str; 2] = ["password", "iam"];
}

impl fmt::Display for DatabaseAuth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Password => "password",
            Self::Iam => "iam",
        })
    }
}

impl FromStr for DatabaseAuth {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "password" => Ok(Self::Password),
            "iam" => Ok(Self::Iam),
            _ => Err(UnknownName {
                expected: &Self::NAMES,
            }),
        }
    }
}
