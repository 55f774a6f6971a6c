//! Receipt handles: which queue, which message, which of its receives. Opaque to readers, as SQS's are.

/// What a handle says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) index: usize,
    /// Counts the receives of one message; only the newest is good.
    pub(super) generation: u32,
}

pub(super) fn write(queue: &str, receipt: Receipt) -> String {
    format!("{queue}#{:x}#{:x}", receipt.index, receipt.generation)
}

/// `None` for what is no handle of that queue.
pub(super) fn read(queue: &str, handle: &str) -> Option<Receipt> {
    let (index, generation) = handle
        .strip_prefix(queue)?
        .strip_prefix('#')?
        .split_once('#')?;
    Some(Receipt {
        index: usize::from_str_radix(index, 16).ok()?,
        generation: u32::from_str_radix(generation, 16).ok()?,
    })
}
