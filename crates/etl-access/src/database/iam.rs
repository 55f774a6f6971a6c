//! Tokens for IAM authentication of RDS and Aurora: a presigned request that nobody sends, good for 15 minutes.
//! Source: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html>.

use std::error::Error;
use std::iter;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pg_writer::{Settings, StoreError, TokenMaker};
use tokio::sync::OnceCell;

use super::AccessError;

/// The longest that RDS allows. It bounds the log-in and not the session.
const LIFE: Duration = Duration::from_secs(15 * 60);
const SERVICE: &str = "rds-db";
const SCHEME: &str = "https://";
/// RFC 3986's unreserved characters stay as they are.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A new token for each connection, with the credentials that the machine has at that time.
pub(super) fn tokens(settings: &Settings) -> Result<TokenMaker, AccessError> {
    let signer = Arc::new(Signer::new(settings)?);
    Ok(Arc::new(move || {
        let signer = Arc::clone(&signer);
        Box::pin(async move { signer.token().await })
    }))
}

/// Whom a token lets in, and where.
struct Login {
    host: String,
    port: u16,
    user: String,
}

struct Signer {
    login: Login,
    config: OnceCell<SdkConfig>,
}

impl Signer {
    fn new(settings: &Settings) -> Result<Self, AccessError> {
        let place = settings.host_and_port();
        let (host, port) = place.ok_or(AccessError::Incomplete("single host"))?;
        let user = settings.user().ok_or(AccessError::Incomplete("role"))?;
        let login = Login {
            host: host.to_owned(),
            port,
            user: user.to_owned(),
        };
        let config = OnceCell::new();
        Ok(Self { login, config })
    }

    async fn token(&self) -> Result<String, StoreError> {
        let config = self.config.get_or_init(load).await;
        let region = region_of(&self.login.host)
            .map(str::to_owned)
            .or_else(|| config.region().map(ToString::to_string))
            .ok_or_else(|| {
                StoreError::Configuration(
                    "no AWS region is known for the token; set AWS_REGION".to_owned(),
                )
            })?;
        let provider = config.credentials_provider().ok_or_else(no_credentials)?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| match error {
            CredentialsError::CredentialsNotLoaded(_) => no_credentials(),
            other => StoreError::Unavailable(format!("no AWS credentials for a token: {other}")),
        })?;
        self.login.token(&region, credentials, SystemTime::now())
    }
}

/// Loaded once; it finds credentials anew each time.
async fn load() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .load()
        .await
}

fn no_credentials() -> StoreError {
    StoreError::Configuration(
        "no AWS credentials for a token: they are looked for as by every AWS tool".to_owned(),
    )
}

/// `eu-west-1` of `name.hash.eu-west-1.rds.amazonaws.com`; none of an alias.
fn region_of(host: &str) -> Option<&str> {
    let (front, domain) = host.split_once(".rds.")?;
    if !domain.starts_with("amazonaws.com") {
        return None;
    }
    front.rsplit('.').next()
}

impl Login {
    fn token(
        &self,
        region: &str,
        credentials: Credentials,
        time: SystemTime,
    ) -> Result<String, StoreError> {
        let url = format!(
            "{SCHEME}{}:{}/?Action=connect&DBUser={}",
            self.host,
            self.port,
            encoded(&self.user)
        );
        let signature = signature(&url, region, credentials, time).map_err(|error| {
            StoreError::Configuration(format!("a token cannot be signed: {error}"))
        })?;
        let token = url[SCHEME.len()..].to_owned();
        Ok(signature.iter().fold(token, |token, (name, value)| {
            format!("{token}&{name}={}", encoded(value))
        }))
    }
}

type Parameters = Vec<(String, String)>;

fn signature(
    url: &str,
    region: &str,
    credentials: Credentials,
    time: SystemTime,
) -> Result<Parameters, Box<dyn Error + Send + Sync>> {
    let mut settings = SigningSettings::default();
    settings.expires_in = Some(LIFE);
    settings.signature_location = SignatureLocation::QueryParams;
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SERVICE)
        .time(time)
        .settings(settings)
        .build()?;
    let request = SignableRequest::new("GET", url, iter::empty(), SignableBody::Bytes(&[]))?;
    let (instructions, _) = sign(request, &parameters.into())?.into_parts();
    let (_, parameters) = instructions.into_parts();
    let owned = |(name, value): (&str, _)| (name.to_owned(), String::from(value));
    Ok(parameters.into_iter().map(owned).collect())
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(user: &str) -> Login {
        Login {
            host: "prod-instance.us-east-1.rds.amazonaws.com".to_owned(),
            port: 3306,
            user: user.to_owned(),
        }
    }

    fn credentials(secret: &str, session: Option<&str>) -> Credentials {
        Credentials::new("akid", secret, session.map(str::to_owned), None, "test")
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// The example of AWS's own generator in its SDK for Rust (`aws-sdk-rds`).
    #[test]
    fn a_token_is_that_of_the_sdk_for_rust() {
        let token =
            login("peccy").token("us-east-1", credentials("secret", None), at(1_724_709_600));
        assert_eq!(
            token.unwrap(),
            "prod-instance.us-east-1.rds.amazonaws.com:3306/?Action=connect&DBUser=peccy\
             &X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=akid%2F20240826%2Fus-east-1%2Frds-db%2Faws4_request\
             &X-Amz-Date=20240826T220000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=dd0cba843009474347af724090233265628ace491ea17ce3eb3da098b983ad89"
        );
    }

    /// The example in the tests of botocore, whose parameters stand in another order.
    #[test]
    fn its_signature_is_that_of_botocore() {
        let token =
            login("someusername").token("us-east-1", credentials("skid", None), at(1_478_540_373));
        let token = token.unwrap();
        assert!(
            token.ends_with("=d1138cdbc0ca63eec012ec0fc6c2267e03642168f5884a7795320d4c18374c61"),
            "{token}"
        );
    }

    #[test]
    fn temporary_credentials_and_odd_names_are_escaped() {
        let token = login("a b&c").token("us-east-1", credentials("skid", Some("t/+=")), at(0));
        let token = token.unwrap();
        assert!(token.contains("&DBUser=a%20b%26c&"), "{token}");
        assert!(
            token.contains("&X-Amz-Security-Token=t%2F%2B%3D"),
            "{token}"
        );
    }

    #[test]
    fn the_region_is_read_from_the_hosts_name() {
        let region = |host| region_of(host);
        assert_eq!(
            region("db.c1x.eu-west-1.rds.amazonaws.com"),
            Some("eu-west-1")
        );
        assert_eq!(
            region("db.c1x.cn-north-1.rds.amazonaws.com.cn"),
            Some("cn-north-1")
        );
        assert_eq!(region("db.example.com"), None);
        assert_eq!(region("db.rds.example.com"), None);
    }
}
