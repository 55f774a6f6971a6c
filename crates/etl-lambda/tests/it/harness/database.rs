//! A migrated database of a test's own, and what stands in it.

use std::sync::LazyLock;

use local_stack::postgres;
use pg_writer::{Pool, Settings, prepare};
use tokio::runtime::Runtime;
use tokio_postgres::NoTls;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Dropped with its data at the end of the test.
pub(crate) struct Database(local_stack::Database);

impl Database {
    pub(crate) fn migrated() -> Self {
        let made = postgres().database_from_template("etl_lambda", async |url| {
            let pool = Pool::new(&Settings::parse(&url).unwrap(), 1).unwrap();
            prepare(&pool, true).await.unwrap();
        });
        Self(RUNTIME.block_on(made))
    }

    pub(crate) fn empty() -> Self {
        Self(RUNTIME.block_on(postgres().database("empty")))
    }

    /// Makes the tables in this schema.
    pub(crate) fn migrate(&self, schema: &str) {
        let settings = Settings::parse(self.0.url()).unwrap();
        let pool = Pool::new(&settings.schema(schema).unwrap(), 1).unwrap();
        RUNTIME.block_on(prepare(&pool, true)).unwrap();
    }

    pub(crate) fn name(&self) -> &str {
        self.0.name()
    }

    /// The URL without its password, and that.
    pub(crate) fn url_and_password(&self) -> (String, String) {
        let (login, place) = self.0.url().split_once('@').unwrap();
        let (user, password) = login.rsplit_once(':').unwrap();
        (format!("{user}@{place}"), password.to_owned())
    }

    pub(crate) fn url(&self) -> String {
        self.0.url().to_owned()
    }

    pub(crate) fn execute(&self, sql: &str) {
        RUNTIME.block_on(async {
            let (client, connection) = tokio_postgres::connect(self.0.url(), NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(sql).await.unwrap();
        });
    }

    /// The first column of a query.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        RUNTIME.block_on(async {
            let (client, connection) = tokio_postgres::connect(self.0.url(), NoTls).await.unwrap();
            tokio::spawn(connection);
            let rows = client.query(sql, &[]).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        })
    }

    /// The `user_id`s that stand, sorted.
    pub(crate) fn user_ids(&self) -> Vec<String> {
        self.texts("SELECT user_id FROM user_logins ORDER BY user_id COLLATE \"C\"")
    }

    /// What was rejected, as `reason field`.
    pub(crate) fn rejections(&self) -> Vec<String> {
        self.texts("SELECT concat_ws(' ', reason, field) FROM rejected_messages ORDER BY 1")
    }
}
