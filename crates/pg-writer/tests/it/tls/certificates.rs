//! Certificates of an authority that lives as long as a test.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    date_time_ymd,
};
use tempfile::NamedTempFile;

/// What a server's certificate says.
pub(crate) struct Server {
    host: &'static str,
    years: (i32, i32),
}

impl Server {
    pub(crate) fn valid(host: &'static str) -> Self {
        let years = (2020, 2999);
        Self { host, years }
    }

    pub(crate) fn expired(host: &'static str) -> Self {
        let years = (2020, 2021);
        Self { host, years }
    }

    pub(crate) fn not_yet_valid(host: &'static str) -> Self {
        let years = (2998, 2999);
        Self { host, years }
    }
}

/// A certificate and its key, as PEM.
pub(crate) struct Signed {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// Its own certificate stands in a file, to be trusted.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub(crate) file: NamedTempFile,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = params(Vec::new(), "an authority", (2020, 2999));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), issuer.pem()).unwrap();
        Self { issuer, file }
    }

    pub(crate) fn signs(&self, server: &Server) -> Signed {
        let key = KeyPair::generate().unwrap();
        let params = params(vec![server.host.to_owned()], server.host, server.years);
        Signed {
            certificate: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

fn params(hosts: Vec<String>, name: &str, years: (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::new(hosts).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(years.0, 1, 1);
    params.not_after = date_time_ymd(years.1, 1, 1);
    params
}
