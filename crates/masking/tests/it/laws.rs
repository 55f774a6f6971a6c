//! Laws that hold for every value, not only for the vectors.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use masking::{FieldMasker, Kind, Masked, Scheme};
use proptest::prelude::*;

use crate::keys::{masker, prf_keyset, siv_keyset};

/// A masker without a limit, since arbitrary text is long.
fn unlimited(scheme: Scheme, domain: &str, kind: Kind) -> FieldMasker {
    let builder = FieldMasker::builder(scheme).domain(domain).kind(kind);
    let builder = match scheme {
        Scheme::HmacSha256 => builder.keyset(&prf_keyset()),
        _ => builder.keyset(&siv_keyset()),
    };
    builder.build().unwrap()
}

fn address() -> impl Strategy<Value = IpAddr> {
    let v4 = any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
    let v6 = any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)));
    let sparse = (any::<[bool; 8]>(), any::<[u16; 8]>()).prop_map(|(kept, words)| {
        let words: [u16; 8] =
            core::array::from_fn(|index| if kept[index] { words[index] } else { 0 });
        IpAddr::V6(Ipv6Addr::from(words))
    });
    prop_oneof![v4, v6, sparse]
}

/// One of the spellings of an address: long, in capitals, mapped.
fn spelling(address: IpAddr, choice: u8) -> String {
    match (address.to_canonical(), choice % 3) {
        (IpAddr::V4(address), 0) => address.to_ipv6_mapped().to_string(),
        (IpAddr::V4(address), 1) => format!("::FFFF:{address}"),
        (IpAddr::V6(address), 0) => address
            .segments()
            .map(|word| format!("{word:04X}"))
            .join(":"),
        (IpAddr::V6(address), 1) => address.to_string().to_uppercase(),
        (address, _) => address.to_string(),
    }
}

fn recovered(masker: &FieldMasker, masked: &Masked) -> String {
    masker.unmask(masked.as_str()).unwrap().into_exposed()
}

fn shared_bits(left: IpAddr, right: IpAddr) -> u32 {
    match (left, right) {
        (IpAddr::V4(left), IpAddr::V4(right)) => (left.to_bits() ^ right.to_bits()).leading_zeros(),
        (IpAddr::V6(left), IpAddr::V6(right)) => (left.to_bits() ^ right.to_bits()).leading_zeros(),
        _ => 0,
    }
}

proptest! {
    #[test]
    fn any_text_comes_back_as_it_was(value in any::<String>(), domain in "[a-z_]{0,12}") {
        for scheme in [Scheme::Base64, Scheme::AesSiv] {
            let masker = unlimited(scheme, &domain, Kind::Text);
            let masked = masker.mask(&value).unwrap();
            prop_assert_eq!(recovered(&masker, &masked), &*value);
        }
    }

    #[test]
    fn any_text_longer_than_the_stack_buffer_comes_back(value in ".{200,600}") {
        let masker = unlimited(Scheme::AesSiv, "device_id", Kind::Text);
        let masked = masker.mask(&value).unwrap();
        prop_assert_eq!(recovered(&masker, &masked), &*value);
    }

    #[test]
    fn an_address_comes_back_in_its_canonical_text(address in address(), choice in any::<u8>()) {
        let spelled = spelling(address, choice);
        let canonical = address.to_canonical().to_string();
        for scheme in [Scheme::AesSiv, Scheme::IpcryptPfx] {
            let masker = masker(scheme, "ip", Kind::Ip);
            let masked = masker.mask(&spelled).unwrap();
            prop_assert_eq!(&masked, &masker.mask(&canonical).unwrap());
            prop_assert_eq!(recovered(&masker, &masked), &*canonical);
        }
        let fingerprint = masker(Scheme::HmacSha256, "ip", Kind::Ip);
        prop_assert_eq!(fingerprint.mask(&spelled).unwrap(), fingerprint.mask(&canonical).unwrap());
        let exact = masker(Scheme::Base64, "ip", Kind::Ip);
        let masked = exact.mask(&spelled).unwrap();
        prop_assert_eq!(recovered(&exact, &masked), &*spelled);
    }

    #[test]
    fn equal_text_links_within_a_domain_only(left in any::<String>(), right in any::<String>()) {
        for scheme in [Scheme::AesSiv, Scheme::HmacSha256] {
            let ip = unlimited(scheme, "ip", Kind::Text);
            let device = unlimited(scheme, "device_id", Kind::Text);
            prop_assert_eq!(ip.mask(&left).unwrap(), ip.mask(&left).unwrap());
            prop_assert_ne!(ip.mask(&left).unwrap(), device.mask(&left).unwrap());
            let linked = ip.mask(&left).unwrap() == ip.mask(&right).unwrap();
            prop_assert_eq!(linked, left == right);
        }
    }

    #[test]
    fn ipcrypt_pfx_keeps_exactly_the_shared_prefix(address in address(), flipped in 0_u32..128) {
        let neighbour = match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4((address.to_bits() ^ (1 << (flipped % 32))).into()),
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() ^ (1 << flipped)).into()),
        };
        prop_assume!(neighbour == neighbour.to_canonical());
        let masker = masker(Scheme::IpcryptPfx, "ip", Kind::Ip);
        let mask = |address: IpAddr| -> IpAddr {
            masker.mask(&address.to_string()).unwrap().as_str().parse().unwrap()
        };
        let shared = shared_bits(address.to_canonical(), neighbour);
        prop_assert_eq!(shared_bits(mask(address), mask(neighbour)), shared);
    }

    #[test]
    fn arbitrary_masked_text_is_refused_without_a_panic(text in any::<String>(), bytes in any::<Vec<u8>>()) {
        let plain = unlimited(Scheme::Base64, "ip", Kind::Text);
        let encoded: String = bytes.iter().map(|byte| char::from(b"AQgw+/-_=zZ09"[usize::from(byte % 13)])).collect();
        for scheme in [Scheme::Base64, Scheme::AesSiv, Scheme::IpcryptPfx] {
            let masker = masker(scheme, "ip", Kind::Ip);
            for text in [&text, &encoded, plain.mask(&text).unwrap().as_str()] {
                let unmasked = masker.unmask(text);
                prop_assert!(scheme == Scheme::Base64 || unmasked.is_err() || text.parse::<IpAddr>().is_ok());
            }
        }
    }

    #[test]
    fn mask_into_appends(before in any::<String>(), value in any::<String>()) {
        for scheme in [Scheme::Base64, Scheme::AesSiv, Scheme::HmacSha256, Scheme::Truncate, Scheme::Redact] {
            let masker = unlimited(scheme, "device_id", Kind::Text);
            let mut output = before.clone();
            masker.mask_into(&value, &mut output).unwrap();
            prop_assert_eq!(output, format!("{before}{}", masker.mask(&value).unwrap()));
        }
    }
}
