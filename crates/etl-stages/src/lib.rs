#![doc = include_str!("../README.md")]

mod inbox;
mod intake;
mod rules;
mod speech;
mod store;

pub use inbox::Inbox;
pub use intake::{Intake, refused, rejection_of};
pub use rules::Rules;
pub use speech::may_speak;
pub use store::{Rejections, Store};
