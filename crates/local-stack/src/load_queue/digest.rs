//! The MD5 digests by which a client checks what arrived: of a body, and of message attributes in the form that the
//! SQS developer guide ("Calculating the MD5 message digest for message attributes") lays down.

use std::collections::BTreeMap;

use md5::{Digest, Md5};

use super::message::{Attribute, AttributeValue};

/// In hexadecimal.
pub(crate) fn of_bytes(bytes: &[u8]) -> [u8; 32] {
    hex(&Md5::digest(bytes))
}

/// None where there are no attributes, as SQS leaves the field out.
pub(crate) fn of_attributes<'a>(
    attributes: impl Iterator<Item = (&'a String, &'a Attribute)>,
) -> Option<String> {
    let sorted: BTreeMap<_, _> = attributes.collect();
    if sorted.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    for (name, attribute) in sorted {
        update(&mut digest, name.as_bytes());
        update(&mut digest, attribute.data_type.as_bytes());
        match &attribute.value {
            AttributeValue::Text(text) => {
                digest.update([1]);
                update(&mut digest, text.as_bytes());
            }
            AttributeValue::Binary(bytes) => {
                digest.update([2]);
                update(&mut digest, bytes);
            }
        }
    }
    Some(String::from_utf8_lossy(&hex(&digest.finalize())).into_owned())
}

fn update(digest: &mut Md5, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    digest.update(length.to_be_bytes());
    digest.update(bytes);
}

fn hex(digest: &[u8]) -> [u8; 32] {
    let mut text = [0; 32];
    for (pair, byte) in text.chunks_exact_mut(2).zip(digest) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_digest_of_rfc_1321() {
        assert_eq!(&of_bytes(b"abc"), b"900150983cd24fb0d6963f7d28e17f72");
    }

    /// The figure is another server's answer to the same attributes.
    #[test]
    fn text_and_binary_attributes_have_the_digest_of_the_guide() {
        let text = Attribute {
            data_type: "String".to_owned(),
            value: AttributeValue::Text("x".to_owned()),
        };
        let binary = Attribute {
            data_type: "Binary".to_owned(),
            value: AttributeValue::Binary(vec![1, 2]),
        };
        let attributes = BTreeMap::from([("b".to_owned(), binary), ("a".to_owned(), text)]);
        let digest = of_attributes(attributes.iter());
        assert_eq!(digest.as_deref(), Some("3e9b4c785db2deb306cf4009ae214dab"));
        assert_eq!(of_attributes(BTreeMap::new().iter()), None);
    }
}
