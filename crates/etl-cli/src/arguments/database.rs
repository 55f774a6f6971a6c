//! Which database, as whom, and where its tables are. Shared by every command that talks to Postgres.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use etl_access::database::DatabaseAuth;

/// Which database
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_field_names, reason = "each is the name of its option")]
pub(crate) struct DatabaseArguments {
    /// postgres://USER@HOST:PORT/DATABASE?sslmode=… The password may stand in it (in the environment then: `ps` shows
    /// options), or in PGPASSWORD, or in ~/.pgpass (PGPASSFILE)
    #[arg(
        long,
        value_name = "URL",
        env = "DATABASE_URL",
        hide_env_values = true,
        hide_default_value = true
    )]
    pub(crate) database_url: Option<String>,
    /// A file with the password as its first line; read again for each connection, so it may be replaced at any time
    #[arg(long, value_name = "FILE", env = "ETL_DATABASE_PASSWORD_FILE")]
    pub(crate) database_password_file: Option<PathBuf>,
    /// Whether the role has a password, or logs in to RDS with a token of the AWS credentials
    #[arg(long, value_name = "password|iam", default_value_t = DatabaseAuth::Password, hide_possible_values = true,
        value_parser = PossibleValuesParser::new(DatabaseAuth::NAMES).try_map(|name| name.parse::<DatabaseAuth>()),
        env = "ETL_DATABASE_AUTH")]
    pub(crate) database_auth: DatabaseAuth,
    /// The schema of the tables [default: the first of the role's search_path, mostly public]
    #[arg(long, value_name = "NAME", env = "ETL_DATABASE_SCHEMA")]
    pub(crate) database_schema: Option<String>,
}
