//! The pages people see: server-rendered, complete without JavaScript.

pub mod render;
pub mod view;
