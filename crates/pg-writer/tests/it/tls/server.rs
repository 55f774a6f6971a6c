//! A Postgres that speaks TLS. It writes its certificate and key itself, since only its own account may own them.

use local_stack::Postgres;

use super::certificates::{Authority, Signed};
use crate::support::connect;

pub(crate) struct TlsServer(Postgres);

impl TlsServer {
    pub(crate) fn start() -> Self {
        Self(Postgres::start_private())
    }

    /// From now on with this certificate.
    pub(crate) fn serve(&self, signed: &Signed) {
        self.run(&[
            &write("server.crt", &signed.certificate),
            &write("server.key", &signed.key),
            "ALTER SYSTEM SET ssl = on",
        ]);
        self.restart();
    }

    pub(crate) fn url_of_who_must_encrypt(&self, mode: &str) -> String {
        let rules = "hostssl all careful 127.0.0.1/32 scram-sha-256\n\
            host all postgres 127.0.0.1/32 scram-sha-256";
        self.run(&[
            &write("pg_hba.conf", rules),
            "DROP ROLE IF EXISTS careful",
            "CREATE ROLE careful LOGIN PASSWORD 'careful'",
        ]);
        self.restart();
        format!(
            "postgres://careful:careful@127.0.0.1:{}/postgres?sslmode={mode}",
            self.0.port()
        )
    }

    /// A restart is certain; a reload would come some time later.
    fn restart(&self) {
        self.0.stop();
        self.0.start();
    }

    pub(crate) fn url(&self, host: &str, mode: &str, trusts: Option<&Authority>) -> String {
        let url = self.0.admin_url().replace("127.0.0.1", host);
        let root =
            trusts.map(|authority| format!("&sslrootcert={}", authority.file.path().display()));
        format!("{url}?sslmode={mode}{}", root.unwrap_or_default())
    }

    fn run(&self, statements: &[&str]) {
        let url = self.0.admin_url();
        std::thread::scope(|scope| {
            let work = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let client = connect(&url).await;
                    for statement in statements {
                        client.batch_execute(statement).await.unwrap();
                    }
                });
            });
            work.join().unwrap();
        });
    }
}

/// The server's working directory is its data directory.
fn write(file: &str, text: &str) -> String {
    format!(
        "COPY (SELECT unnest(string_to_array('{text}', E'\\n'))) TO PROGRAM 'umask 077 && cat > {file}'"
    )
}
