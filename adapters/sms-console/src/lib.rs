//! Text messages printed to the console.
