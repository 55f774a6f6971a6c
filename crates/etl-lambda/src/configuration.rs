//! What the function is told by its environment: the variables of `etl run` that mean something here, under the same
//! names.

mod masking;

use anyhow::{Context as _, anyhow};
use login_model::{AppVersionRule, EnvelopeRule, Parser};
use pg_writer::Settings;
use sqs_reader::Endpoint;
use std::time::Duration;

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
        let url = lookup("DATABASE_URL").ok_or_else(|| anyhow!("DATABASE_URL is not set"))?;
        let database = Settings::parse(&url).context("DATABASE_URL")?;
        Ok(Self {
            database: database.statement_timeout(STATEMENT_TIMEOUT),
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
        let bad = refusal(&[("DATABASE_URL", "postgres://etl:se/cret@x:y"), base64]);
        assert!(!bad.contains("cret"), "{bad}");
    }
}
