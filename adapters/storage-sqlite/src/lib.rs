//! Everything durable in one SQLite file.
