//! What a database says of itself, for a check before a run. Reads; changes nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use diesel::dsl::sql;
use diesel::sql_types::{Bool, Double, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use crate::error::{StoreError, of_plain_statement};
use crate::pool::Pool;
use crate::pooler::Trial;
use crate::schema::{MISSING_COLUMNS, MISSING_KEYS, MISSING_RIGHTS, pending, texts};

/// The names are not qualified, as those of every statement here: what a search path hides is hidden from a run too.
const ABOUT_SERVER: &str = "SELECT current_user::text, current_setting('server_version'), \
    current_setting('server_version_num')::integer, \
    (SELECT version::text FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl), \
    coalesce(inet_client_addr() <<= '127.0.0.0/8' OR inet_client_addr() = '::1', true), \
    current_setting('transaction_read_only')::boolean, current_setting('synchronous_commit'), \
    extract(epoch FROM clock_timestamp())::double precision";

const MAY_CREATE: &str = "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)";
const MAY_PRUNE: &str =
    "SELECT coalesce(has_table_privilege(to_regclass('ingested_messages'), 'DELETE'), false)";

/// A server and the way to it.
#[derive(Debug, Clone)]
pub struct ServerFacts {
    /// The role that statements run as.
    pub role: String,
    /// As people write it, such as `15.8`.
    pub version: String,
    /// As a number, such as 150008.
    pub version_number: i32,
    /// The version of TLS, as the server sees it; `None` without.
    pub tls: Option<String>,
    /// Whether client and server are one machine.
    pub is_on_this_machine: bool,
    /// Whether it refuses every write, as a standby does.
    pub is_read_only: bool,
    /// The setting `synchronous_commit`.
    pub synchronous_commit: String,
    /// Seconds by which this machine's clock is ahead of the server's.
    pub clock_lead: f64,
}

/// Tables and rights, beside those that a run needs.
#[derive(Debug, Clone)]
pub struct TableFacts {
    /// Versions of migrations that the database does not know of.
    pub pending: Vec<String>,
    /// Whether the role may create tables.
    pub may_create: bool,
    /// Columns that a run needs, such as `user_logins.locale`.
    pub missing_columns: Vec<String>,
    /// Tables without their primary key.
    pub missing_keys: Vec<String>,
    /// Rights that a run needs, such as `INSERT on user_logins`.
    pub missing_rights: Vec<String>,
    /// Whether the role may forget old messages.
    pub may_prune: bool,
}

type ServerRow = (
    Text,
    Text,
    Integer,
    Nullable<Text>,
    Bool,
    Bool,
    Text,
    Double,
);
type ServerValues = (String, String, i32, Option<String>, bool, bool, String, f64);

impl Pool {
    /// What the server says of itself.
    pub async fn server_facts(&self) -> Result<ServerFacts, StoreError> {
        let mut connection = self.get().await?;
        let asked = now();
        let query = sql::<ServerRow>(ABOUT_SERVER).get_result(&mut *connection);
        let answer: ServerValues = self
            .run(query)
            .await
            .map_err(|error| of_plain_statement(&error))?;
        let half_way = f64::midpoint(asked, now());
        let (role, version, version_number, tls, is_near, is_read_only, commit, clock) = answer;
        Ok(ServerFacts {
            role,
            version,
            version_number,
            tls,
            is_on_this_machine: is_near,
            is_read_only,
            synchronous_commit: commit,
            clock_lead: half_way - clock,
        })
    }

    /// What is there of the tables, and what may be done with them.
    pub async fn table_facts(&self) -> Result<TableFacts, StoreError> {
        let mut connection = self.get().await?;
        let connection = &mut connection;
        Ok(TableFacts {
            pending: pending(self, connection).await?.into_iter().collect(),
            may_create: self.may(connection, MAY_CREATE).await?,
            missing_columns: texts(self, connection, MISSING_COLUMNS).await?,
            missing_keys: texts(self, connection, MISSING_KEYS).await?,
            missing_rights: texts(self, connection, MISSING_RIGHTS).await?,
            may_prune: self.may(connection, MAY_PRUNE).await?,
        })
    }

    async fn may(
        &self,
        connection: &mut AsyncPgConnection,
        query: &str,
    ) -> Result<bool, StoreError> {
        let answer = self.run(sql::<Bool>(query).get_result(connection)).await;
        answer.map_err(|error| of_plain_statement(&error))
    }

    /// Whether what is between here and the server, if anything is, keeps prepared statements.
    ///
    /// # Errors
    /// [`StoreError::Configuration`] for a pooler that loses them, with what to do about it.
    pub async fn check_pooler(&self) -> Result<(), StoreError> {
        Trial::prepare(self).refuse_forgetful().await
    }
}

fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs_f64()
}
