//! Breached passwords by a range query: five characters of a hash leave the machine.
