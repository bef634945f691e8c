//! Reading XML: one bounded tree, and handles on its elements.

mod names;
mod node;
mod time;
mod tree;
mod write;

pub use names::*;
pub use node::{Doubled, Node};
pub use time::{parse_duration, parse_time};
pub use tree::{MESSAGE, METADATA, Tree};
pub use write::escape;
