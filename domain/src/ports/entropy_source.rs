use crate::entropy::Entropy;

/// Opens sources of unpredictable bytes.
pub trait EntropySource: Send + Sync {
    /// A source for one step. MUST be fit for keys and tokens.
    fn open(&self) -> Box<dyn Entropy + Send>;
}
