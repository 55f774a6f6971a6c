//! A database of a test's own, and what stands in it.

use std::sync::LazyLock;

use local_stack::{Postgres, postgres};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::program::Etl;
use super::wait::until;

/// The tests are plain functions; what is asynchronous below them runs here.
fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    RUNTIME.block_on(future)
}

/// Dropped with its data at the end of the test.
pub(crate) struct Database {
    url: String,
    _own: Option<local_stack::Database>,
}

/// A transaction that stays open, with what it locks, until it is dropped.
pub(crate) struct Held {
    _client: Client,
    connection: JoinHandle<()>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Database {
    /// With the tables as `etl migrate` makes them.
    pub(crate) fn migrated() -> Self {
        Self::of(block_on(
            postgres().database_from_template("migrated", async |url| migrate(&url)),
        ))
    }

    pub(crate) fn empty() -> Self {
        Self::of(block_on(postgres().database("empty")))
    }

    /// The tables on a server of one's own.
    pub(crate) fn migrated_on(server: &Postgres) -> Self {
        let url = server.admin_url();
        migrate(&url);
        Self { url, _own: None }
    }

    fn of(own: local_stack::Database) -> Self {
        let url = own.url().to_owned();
        Self {
            url,
            _own: Some(own),
        }
    }

    /// Its name on the server, which no other test's has.
    pub(crate) fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The URL of the same database for another role.
    pub(crate) fn url_as(&self, role: &str, password: &str) -> String {
        let (_, place) = self.url.split_once('@').unwrap();
        format!("postgres://{role}:{password}@{place}")
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.rows(sql);
    }

    /// The rows of a query as text.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        block_on(async {
            let (client, connection) = connect(&self.url).await;
            let messages = client.simple_query(sql).await.unwrap();
            connection.abort();
            messages.iter().filter_map(cells).collect()
        })
    }

    /// The first column of a query; NULL is the text `NULL`.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        let first = |row: Vec<Option<String>>| row[0].clone().unwrap_or("NULL".to_owned());
        self.rows(sql).into_iter().map(first).collect()
    }

    /// Rows of a table, or of a table and a WHERE.
    pub(crate) fn count(&self, from: &str) -> u64 {
        self.texts(&format!("SELECT count(*) FROM {from}"))[0]
            .parse()
            .unwrap()
    }

    /// The `user_id`s that stand, sorted.
    pub(crate) fn user_ids(&self) -> Vec<String> {
        self.texts("SELECT user_id FROM user_logins ORDER BY user_id COLLATE \"C\"")
    }

    /// What was rejected, as `reason field`.
    pub(crate) fn rejections(&self) -> Vec<String> {
        self.texts("SELECT concat_ws(' ', reason, field) FROM rejected_messages ORDER BY 1")
    }

    /// Runs a statement in a transaction that stays open.
    pub(crate) fn hold(&self, sql: &str) -> Held {
        block_on(async {
            let (client, connection) = connect(&self.url).await;
            client
                .batch_execute(&format!("BEGIN; {sql}"))
                .await
                .unwrap();
            Held {
                _client: client,
                connection,
            }
        })
    }

    /// Returns once a session of `etl` waits for a lock.
    pub(crate) fn until_a_write_waits(&self) {
        let waiting = "pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'etl' \
             AND datname = current_database()";
        until("a write waits", || self.count(waiting) > 0);
    }
}

fn migrate(url: &str) {
    let outcome = Etl::new("migrate").env("DATABASE_URL", url).output();
    assert_eq!(outcome.code, 0, "{outcome:?}");
}

async fn connect(url: &str) -> (Client, JoinHandle<()>) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(async {
        // It ends with an error where the server is stopped under it.
        drop(connection.await);
    });
    (client, connection)
}

fn cells(message: &SimpleQueryMessage) -> Option<Vec<Option<String>>> {
    let SimpleQueryMessage::Row(row) = message else {
        return None;
    };
    let cell = |column| row.get(column).map(str::to_owned);
    Some((0..row.len()).map(cell).collect())
}
