//! One column of a batch, kept in the wire form of a Postgres array from the first push on, so that a statement
//! binds it with one copy and bisection can bind any stretch of its rows. Knows nothing of which column it is.

use std::fmt;
use std::ops::Range;

use bytes::{BufMut as _, BytesMut};

use diesel::pg::Pg;
use diesel::serialize::{IsNull, Output, Result, ToSql};
use diesel::sql_types::{Array, HasSqlType, Nullable, SqlType};
use tokio_postgres::types::{self as driver, Type};

/// Type oids of `pg_type.dat`; fixed for built-in types.
pub(crate) mod oid {
    pub(crate) const INTEGER: u32 = 23;
    pub(crate) const TEXT: u32 = 25;
    pub(crate) const DATE: u32 = 1082;
    pub(crate) const TIMESTAMPTZ: u32 = 1184;
    pub(crate) const UUID: u32 = 2950;
}

/// The elements of an array in Postgres's binary format: each a length (-1 for NULL) and its bytes, big-endian.
pub(crate) struct Column {
    element_oid: u32,
    elements: Vec<u8>,
    ends: Vec<usize>,
}

impl Column {
    pub(crate) fn new(element_oid: u32) -> Self {
        Self {
            element_oid,
            elements: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Appends one value.
    ///
    /// # Panics
    /// When a single value is 2 GiB or more, which no queue delivers.
    pub(crate) fn push(&mut self, value: Option<&[u8]>) {
        match value {
            Some(bytes) => {
                let length = i32::try_from(bytes.len()).expect("a value is under 2 GiB");
                self.elements.extend_from_slice(&length.to_be_bytes());
                self.elements.extend_from_slice(bytes);
            }
            None => self.elements.extend_from_slice(&(-1_i32).to_be_bytes()),
        }
        self.ends.push(self.elements.len());
    }

    /// Appends all rows of `other`, which is left empty.
    pub(crate) fn append(&mut self, other: &mut Self) {
        let offset = self.elements.len();
        self.elements.append(&mut other.elements);
        self.ends
            .extend(other.ends.drain(..).map(|end| end + offset));
    }

    pub(crate) fn slice(&self, rows: Range<usize>) -> ColumnSlice<'_> {
        let start = rows
            .start
            .checked_sub(1)
            .map_or(0, |before| self.ends[before]);
        let end = rows.end.checked_sub(1).map_or(0, |last| self.ends[last]);
        ColumnSlice {
            element_oid: self.element_oid,
            count: rows.len(),
            elements: &self.elements[start..end],
        }
    }

    /// One row's bytes; `None` is NULL.
    pub(crate) fn value(&self, row: usize) -> Option<&[u8]> {
        let (length, bytes) = self.slice(row..row + 1).elements.split_at(4);
        (length != (-1_i32).to_be_bytes()).then_some(bytes)
    }

    /// A new column with the rows that `keep` names, in order.
    pub(crate) fn select(&self, keep: &[usize]) -> Self {
        let mut selected = Self::new(self.element_oid);
        for &row in keep {
            selected
                .elements
                .extend_from_slice(self.slice(row..row + 1).elements);
            selected.ends.push(selected.elements.len());
        }
        selected
    }
}

/// A stretch of rows of a [`Column`], bound as one array parameter.
#[derive(Clone, Copy)]
pub(crate) struct ColumnSlice<'a> {
    element_oid: u32,
    count: usize,
    elements: &'a [u8],
}

/// Counts only: the elements are people's data.
impl fmt::Debug for ColumnSlice<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ColumnSlice({} rows)", self.count)
    }
}

impl ColumnSlice<'_> {
    /// Source of the layout: `array_recv` in Postgres's `arrayfuncs.c`.
    fn write(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        let dimensions = i32::from(self.count > 0);
        let may_hold_null = 1_i32;
        out.write_all(&dimensions.to_be_bytes())?;
        out.write_all(&may_hold_null.to_be_bytes())?;
        out.write_all(&self.element_oid.to_be_bytes())?;
        if self.count > 0 {
            let count = i32::try_from(self.count).map_err(std::io::Error::other)?;
            let lower_bound = 1_i32;
            out.write_all(&count.to_be_bytes())?;
            out.write_all(&lower_bound.to_be_bytes())?;
        }
        out.write_all(self.elements)
    }

    pub(crate) fn array_type(&self) -> Type {
        match self.element_oid {
            oid::INTEGER => Type::INT4_ARRAY,
            oid::DATE => Type::DATE_ARRAY,
            oid::TIMESTAMPTZ => Type::TIMESTAMPTZ_ARRAY,
            oid::UUID => Type::UUID_ARRAY,
            _ => Type::TEXT_ARRAY,
        }
    }
}

/// As the driver binds it.
impl driver::ToSql for ColumnSlice<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<driver::IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.write(&mut out.writer())?;
        Ok(driver::IsNull::No)
    }

    fn accepts(element: &Type) -> bool {
        matches!(element.kind(), driver::Kind::Array(_))
    }

    driver::to_sql_checked!();
}

/// As diesel binds it.
impl<Element> ToSql<Array<Nullable<Element>>, Pg> for ColumnSlice<'_>
where
    Element: SqlType<IsNull = diesel::sql_types::is_nullable::NotNull>,
    Pg: HasSqlType<Element>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> Result {
        self.write(out)?;
        Ok(IsNull::No)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[Option<&str>]) -> Column {
        let mut column = Column::new(oid::TEXT);
        values
            .iter()
            .for_each(|value| column.push(value.map(str::as_bytes)));
        column
    }

    #[test]
    fn a_slice_holds_its_own_rows_and_no_others() {
        let column = texts(&[Some("a"), None, Some("ccc")]);
        assert_eq!(column.slice(0..1).elements, [0, 0, 0, 1, b'a']);
        assert_eq!(column.slice(1..2).elements, [255, 255, 255, 255]);
        assert_eq!(column.slice(2..3).elements, [0, 0, 0, 3, b'c', b'c', b'c']);
        assert!(column.slice(0..0).elements.is_empty());
    }

    #[test]
    fn appending_moves_every_row() {
        let mut column = texts(&[Some("a")]);
        let mut tail = texts(&[None, Some("b")]);
        column.append(&mut tail);
        assert!(tail.ends.is_empty() && tail.elements.is_empty());
        assert_eq!(column.slice(2..3).elements, [0, 0, 0, 1, b'b']);
    }

    #[test]
    fn selecting_keeps_the_named_rows() {
        let selected = texts(&[Some("a"), Some("b"), None]).select(&[0, 2]);
        assert_eq!(selected.ends.len(), 2);
        assert_eq!(selected.slice(1..2).elements, [255, 255, 255, 255]);
    }

    #[test]
    fn debug_shows_no_element() {
        let column = texts(&[Some("199.172.111.135")]);
        assert_eq!(format!("{:?}", column.slice(0..1)), "ColumnSlice(1 rows)");
    }
}
