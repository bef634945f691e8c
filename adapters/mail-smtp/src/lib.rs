//! Mail by SMTP, in words that can be replaced.
