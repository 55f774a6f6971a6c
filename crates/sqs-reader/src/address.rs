//! Where a queue is: its name or URL, the server's endpoint, and what a URL tells of region and server.
//! Makes no request and reads no environment.

use crate::error::QueueError;

/// Which queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueAddress {
    /// By name, in the account of the credentials.
    Name(String),
    /// By URL.
    Url(String),
    /// By ARN, as `arn:aws:sqs:eu-west-1:123456789012:logins`.
    Arn(String),
}

/// The parts of a queue's ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueArn<'a> {
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> QueueArn<'a> {
    pub(crate) fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(3);
        Some(Self {
            region: parts.next()?,
            account: parts.next()?,
            name: parts.next()?,
        })
    }
}

/// Whether two URLs name one queue: one server has many host names.
pub fn is_same_queue(one: &str, other: &str) -> bool {
    account_and_name(one).is_some_and(|queue| account_and_name(other) == Some(queue))
}

/// The path of a queue's URL.
fn account_and_name(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (_, path) = rest.split_once('/')?;
    Some(path.trim_end_matches('/'))
}

impl QueueAddress {
    /// A URL where the text is one, else a name.
    pub fn of(text: &str) -> Self {
        if text.contains("://") {
            Self::Url(text.to_owned())
        } else {
            Self::Name(text.to_owned())
        }
    }

    /// Whether it names the queue of this ARN; a name alone is taken to be of the same account.
    pub fn is_queue_of(&self, arn: &str) -> bool {
        let Some(queue) = QueueArn::parse(arn) else {
            return false;
        };
        match self {
            Self::Name(name) => name == queue.name,
            Self::Url(url) => {
                account_and_name(url).and_then(|path| path.rsplit_once('/'))
                    == Some((queue.account, queue.name))
            }
            Self::Arn(own) => own == arn,
        }
    }

    /// The region that an AWS queue URL or an ARN names.
    pub(crate) fn region(&self) -> Option<&str> {
        match self {
            Self::Arn(arn) => QueueArn::parse(arn).map(|arn| arn.region),
            Self::Url(url) => region_of(host_of(url)?),
            Self::Name(_) => None,
        }
    }

    /// The server on which the queue's URL lies, where that is not AWS's public one: the SDK would ask AWS
    /// otherwise, whatever the URL says.
    pub(crate) fn own_server(&self) -> Result<Option<Endpoint>, QueueError> {
        let Self::Url(url) = self else {
            return Ok(None);
        };
        let has_name = url.split_once("://").is_some_and(|(_, rest)| {
            let name = rest.rsplit_once('/').map(|(_, name)| name);
            name.is_some_and(|name| !name.is_empty())
        });
        let server = Endpoint::parse(url).ok().filter(|_| has_name);
        let server = server.ok_or_else(|| {
            QueueError::Configuration(format!(
                "--queue-url is not a queue's URL such as https://sqs.eu-west-1.amazonaws.com/123456789012/logins: {url}"
            ))
        })?;
        Ok((!server.is_aws_public()).then_some(server))
    }
}

/// Which server, where it is not AWS's own for the region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// Reads an endpoint URL. A path after the host, as in `http://localhost:4566/000000000000/`, is dropped: the
    /// account belongs to a queue's URL and not to the server.
    pub fn parse(url: &str) -> Result<Self, QueueError> {
        let bad = || {
            QueueError::Configuration(format!(
                "--endpoint-url is not a URL such as http://localhost:4566: {url}"
            ))
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(bad)?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if !matches!(scheme, "http" | "https")
            || host.is_empty()
            || host.contains(char::is_whitespace)
        {
            return Err(bad());
        }
        Ok(Self(format!("{scheme}://{host}")))
    }

    /// Scheme, host and port.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether any region will do: a server that is not AWS takes what it is given.
    pub(crate) fn is_aws(&self) -> bool {
        self.0.contains(".amazonaws.") || self.0.contains(".api.aws")
    }

    /// A VPC endpoint is AWS's, but not the one that the SDK would choose by the region.
    fn is_aws_public(&self) -> bool {
        self.is_aws() && !self.0.contains(".vpce.")
    }
}

