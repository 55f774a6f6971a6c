//! Receipt handles: as long as real ones, with the slot and the count of its receives at the end.

use crate::load_queue::fault::Refusal;
use crate::load_queue::queue::Receipt;

/// Real handles have some 180 characters, which clients carry about and send back.
const FILLER: &[u8; 172] = b"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0aKzVv9a7x1dDYf3RHLPdnHrVxQ0mcKqkgTtEb9qMOWUzXy3BsLq2u7eZ0oFhN\
5sJp4RiVcXGd8AkTwYbIm6ClHvSxPzUeWnDfQjOgBaMtKrLyE1hNiFsVcXqZpJuRoGdYlTwAkIbMvC";
const LENGTH: usize = FILLER.len() + 16;

pub(crate) fn write(receipt: Receipt, out: &mut Vec<u8>) {
    out.extend_from_slice(FILLER);
    let number = u64::from(receipt.slot) << 32 | u64::from(receipt.generation);
    let digits: [u8; 16] = std::array::from_fn(|place| {
        b"0123456789abcdef"[(number >> (60 - 4 * place) & 15) as usize]
    });
    out.extend_from_slice(&digits);
}

pub(crate) fn read(handle: &str) -> Result<Receipt, Refusal> {
    let numbers = handle
        .as_bytes()
        .strip_prefix(FILLER)
        .filter(|_| handle.len() == LENGTH);
    let numbers = numbers
        .and_then(|numbers| str::from_utf8(numbers).ok())
        .ok_or_else(Refusal::invalid_receipt)?;
    let number = |digits| u32::from_str_radix(digits, 16).map_err(|_| Refusal::invalid_receipt());
    let (slot, generation) = numbers.split_at(8);
    Ok(Receipt {
        slot: number(slot)?,
        generation: number(generation)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_back_from_its_handle() {
        let receipt = Receipt {
            slot: 119_999,
            generation: u32::MAX,
        };
        let mut handle = Vec::new();
        write(receipt, &mut handle);
        assert_eq!(read(str::from_utf8(&handle).unwrap()).unwrap(), receipt);
    }

    #[test]
    fn what_is_no_handle_is_refused() {
        let filler = str::from_utf8(FILLER).unwrap();
        for handle in [
            "",
            "junk",
            filler,
            &format!("{filler}0000000g00000000"),
            &format!("{filler}é00000000000000"),
        ] {
            assert_eq!(
                read(handle).unwrap_err().code,
                "ReceiptHandleIsInvalid",
                "{handle}"
            );
        }
    }
}
