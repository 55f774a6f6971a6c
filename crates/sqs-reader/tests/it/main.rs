//! The reader and its transports, against the queue in memory and against real servers.

mod memory;
