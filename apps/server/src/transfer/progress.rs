//! How far it came.

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Records.
    Records,
    /// Bytes of a file.
    Bytes,
}

/// Hears how far a transfer came. Called very often: must be quick.
pub trait Progress: Send + Sync {
    /// A stage begins; `total` where it is known.
    fn begin(&self, stage: &'static str, unit: Unit, total: Option<u64>);
    /// So much of it is done.
    fn at(&self, done: u64);
    /// The stage is over.
    fn end(&self);
}

/// Tells nobody.
#[cfg(test)]
pub struct Silent;

#[cfg(test)]
impl Progress for Silent {
    fn begin(&self, _: &'static str, _: Unit, _: Option<u64>) {}
    fn at(&self, _: u64) {}
    fn end(&self) {}
}