fn host_of(url: &str) -> Option<&str> {
    url.split_once("://")?.1.split('/').next()
}

/// The region in an AWS host.
/// Source: <https://docs.aws.amazon.com/general/latest/gr/sqs-service.html>, with the older names
/// `queue.amazonaws.com` and `REGION.queue.amazonaws.com`.
fn region_of(host: &str) -> Option<&str> {
    if host == "queue.amazonaws.com" {
        return Some("us-east-1");
    }
    if let Some(region) = host.strip_suffix(".queue.amazonaws.com") {
        return Some(region);
    }
    let (before, after) = host
        .split_once("amazonaws.")
        .or(host.split_once("api.aws"))?;
    let is_aws = before.ends_with('.') && (after.is_empty() || after.starts_with("com"));
    let mut labels = before.split('.');
    labels.find(|label| matches!(*label, "sqs" | "sqs-fips"))?;
    labels.next().filter(|region| is_aws && !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_known_by_its_arn_however_it_is_named() {
        let arn = "arn:aws:sqs:eu-west-1:123:logins";
        for same in [
            "logins",
            "https://sqs.eu-west-1.amazonaws.com/123/logins",
            "http://localhost:1/123/logins/",
        ] {
            assert!(QueueAddress::of(same).is_queue_of(arn), "{same}");
        }
        for other in [
            "login",
            "https://sqs.eu-west-1.amazonaws.com/124/logins",
            "http://localhost:1",
        ] {
            assert!(!QueueAddress::of(other).is_queue_of(arn), "{other}");
        }
        let address = QueueAddress::Arn(arn.to_owned());
        assert_eq!(address.region(), Some("eu-west-1"));
    }

    #[test]
    fn a_path_after_the_host_is_accepted() {
        for url in [
            "http://localhost:4566/000000000000/",
            "http://localhost:4566",
            "http://localhost:4566/",
        ] {
            assert_eq!(
                Endpoint::parse(url).unwrap().as_str(),
                "http://localhost:4566"
            );
        }
    }

    #[test]
    fn what_is_no_url_is_refused_by_the_options_name() {
        for url in ["localhost:4566", "ftp://host", "http://", "http://a b"] {
            let refused = Endpoint::parse(url).unwrap_err().to_string();
            assert!(refused.starts_with("--endpoint-url"), "{refused}");
        }
        for url in [
            "http://localhost:4566/000000000000/",
            "http://h:1",
            "ftp://h/q",
            "logins",
        ] {
            let address = QueueAddress::Url(url.to_owned());
            let refused = address.own_server().unwrap_err().to_string();
            assert!(refused.starts_with("--queue-url"), "{refused}");
        }
    }

    #[test]
    fn an_aws_queue_url_names_its_region() {
        for (host, region) in [
            ("sqs.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("sqs-fips.us-east-1.amazonaws.com", Some("us-east-1")),
            ("sqs.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("eu-west-2.queue.amazonaws.com", Some("eu-west-2")),
            ("queue.amazonaws.com", Some("us-east-1")),
            ("sqs.eu-west-1.api.aws", Some("eu-west-1")),
            ("vpce-1.sqs.us-east-2.vpce.amazonaws.com", Some("us-east-2")),
            ("sqs.us-east-1.localhost.localstack.cloud:4566", None),
            ("localhost:4566", None),
        ] {
            let url = QueueAddress::Url(format!("https://{host}/1/q"));
            assert_eq!(url.region(), region, "{host}");
        }
    }

    #[test]
    fn a_queue_url_off_aws_names_its_server() {
        for (url, server) in [
            (
                "http://localhost:4566/000000000000/q",
                Some("http://localhost:4566"),
            ),
            (
                "https://vpce-1.sqs.us-east-2.vpce.amazonaws.com/1/q",
                Some("https://vpce-1.sqs.us-east-2.vpce.amazonaws.com"),
            ),
            ("https://sqs.eu-west-1.amazonaws.com/1/q", None),
        ] {
            let found = QueueAddress::Url(url.to_owned()).own_server().unwrap();
            assert_eq!(found.as_ref().map(Endpoint::as_str), server);
        }
    }
}
