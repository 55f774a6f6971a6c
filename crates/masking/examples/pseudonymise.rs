//! The life of one field: a keyset is made, values are masked, the key is rotated, an old value is recovered.
//! `cargo run -p masking --example pseudonymise`

use masking::{FieldMasker, KeyType, Keyset, Kind, Scheme};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut keyset = Keyset::generate(KeyType::AesSiv)?;
    let before = masker(&keyset)?;
    let first = before.mask("199.172.111.135")?;
    println!("masked:           {first}");
    println!(
        "another spelling: {}",
        before.mask("::ffff:199.172.111.135")?
    );

    // Rotation: every reader gets the keyset with the new key before a writer uses it.
    keyset.add_generated()?;
    keyset.promote(None)?;
    let after = masker(&keyset)?;
    println!("after rotation:   {}", after.mask("199.172.111.135")?);
    println!(
        "to look it up:    {:?}",
        after.mask_all_keys("199.172.111.135")?
    );

    let recovered = after.unmask(first.as_str())?;
    println!(
        "recovered:        {} (which prints as {recovered:?})",
        recovered.expose()
    );
    for key in keyset.show() {
        let role = if key.primary { "masks" } else { "recovers" };
        println!("key {:>10}  {} {}", key.key_id, key.status, role);
    }
    Ok(())
}

fn masker(keyset: &Keyset) -> Result<FieldMasker, masking::BuildError> {
    FieldMasker::builder(Scheme::AesSiv)
        .domain("ip")
        .kind(Kind::Ip)
        .keyset(keyset)
        .max_chars(256)
        .build()
}
