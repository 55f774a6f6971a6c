//! Where a row stands: block and item, as Postgres's `ctid` has it. An update moves the row.

use std::fmt;
use std::io::Write as _;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::SqlType;

/// Type oids of `tid` and its array in `pg_type.dat`; fixed for built-in types.
pub(crate) const OID: u32 = 27;

/// Postgres's `tid`, which diesel does not know.
#[derive(Debug, Clone, Copy, SqlType)]
#[diesel(postgres_type(oid = 27, array_oid = 1010))]
pub(crate) struct Tid;

/// The place of a row at the time when it was read. Blocks count through all partitions, one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromSqlRow, AsExpression)]
#[diesel(sql_type = Tid)]
pub struct Place {
    block: u32,
    item: u16,
}

impl Place {
    /// Before the first row of a block.
    pub(crate) const fn start_of(block: u32) -> Self {
        Self { block, item: 0 }
    }

    pub(crate) const fn block(self) -> u32 {
        self.block
    }

    /// The same item of another block.
    pub(crate) const fn at_block(self, block: u32) -> Self {
        Self { block, ..self }
    }

    /// The wire form (`tidsend` in Postgres's `tid.c`).
    pub(crate) fn to_bytes(self) -> [u8; 6] {
        let mut bytes = [0; 6];
        let (block, item) = bytes.split_at_mut(4);
        block.copy_from_slice(&self.block.to_be_bytes());
        item.copy_from_slice(&self.item.to_be_bytes());
        bytes
    }
}

/// As SQL writes it: `(block,item)`.
impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "({},{})", self.block, self.item)
    }
}

impl FromSql<Tid, Pg> for Place {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let bytes = value.as_bytes();
        let (block, item) = bytes.split_first_chunk().ok_or("a tid is six bytes")?;
        Ok(Self {
            block: u32::from_be_bytes(*block),
            item: u16::from_be_bytes(item.try_into()?),
        })
    }
}

impl ToSql<Tid, Pg> for Place {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&self.to_bytes())?;
        Ok(IsNull::No)
    }
}
