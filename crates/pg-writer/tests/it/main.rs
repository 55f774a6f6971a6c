//! The store, the tables and the connections, on real Postgres; the in-memory double under the same laws.

mod conformance;

mod support;
