//! Breached passwords by a list on this machine.
