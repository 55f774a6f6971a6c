//! A Postgres that speaks TLS: by itself where it was built to, else behind something that does. It writes its
//! certificate and key itself, since only its own account may own them.

use std::net::Ipv4Addr;

use local_stack::Postgres;

use super::certificates::{Authority, Signed};
use super::terminator::{ENCRYPTED, Terminator};
use crate::support::connect;

pub(crate) struct TlsServer {
    postgres: Postgres,
    /// Where the server knows no TLS.
    terminator: Option<Terminator>,
}

impl TlsServer {
    pub(crate) fn start() -> Self {
        let postgres = Postgres::start_private();
        let library = in_another_runtime(&postgres.admin_url(), async |client| {
            let row = client.query_one("SHOW ssl_library", &[]).await.unwrap();
            row.get::<_, String>(0)
        });
        let terminator = library
            .is_empty()
            .then(|| Terminator::start(postgres.port()));
        let server = Self {
            postgres,
            terminator,
        };
        server.admit(&[]);
        server
    }

    /// From now on with this certificate.
    pub(crate) fn serve(&self, signed: &Signed) {
        if let Some(terminator) = &self.terminator {
            return terminator.serve(signed);
        }
        self.run(&[
            &write("server.crt", &signed.certificate),
            &write("server.key", &signed.key),
            "ALTER SYSTEM SET ssl = on",
        ]);
        self.restart();
    }

    pub(crate) fn url_of_who_must_encrypt(&self, mode: &str) -> String {
        let encrypted = match self.terminator {
            None => "hostssl all careful 127.0.0.1/32".to_owned(),
            Some(_) => format!("host all careful {ENCRYPTED}/32"),
        };
        let careful = format!("{encrypted} scram-sha-256");
        self.run(&[
            "DROP ROLE IF EXISTS careful",
            "CREATE ROLE careful LOGIN PASSWORD 'careful'",
        ]);
        self.admit(&[&careful]);
        format!(
            "postgres://careful:careful@127.0.0.1:{}/postgres?sslmode={mode}",
            self.port()
        )
    }

    /// By these rules and, by any way, the administrator.
    fn admit(&self, rules: &[&str]) {
        let administrator = |from| format!("host all postgres {from}/32 scram-sha-256");
        let (plain, encrypted) = (administrator(Ipv4Addr::LOCALHOST), administrator(ENCRYPTED));
        let rules = [rules, &[&plain, &encrypted]].concat().join("\n");
        self.run(&[&write("pg_hba.conf", &rules)]);
        self.restart();
    }

    /// A restart is certain; a reload would come some time later.
    fn restart(&self) {
        self.postgres.stop();
        self.postgres.start();
    }

    fn port(&self) -> u16 {
        let terminator = self.terminator.as_ref();
        terminator.map_or_else(|| self.postgres.port(), |terminator| terminator.port)
    }

    pub(crate) fn url(&self, host: &str, mode: &str, trusts: Option<&Authority>) -> String {
        let direct = format!("127.0.0.1:{}", self.postgres.port());
        let url = self.postgres.admin_url();
        let url = url.replace(&direct, &format!("{host}:{}", self.port()));
        let root =
            trusts.map(|authority| format!("&sslrootcert={}", authority.file.path().display()));
        format!("{url}?sslmode={mode}{}", root.unwrap_or_default())
    }

    fn run(&self, statements: &[&str]) {
        in_another_runtime(&self.postgres.admin_url(), async |client| {
            for statement in statements {
                client.batch_execute(statement).await.unwrap();
            }
        });
    }
}

/// What `work` makes of a connection, away from the test's own runtime.
fn in_another_runtime<T: Send>(
    url: &str,
    work: impl AsyncFnOnce(tokio_postgres::Client) -> T + Send,
) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async { work(connect(url).await).await })
        });
        thread.join().unwrap()
    })
}

/// The server's working directory is its data directory.
fn write(file: &str, text: &str) -> String {
    format!(
        "COPY (SELECT unnest(string_to_array('{text}', E'\\n'))) TO PROGRAM 'umask 077 && cat > {file}'"
    )
}
