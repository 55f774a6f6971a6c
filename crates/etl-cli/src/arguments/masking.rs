//! How personal data is masked: there is no default, and the refusal to choose one explains the choices.

use std::path::PathBuf;

use etl_access::keys::{Choice, Keys};
use login_model::Maskers;
use masking::Scheme;

use super::KekArguments;
use crate::failure::Failure;

/// How the PII fields are masked
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Masking")]
pub(crate) struct MaskingArguments {
    /// How ip and device_id are masked; no default, since how PII is protected is your decision
    #[arg(long, value_name = "SCHEME", env = "ETL_MASKING", value_parser = scheme,
        long_help = format!("How ip and device_id are masked; no default, since how PII is protected is your \
            decision. One of\n{}", choices()))]
    pub(crate) masking: Option<Scheme>,
    /// Another scheme for ip
    #[arg(long, value_name = "SCHEME", env = "ETL_MASK_IP", value_parser = scheme)]
    pub(crate) mask_ip: Option<Scheme>,
    /// Another scheme for device_id
    #[arg(long, value_name = "SCHEME", env = "ETL_MASK_DEVICE_ID", value_parser = scheme)]
    pub(crate) mask_device_id: Option<Scheme>,
    /// The key file, for the schemes that need a key; `etl keyset new` makes one
    #[arg(long, value_name = "FILE", env = "ETL_KEYSET")]
    pub(crate) keyset: Option<PathBuf>,
    /// Another key file for ip
    #[arg(long, value_name = "FILE", env = "ETL_KEYSET_IP")]
    pub(crate) keyset_ip: Option<PathBuf>,
    /// Another key file for device_id
    #[arg(long, value_name = "FILE", env = "ETL_KEYSET_DEVICE_ID")]
    pub(crate) keyset_device_id: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) kek: KekArguments,
}

pub(super) fn scheme(name: &str) -> Result<Scheme, String> {
    name.parse()
        .map_err(|_| format!("expected one of\n{}", choices()))
}

fn choices() -> String {
    let line = |scheme: &Scheme| format!("  {:<12} {}", scheme.to_string(), scheme.description());
    Scheme::ALL.iter().map(line).collect::<Vec<_>>().join("\n")
}

impl MaskingArguments {
    pub(crate) async fn maskers(&self) -> Result<Maskers, Failure> {
        let ip = self.mask_ip.or(self.masking).ok_or_else(no_scheme)?;
        let device_id = self.mask_device_id.or(self.masking);
        let shared = self.keyset.as_deref();
        let ip = Choice {
            scheme: ip,
            key_file: self.keyset_ip.as_deref().or(shared),
        };
        let device_id = Choice {
            scheme: device_id.ok_or_else(no_scheme)?,
            key_file: self.keyset_device_id.as_deref().or(shared),
        };
        let mut keys = Keys::new(self.kek.keyset_kek.as_ref());
        Ok(keys.maskers(ip, device_id).await?)
    }
}

fn no_scheme() -> Failure {
    Failure::usage(format!("--masking is not given, and has no default\n{}", choices()))
        .hint("aes-siv is what most should choose: duplicates stay visible, and whoever has the keyset can recover values")
}
