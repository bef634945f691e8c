/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// There is nothing in it.
    #[error("there is nothing in it")]
    Empty,
    /// More than memory should hold.
    #[error(
        "it holds more than {0} lines, the most that are read into memory: bring it into sorted SHA-1 form"
    )]
    TooLong(usize),
    /// A large list of hashes without order.
    #[error(
        "its hashes are not in order near byte {0}, and it is too large for memory: sort it (LC_ALL=C sort -f)"
    )]
    Unsorted(u64),
    /// A line of a list of hashes that is none.
    #[error("line {0} holds no SHA-1")]
    NoHash(usize),
    /// The same, found by its place.
    #[error("there is no SHA-1 behind byte {0}")]
    NoHashAt(u64),
    /// Hashes of Windows passwords.
    #[error("it holds NTLM hashes; the list of SHA-1 hashes is needed")]
    Ntlm,
}
