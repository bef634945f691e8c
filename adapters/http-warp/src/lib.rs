//! The driving adapter: REST in LoopBack's dialect, pages, and the accept loop.

pub mod pages;
pub mod serve;
