//! A database a test: fresh and empty, or the copy of a template that is prepared once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, PoisonError};

use anyhow::{Context, Result};
use tokio::sync::OnceCell;

use super::Postgres;
use super::connection::{connect, runtime};
use crate::hint::report;

/// A database of one's own; dropped in the background when this is.
#[derive(Debug)]
pub struct Database {
    name: String,
    url: String,
    janitor: Sender<String>,
}

impl Database {
    /// The superuser's URL of this database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A janitor that is gone is no harm: the server's removal takes the database along.
        let _ = self.janitor.send(std::mem::take(&mut self.name));
    }
}

impl Postgres {
    /// A fresh, empty database; the hint stands in its name.
    ///
    /// # Panics
    /// If the server refuses.
    pub async fn database(&self, name_hint: &str) -> Database {
        self.copy_of("template0", name_hint).await
    }

    /// A copy of the template of this key. The first call for a key makes the template: `prepare` gets its URL and must
    /// close its connections before it returns (those that linger are cut).
    ///
    /// # Panics
    /// If the server refuses, or `prepare` panics.
    pub async fn database_from_template(
        &self,
        template_key: &str,
        prepare: impl AsyncFnOnce(String),
    ) -> Database {
        let cell = {
            let mut templates = self
                .templates
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::<OnceCell<String>>::clone(templates.entry(template_key.to_owned()).or_default())
        };
        let template = cell
            .get_or_init(|| self.make_template(template_key, prepare))
            .await;
        self.copy_of(template, template_key).await
    }

    async fn make_template(&self, key: &str, prepare: impl AsyncFnOnce(String)) -> String {
        let name = unique_name(&format!("template_{key}"));
        self.execute(&[create(&name, "template0")]).await;
        prepare(self.url_of(&name)).await;
        // A template with connections cannot be copied, and the server's side of a closed one may linger.
        self.execute(&[
            format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
            format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"),
        ])
        .await;
        name
    }

    async fn copy_of(&self, template: &str, name_hint: &str) -> Database {
        let name = unique_name(name_hint);
        self.execute(&[create(&name, template)]).await;
        let url = self.url_of(&name);
        Database {
            name,
            url,
            janitor: self.janitor(),
        }
    }

    fn janitor(&self) -> Sender<String> {
        let start = || {
            let (sender, names) = channel();
            let url = self.admin_url();
            // Without it databases stay until the server goes, which is no failure of a test.
            let _ = std::thread::Builder::new()
                .name("janitor".to_owned())
                .spawn(move || sweep(&url, &names));
            sender
        };
        self.janitor.get_or_init(start).clone()
    }

    async fn execute(&self, statements: &[String]) {
        let done = execute(&self.admin_url(), statements).await;
        done.unwrap_or_else(|error| panic!("{}\n{}", report(&error), self.log()));
    }
}

async fn execute(url: &str, statements: &[String]) -> Result<()> {
    let client = connect(url).await?;
    for statement in statements {
        // One by one: CREATE DATABASE refuses to run among others.
        client
            .batch_execute(statement)
            .await
            .with_context(|| format!("failed to run {statement}"))?;
    }
    Ok(())
}

/// Drops databases in turn, so that no test waits for it.
fn sweep(url: &str, names: &Receiver<String>) {
    let Ok(runtime) = runtime() else { return };
    for name in names {
        // The server may be stopped on purpose.
        let _ = runtime.block_on(execute(
            url,
            &[format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")],
        ));
    }
}

fn create(name: &str, template: &str) -> String {
    format!("CREATE DATABASE {name} TEMPLATE {template}")
}

/// Postgres cuts names at 63 bytes.
fn unique_name(hint: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let letters = hint.chars().map(|letter| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_lowercase()
        } else {
            '_'
        }
    });
    format!("t{count}_{}", letters.take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_need_no_quotes() {
        let (one, two) = (unique_name("A test's"), unique_name("A test's"));
        assert_ne!(one, two);
        assert!(one.ends_with("_a_test_s"), "{one}");
        assert!(unique_name(&"x".repeat(99)).len() < 63);
    }
}
