//! A store and a look into its tables. Both refuse users whose name begins with `bad`.

use std::future::Future;

use pg_writer::{
    Batch, Condition, MemoryFaults, MemoryStore, PgStore, Recorded, RejectionRecord, Report,
    StoreError, StoredLogin,
};

use crate::support::{Migrated, key, migrated};

pub(super) type Outcome = Result<Recorded<u32>, (Vec<RejectionRecord<u32>>, StoreError)>;

/// What the tables say of a rejected message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rejected {
    pub(super) reason: String,
    pub(super) field: Option<String>,
    pub(super) receive_count: i32,
    pub(super) was_rejected_again: bool,
}

/// What the laws need.
pub(super) trait Subject {
    fn write(&self, batch: Batch<u32>) -> impl Future<Output = Report<u32>> + Send;
    fn record(&self, records: Vec<RejectionRecord<u32>>) -> impl Future<Output = Outcome> + Send;
    fn statements(&self) -> u64;
    /// Refuses, or takes again, whatever row comes.
    fn refuse_every_row(&self, refuse: bool) -> impl Future<Output = ()> + Send;
    /// By user, then by date.
    fn logins(&self) -> impl Future<Output = Vec<StoredLogin>> + Send;
    fn ledger(&self) -> impl Future<Output = i64> + Send;
    fn rejected(&self, number: u32) -> impl Future<Output = Option<Rejected>> + Send;
}

pub(super) struct MemorySubject(MemoryStore);

impl Default for MemorySubject {
    fn default() -> Self {
        let is_bad = |login: &StoredLogin| {
            login
                .user_id
                .as_ref()
                .is_some_and(|user| user.starts_with("bad"))
        };
        Self(MemoryStore::refusing(
            MemoryFaults::default(),
            move |_, login| is_bad(login),
        ))
    }
}

impl Subject for MemorySubject {
    async fn write(&self, batch: Batch<u32>) -> Report<u32> {
        self.0.write(batch).await
    }

    async fn record(&self, records: Vec<RejectionRecord<u32>>) -> Outcome {
        self.0.record(records).await
    }

    fn statements(&self) -> u64 {
        self.0.statements()
    }

    async fn refuse_every_row(&self, refuse: bool) {
        self.0.set_condition(if refuse {
            Condition::RefusingRows
        } else {
            Condition::Working
        });
    }

    async fn logins(&self) -> Vec<StoredLogin> {
        let mut logins: Vec<_> = self
            .0
            .logins()
            .into_iter()
            .map(|(_, login)| login)
            .collect();
        logins.sort_by_cached_key(|login| (login.user_id.clone(), login.create_date));
        logins
    }

    async fn ledger(&self) -> i64 {
        i64::try_from(self.0.ledger().len()).unwrap()
    }

    async fn rejected(&self, number: u32) -> Option<Rejected> {
        let row = self.0.rejections().remove(&key(number))?;
        Some(Rejected {
            reason: row.reason.to_owned(),
            field: row.field.map(str::to_owned),
            receive_count: row.receive_count,
            was_rejected_again: row.last_rejected_at > row.first_rejected_at,
        })
    }
}

pub(super) struct PostgresSubject(Migrated);

impl PostgresSubject {
    pub(super) async fn start() -> Self {
        let migrated = migrated().await;
        let trigger = "CREATE FUNCTION refuse_bad() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            IF NEW.user_id LIKE 'bad%' THEN RAISE EXCEPTION 'no % here', NEW.user_id; END IF; RETURN NEW; END $$; \
            CREATE TRIGGER refuse_bad BEFORE INSERT ON user_logins FOR EACH ROW EXECUTE FUNCTION refuse_bad()";
        migrated.execute(trigger).await;
        Self(migrated)
    }
}

impl Subject for PostgresSubject {
    async fn write(&self, batch: Batch<u32>) -> Report<u32> {
        PgStore::write(&self.0.store, batch).await
    }

    async fn record(&self, records: Vec<RejectionRecord<u32>>) -> Outcome {
        PgStore::record(&self.0.store, records).await
    }

    fn statements(&self) -> u64 {
        self.0.store.statements()
    }

    async fn refuse_every_row(&self, refuse: bool) {
        self.0
            .execute(if refuse {
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 RAISE EXCEPTION 'not now'; END $$; \
                 CREATE TRIGGER refuse BEFORE INSERT ON user_logins FOR EACH ROW EXECUTE FUNCTION refuse()"
            } else {
                "DROP FUNCTION refuse CASCADE"
            })
            .await;
    }

    async fn logins(&self) -> Vec<StoredLogin> {
        let query = "SELECT user_id, device_type, masked_ip, masked_device_id, locale, app_version, \
            create_date - date '2000-01-01' FROM user_logins ORDER BY user_id COLLATE \"C\", create_date";
        let rows = self.0.client.query(query, &[]).await.unwrap();
        rows.iter().map(stored).collect()
    }

    async fn ledger(&self) -> i64 {
        self.0.count("ingested_messages").await
    }

    async fn rejected(&self, number: u32) -> Option<Rejected> {
        let query = format!(
            "SELECT reason, field, receive_count, last_rejected_at > first_rejected_at FROM rejected_messages \
             WHERE message_id = '{}'",
            key(number).message_id
        );
        let row = self.0.client.query_opt(&query, &[]).await.unwrap()?;
        Some(Rejected {
            reason: row.get(0),
            field: row.get(1),
            receive_count: row.get(2),
            was_rejected_again: row.get(3),
        })
    }
}

fn stored(row: &tokio_postgres::Row) -> StoredLogin {
    StoredLogin {
        user_id: row.get(0),
        device_type: row.get(1),
        masked_ip: row.get(2),
        masked_device_id: row.get(3),
        locale: row.get(4),
        app_version: row.get(5),
        create_date: row.get(6),
    }
}
