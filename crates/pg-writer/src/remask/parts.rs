//! The tables that `user_logins` consists of: itself, or its partitions one behind the other, so that a walk sees one long
//! row of blocks and need not know.

use std::ops::Range;

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;

use crate::error::{StoreError, of_plain_statement};
use crate::pool::Pool;

/// In the order of their names, which is that of their months.
const PARTS: &str = "SELECT oid::regclass::text, pg_relation_size(oid) / current_setting('block_size')::bigint \
    FROM pg_class WHERE relkind = 'r' AND (oid = to_regclass('user_logins') \
    OR oid IN (SELECT relid FROM pg_partition_tree(to_regclass('user_logins')))) ORDER BY 1";

/// One table that has blocks.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// As SQL writes it, quoted and with its schema where need be.
    pub(super) name: String,
    /// Which blocks of all are its own.
    blocks: Range<u32>,
}

impl Part {
    /// What it has of `blocks`, as it counts them itself.
    pub(super) fn own(&self, blocks: &Range<u32>) -> Option<Range<u32>> {
        let start = blocks.start.max(self.blocks.start);
        let end = blocks.end.min(self.blocks.end);
        (start < end).then(|| start - self.blocks.start..end - self.blocks.start)
    }

    /// Before its first block.
    pub(super) fn offset(&self) -> u32 {
        self.blocks.start
    }

    pub(super) fn holds(&self, block: u32) -> bool {
        self.blocks.contains(&block)
    }

    pub(super) fn end(&self) -> u32 {
        self.blocks.end
    }
}

/// The parts as they are now. Blocks past the four thousand millionth, at 32 TB, are left out.
pub(super) async fn parts(pool: &Pool) -> Result<Vec<Part>, StoreError> {
    let mut connection = pool.get().await?;
    let query = sql::<(Text, BigInt)>(PARTS);
    let found = pool.run(query.load(&mut *connection)).await;
    let found: Vec<(String, i64)> = found.map_err(|error| of_plain_statement(&error))?;
    Ok(in_a_row(found))
}

fn in_a_row(found: Vec<(String, i64)>) -> Vec<Part> {
    let mut end = 0_u32;
    let part = |(name, blocks): (String, i64)| {
        let start = end;
        end = end.saturating_add(u32::try_from(blocks).unwrap_or(u32::MAX));
        Part {
            name,
            blocks: start..end,
        }
    };
    found.into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_several_parts_are_told_apart() {
        let parts = in_a_row(vec![
            ("a".to_owned(), 3),
            ("b".to_owned(), 0),
            ("c".to_owned(), 2),
        ]);
        let own: Vec<_> = parts.iter().map(|part| part.own(&(2..4))).collect();
        assert_eq!(own, [Some(2..3), None, Some(0..1)]);
        assert_eq!((parts[2].offset(), parts[2].end()), (3, 5));
        assert!(parts[0].holds(2) && !parts[0].holds(3));
    }
}
