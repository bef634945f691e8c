//! Argon2id for new passwords, bcrypt for imported ones, on a bounded pool.
