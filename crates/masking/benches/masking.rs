//! Both fields of one login, masked on one core into text that is used again: `cargo bench -p masking`.
//! A figure is the time for the pair of values.

use divan::{Bencher, black_box};
use masking::{FieldMasker, IpcryptKey, Key, Keyset, Kind, Scheme};

const ADDRESS: &str = "199.172.111.135";
const DEVICE: &str = "593-47-5928";

fn main() {
    divan::main();
}

fn masker(scheme: Scheme, domain: &str, kind: Kind) -> FieldMasker {
    let key = match scheme {
        Scheme::HmacSha256 => Key::hmac_prf(1, &[7; 32]),
        _ => Key::aes_siv(1, &[7; 64]),
    };
    let keyset = key
        .and_then(|key| Keyset::new(vec![key], 1))
        .expect("a keyset of one key");
    let bytes = core::array::from_fn(|index| u8::try_from(index).unwrap_or_default());
    let ipcrypt_key = IpcryptKey::from_bytes(&bytes).expect("halves that differ");
    let builder = FieldMasker::builder(scheme)
        .domain(domain)
        .kind(kind)
        .max_chars(256);
    builder
        .keyset(&keyset)
        .ipcrypt_key(&ipcrypt_key)
        .build()
        .expect("everything was given")
}

/// The device id is no address: next to `ipcrypt-pfx` it is masked with `aes-siv`.
fn pair(scheme: Scheme) -> (FieldMasker, FieldMasker) {
    let device_scheme = match scheme {
        Scheme::IpcryptPfx => Scheme::AesSiv,
        other => other,
    };
    (
        masker(scheme, "ip", Kind::Ip),
        masker(device_scheme, "device_id", Kind::Text),
    )
}

fn names() -> Vec<&'static str> {
    Scheme::ALL.iter().map(|scheme| scheme.name()).collect()
}

#[divan::bench(args = names(), sample_count = 1000, sample_size = 100)]
fn mask_both_fields(bencher: Bencher<'_, '_>, name: &str) {
    let (ip, device) = pair(name.parse().expect("a name of the list"));
    let mut output = String::with_capacity(512);
    bencher.bench_local(|| {
        output.clear();
        let masked = ip.mask_into(black_box(ADDRESS), &mut output);
        let masked = masked.and_then(|()| device.mask_into(black_box(DEVICE), &mut output));
        black_box(masked)
    });
}

#[divan::bench(args = ["base64", "aes-siv", "ipcrypt-pfx"], sample_count = 1000, sample_size = 100)]
fn unmask_both_fields(bencher: Bencher<'_, '_>, name: &str) {
    let (ip, device) = pair(name.parse().expect("a name of the list"));
    let masked_ip = ip.mask(ADDRESS).expect("an address");
    let masked_device = device.mask(DEVICE).expect("a short text");
    bencher.bench_local(|| {
        let ip = ip.unmask(black_box(masked_ip.as_str()));
        (ip, device.unmask(black_box(masked_device.as_str())))
    });
}
