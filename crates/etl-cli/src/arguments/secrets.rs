//! Passwords among the options: which value holds one, and where it is seen by others.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

/// An option on the command line that holds a password: `ps` shows it to every user of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exposed {
    pub(crate) option: String,
    /// Where the same value is not seen.
    pub(crate) variable: Option<String>,
}

/// The options on the command line whose values hold a password.
pub(super) fn exposed(command: &Command, matches: &ArgMatches) -> Vec<Exposed> {
    let is_shown = |arg: &&Arg| {
        let id = arg.get_id().as_str();
        let values = matches.get_raw(id).into_iter().flatten();
        matches.value_source(id) == Some(ValueSource::CommandLine)
            && values
                .into_iter()
                .any(|value| holds_password(&value.to_string_lossy()))
    };
    let told = |arg: &Arg| Exposed {
        option: format!("--{}", arg.get_long().unwrap_or_default()),
        variable: arg
            .get_env()
            .map(|name| name.to_string_lossy().into_owned()),
    };
    command.get_arguments().filter(is_shown).map(told).collect()
}

/// Says where the same value is not seen.
pub(crate) fn warn_of_exposed(options: &[Exposed]) {
    for Exposed { option, variable } in options {
        let instead = variable.as_deref().unwrap_or("the environment");
        tracing::warn!(
            "{option} shows its password to everyone on this machine who runs `ps`: give it in {instead}, or in the \
             file of --config; a database's also in PGPASSWORD or --database-password-file"
        );
    }
}

/// Whether a URL or a connection string carries a password.
pub(super) fn holds_password(text: &str) -> bool {
    let in_url = text.split_once("://").is_some_and(|(_, rest)| {
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        let password = user.and_then(|user| user.split_once(':'));
        password.is_some_and(|(_, password)| !password.is_empty())
    });
    in_url || text.contains("password=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_seen_where_one_stands() {
        for text in [
            "postgres://etl:hunter2@db/logins",
            "postgres://etl:hunter@2@db:5432/logins?sslmode=require",
            "postgres://etl@db/logins?password=hunter2",
            "host=db user=etl password=hunter2",
            "https://user:hunter2@proxy:8443",
        ] {
            assert!(holds_password(text), "{text}");
        }
        for text in [
            "postgres://etl@db:5432/logins",
            "postgres://etl:@db/logins",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/logins",
            "http://localhost:4566/a:b@c",
            "logins",
        ] {
            assert!(!holds_password(text), "{text}");
        }
    }
}
