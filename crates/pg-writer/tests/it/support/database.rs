//! A migrated database a test, and connections to look into it.

use local_stack::{Database, Postgres, postgres};
use pg_writer::{PgStore, Pool, Settings, prepare};
use tokio_postgres::{Client, NoTls};

use super::batch;

/// A database with the tables in it, a store on it, and a connection to look.
pub(crate) struct Migrated {
    pub(crate) database: Database,
    pub(crate) store: PgStore,
    pub(crate) client: Client,
}

pub(crate) async fn migrated() -> Migrated {
    let database = postgres()
        .database_from_template("pg_writer", async |url| migrate(url).await)
        .await;
    Migrated {
        store: PgStore::new(pool_of(database.url())),
        client: connect(database.url()).await,
        database,
    }
}

/// A server that may be stopped, and a store with an idle connection to it that has written the first ten rows.
pub(crate) async fn restartable() -> (Postgres, PgStore) {
    let server = Postgres::start_private();
    migrate(server.admin_url()).await;
    let store = PgStore::new(pool_of(&server.admin_url()));
    assert_eq!(store.write(batch(0..10)).await.committed.written(), 10);
    (server, store)
}

/// On a runtime of its own: diesel's harness blocks in place, which a test's single thread forbids.
async fn migrate(url: String) {
    let migrating = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async { prepare(&pool_of(&url), true).await })
    });
    migrating.await.unwrap().unwrap();
}

impl Migrated {
    pub(crate) async fn execute(&self, statements: &str) {
        self.client.batch_execute(statements).await.unwrap();
    }

    /// The first column of a query's rows, as text.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        let rows = self.client.query(query, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let query = format!("SELECT count(*) FROM {table}");
        self.client.query_one(&query, &[]).await.unwrap().get(0)
    }

    /// Two writers at work at once must not share a connection.
    pub(crate) fn pool(&self) -> Pool {
        pool_of(self.database.url())
    }
}

pub(crate) fn pool_of(url: &str) -> Pool {
    pool(&Settings::parse(url).unwrap())
}

pub(crate) fn pool(settings: &Settings) -> Pool {
    Pool::new(settings, 4).unwrap()
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
