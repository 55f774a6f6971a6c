//! The options of `etl mask` and `etl unmask`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use masking::{Kind, Scheme};

use super::KekArguments;
use super::masking::scheme;
use crate::failure::Failure;

/// Mask values, stdin to stdout: one a line, or fields of JSON lines or CSV
#[derive(Debug, clap::Args)]
pub(crate) struct MaskArguments {
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
}

/// Recover masked values, stdin to stdout; leaves a record of who did, and of how many
#[derive(Debug, clap::Args)]
pub(crate) struct UnmaskArguments {
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// Append who recovered how many values when, one JSON object a line [default: stderr]
    #[arg(long, value_name = "FILE", env = "ETL_AUDIT_LOG")]
    pub(crate) audit_log: Option<PathBuf>,
}

/// What is filtered, and with which key
#[derive(Debug, clap::Args)]
pub(crate) struct FilterArguments {
    /// The scheme of the masked values
    #[arg(long, value_name = "SCHEME", env = "ETL_MASKING", value_parser = scheme)]
    pub(crate) masking: Scheme,
    /// The key file, for the schemes that need a key
    #[arg(long, value_name = "FILE", env = "ETL_KEYSET")]
    pub(crate) keyset: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) kek: KekArguments,
    /// One value a line, of this domain: ip or device_id for the columns of user_logins
    #[arg(long, value_name = "DOMAIN", conflicts_with_all = ["jsonl", "csv", "field"])]
    pub(crate) domain: Option<String>,
    /// What the values are [default: ip where the domain is ip, else text]
    #[arg(long, value_enum, conflicts_with_all = ["jsonl", "csv", "field"])]
    pub(crate) kind: Option<FieldKind>,
    /// One JSON object a line
    #[arg(long, conflicts_with = "csv", requires = "field")]
    pub(crate) jsonl: bool,
    /// Comma-separated values with a header line
    #[arg(long, requires = "field")]
    pub(crate) csv: bool,
    /// A field and its domain, such as masked_ip=ip; NAME alone is its own domain; :ip or :text says what it holds
    #[arg(long, value_name = "NAME[=DOMAIN[:KIND]]")]
    pub(crate) field: Vec<FieldSpecification>,
}

impl FilterArguments {
    /// What is converted; a whole line is a field without a name.
    pub(crate) fn fields(&self) -> Result<Vec<FieldSpecification>, Failure> {
        let Some(domain) = &self.domain else {
            let has_form = self.jsonl || self.csv;
            return has_form.then(|| self.field.clone()).ok_or_else(no_form);
        };
        let kind = self.kind.unwrap_or_else(|| FieldKind::of_domain(domain));
        Ok(vec![FieldSpecification {
            name: String::new(),
            domain: domain.clone(),
            kind,
        }])
    }
}

fn no_form() -> Failure {
    Failure::usage("what stands in the input is not said").hint(
        "one value a line: --domain ip (or device_id); fields of JSON lines or of CSV: --jsonl or --csv, with \
         --field masked_ip=ip --field masked_device_id=device_id",
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FieldKind {
    /// Addresses: every spelling of one gets one mask
    Ip,
    /// Any text, as it stands
    Text,
}

impl FieldKind {
    pub(crate) fn of_domain(domain: &str) -> Self {
        if domain == "ip" { Self::Ip } else { Self::Text }
    }
}

impl From<FieldKind> for Kind {
    fn from(kind: FieldKind) -> Self {
        match kind {
            FieldKind::Ip => Self::Ip,
            FieldKind::Text => Self::Text,
        }
    }
}

/// One `--field`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldSpecification {
    pub(crate) name: String,
    pub(crate) domain: String,
    pub(crate) kind: FieldKind,
}

impl FromStr for FieldSpecification {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, domain) = text.split_once('=').unwrap_or((text, text));
        let (domain, kind) = match domain.rsplit_once(':') {
            Some((domain, kind)) => (domain, FieldKind::from_str(kind, false)?),
            None => (domain, FieldKind::of_domain(domain)),
        };
        if name.is_empty() || domain.is_empty() {
            return Err("expected NAME, NAME=DOMAIN or NAME=DOMAIN:ip".to_owned());
        }
        // In `ip:text`, without a domain of its own, the name ends at the colon too.
        let name = if text.contains('=') { name } else { domain };
        Ok(Self {
            name: name.to_owned(),
            domain: domain.to_owned(),
            kind,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, String, FieldKind), String> {
        let field: FieldSpecification = text.parse()?;
        Ok((field.name, field.domain, field.kind))
    }

    #[test]
    fn a_field_has_a_domain_and_a_kind() {
        let field = |name: &str, domain: &str, kind| Ok((name.to_owned(), domain.to_owned(), kind));
        assert_eq!(read("ip"), field("ip", "ip", FieldKind::Ip));
        assert_eq!(
            read("masked_ip=ip"),
            field("masked_ip", "ip", FieldKind::Ip)
        );
        assert_eq!(read("a=b"), field("a", "b", FieldKind::Text));
        assert_eq!(read("peer=peer:ip"), field("peer", "peer", FieldKind::Ip));
        assert_eq!(read("x=ip:text"), field("x", "ip", FieldKind::Text));
        assert_eq!(read("ip:text"), field("ip", "ip", FieldKind::Text));
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for text in ["", "=ip", "ip=", "ip=ip:address", "ip=:ip"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
