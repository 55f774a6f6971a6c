//! What the function is told by its environment: the variables of `etl run` that mean something here, under the same
//! names.

mod masking;

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use etl_access::database::{DatabaseAccess, DatabaseAuth};
use login_model::{AppVersionRule, BodyEncoding, EnvelopeRule, Parser};
use pg_writer::Settings;
use sqs_reader::Endpoint;

pub(crate) use self::masking::MaskingConfiguration;

/// Less than a function's time: a connection that died while the function was frozen must leave time for another try.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Everything that an execution environment needs. No `Debug`: it holds the database's password.
pub(crate) struct Configuration {
    pub(crate) database: Settings,
    pub(crate) masking: MaskingConfiguration,
    pub(crate) parser: Parser,
    pub(crate) queue: QueueConfiguration,
}

/// Where dead letters go.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueueConfiguration {
    /// A name or URL; the source queue's RedrivePolicy decides where it is absent.
    pub(crate) dead_letter_queue: Option<String>,
    /// A server other than AWS's.
    pub(crate) endpoint: Option<Endpoint>,
}

impl Configuration {
    pub(crate) fn from_environment() -> anyhow::Result<Self> {
        Self::read(&|name| std::env::var(name).ok())
    }

    fn read(lookup: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        // An empty variable is how a template leaves one out.
        let lookup = |name: &str| lookup(name).filter(|value| !value.is_empty());
        Ok(Self {
            database: database(&lookup)?.statement_timeout(STATEMENT_TIMEOUT),
            masking: MaskingConfiguration::read(&lookup)?,
            parser: parser(&lookup)?,
            queue: QueueConfiguration {
                dead_letter_queue: lookup("ETL_DEAD_LETTER_QUEUE"),
                endpoint: lookup("ETL_ENDPOINT_URL")
                    .map(|url| Endpoint::parse(&url))
                    .transpose()
                    .context("ETL_ENDPOINT_URL")?,
            },
        })
    }
}

fn database(lookup: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Settings> {
    let url = lookup("DATABASE_URL").ok_or_else(|| anyhow!("DATABASE_URL is not set"))?;
    let auth = lookup("ETL_DATABASE_AUTH").map(|name| name.parse::<DatabaseAuth>());
    let access = DatabaseAccess {
        url,
        password_file: lookup("ETL_DATABASE_PASSWORD_FILE").map(PathBuf::from),
        auth: auth
            .transpose()
            .context("ETL_DATABASE_AUTH")?
            .unwrap_or_default(),
        schema: lookup("ETL_DATABASE_SCHEMA"),
    };
    let settings = access.settings();
    settings
        .map_err(|error| {
            let hint = error.hint();
            with_remedy(error.into(), hint)
        })
        .context("DATABASE_URL")
}

/// The last log line is all that Lambda shows of a function that does not start: the remedy goes with it.
fn with_remedy(error: anyhow::Error, hint: Option<impl Display>) -> anyhow::Error {
    match hint {
        Some(hint) => anyhow!("{error:#} (hint: {hint})"),
        None => error,
    }
}

fn parser(lookup: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Parser> {
    let mut parser = Parser::new();
    if let Some(rule) = lookup("ETL_APP_VERSION") {
        let rule: AppVersionRule = rule.parse().context("ETL_APP_VERSION")?;
        parser = parser.app_version(rule);
    }
    if let Some(rule) = lookup("ETL_ENVELOPE") {
        let rule: EnvelopeRule = rule.parse().context("ETL_ENVELOPE")?;
        parser = parser.envelope(rule);
    }
    if let Some(encoding) = lookup("ETL_BODY_ENCODING") {
        let encoding: BodyEncoding = encoding.parse().context("ETL_BODY_ENCODING")?;
        parser = parser.body_encoding(encoding);
    }
    Ok(parser)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(variables: &[(&str, &str)]) -> String {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let error = Configuration::read(&lookup).err();
        format!("{:#}", error.unwrap())
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let url = ("DATABASE_URL", "postgres://etl:secret@localhost/logins");
        assert!(refusal(&[]).contains("DATABASE_URL is not set"));
        assert!(refusal(&[url]).contains("ETL_MASKING is not set"));
        assert!(refusal(&[url, ("ETL_MASKING", "rot13")]).contains("ETL_MASKING"));
        let base64 = ("ETL_MASKING", "base64");
        assert!(refusal(&[url, base64, ("ETL_APP_VERSION", "minor")]).contains("ETL_APP_VERSION"));
        assert!(refusal(&[url, base64, ("ETL_ENDPOINT_URL", "here")]).contains("ETL_ENDPOINT_URL"));
        assert!(
            refusal(&[url, base64, ("ETL_BODY_ENCODING", "zip")]).contains("ETL_BODY_ENCODING")
        );
        assert!(
            refusal(&[url, base64, ("ETL_DATABASE_AUTH", "ldap")]).contains("ETL_DATABASE_AUTH")
        );
        let two = refusal(&[url, base64, ("ETL_DATABASE_AUTH", "iam")]);
        assert!(
            two.contains("leave the password out of the database URL"),
            "{two}"
        );
        let bad = refusal(&[("DATABASE_URL", "postgres://etl:se/cret@x:y"), base64]);
        assert!(!bad.contains("cret"), "{bad}");
    }
}
