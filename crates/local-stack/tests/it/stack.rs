//! The binary from `up` to `down`, in a home of its own.

use std::path::PathBuf;
use std::process::{Command, Output};

use local_stack::postgres;
use tokio_postgres::NoTls;

/// A home that is brought down whatever the test does.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("local-stack-it-{name}-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a new folder");
        Self(folder)
    }

    fn run(&self, line: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local-stack"));
        command
            .args(line.split_whitespace())
            .env("LOCAL_STACK_HOME", &self.0);
        command.output().expect("the binary runs")
    }

    fn stdout(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {}", stderr(&output));
        String::from_utf8(output.stdout).expect("text")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.run("down");
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn database_url(environment: &str) -> String {
    let line = environment
        .lines()
        .find_map(|line| line.strip_prefix("export DATABASE_URL='"));
    line.and_then(|url| url.strip_suffix('\''))
        .expect("a DATABASE_URL")
        .to_owned()
}

async fn execute(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("a connection");
    tokio::spawn(connection);
    client.batch_execute(sql).await.expect("it runs");
}

#[tokio::test]
async fn up_serves_until_down_and_twice_is_once() {
    let home = Home::new("life");
    home.stdout("up");
    let environment = home.stdout("env");
    home.stdout("up");
    assert_eq!(home.stdout("env"), environment);
    execute(&database_url(&environment), "CREATE TABLE mine ()").await;
    home.stdout("down --keep");
    assert!(!home.run("status").status.success());
    home.stdout("up");
    execute(
        &database_url(&home.stdout("env")),
        "INSERT INTO mine DEFAULT VALUES",
    )
    .await;
    home.stdout("down");
    assert!(!home.0.join("postgres").exists());
}

#[tokio::test]
async fn show_prints_first_rows_and_what_occurs_more_than_once() {
    let home = Home::new("show");
    home.stdout("up");
    let failed = home.run("show");
    assert!(
        stderr(&failed).contains("hint: run `etl migrate`"),
        "{}",
        stderr(&failed)
    );
    execute(
        &database_url(&home.stdout("env")),
        "CREATE TABLE user_logins (user_id varchar(128), device_type varchar(32), masked_ip varchar(256),
             masked_device_id varchar(256), locale varchar(32), app_version integer, create_date date);
         INSERT INTO user_logins VALUES
             ('a', 'ios', 'MS4y', 'NTkz', 'RU', 2, '2024-02-29'), ('b', 'ios', 'My40', 'NTkz', NULL, 2, '2024-02-29')",
    )
    .await;
    let text = home.stdout("show");
    assert!(
        text.contains("First rows of 2 in user_logins\nuser_id  device_type"),
        "{text}"
    );
    assert!(
        text.contains("b        ios          My40       NTkz              NULL"),
        "{text}"
    );
    assert!(text.contains("masked_device_id  logins  users\n────────────────  ──────  ─────\nNTkz              2       2"), "{text}");
    assert!(
        text.ends_with("Masked addresses that logged in more than once\nnone\n"),
        "{text}"
    );
}

#[test]
fn queues_are_made_with_their_dead_letter_queue_and_again_without_harm() {
    let home = Home::new("queue");
    home.stdout("up");
    let url = home.stdout("queue logins --dead-letter logins-dlq");
    assert!(url.ends_with("/000000000000/logins\n"), "{url}");
    assert_eq!(
        home.stdout("queue logins --dead-letter logins-dlq --max-receive-count 3"),
        url
    );
}

#[test]
fn a_taken_port_is_said_with_the_remedy() {
    let home = Home::new("taken");
    let taken = postgres().port();
    let said = stderr(&home.run(&format!("up --port-postgres {taken}")));
    assert!(
        said.contains(&format!("port {taken} on 127.0.0.1 is taken")),
        "{said}"
    );
    assert!(said.contains("\nhint: leave --port-postgres out"), "{said}");
}

#[test]
fn nothing_is_assumed_of_a_stack_that_is_not_up() {
    let home = Home::new("down");
    for line in ["env", "show", "psql", "queue logins"] {
        let output = home.run(line);
        assert!(
            stderr(&output).contains("hint: start it with `local-stack up`"),
            "{line}: {}",
            stderr(&output)
        );
    }
    assert!(home.run("down").status.success());
}
