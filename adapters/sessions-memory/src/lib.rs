//! Sessions, pending flows and limits in memory: gone at restart.
