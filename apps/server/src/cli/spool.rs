//! Putting down what comes by a pipe, to read it more than once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;

use crate::transfer::TransferError;

/// A file with everything that comes, for this process alone: it has no name any more when it is filled, and is gone with the process
/// however that ends.
///
/// # Errors
/// There is no room for it, or the pipe broke.
pub fn spooled(mut input: impl Read) -> Result<File, TransferError> {
    let mut file = nameless().map_err(TransferError::file("putting standard input down in $TMPDIR"))?;
    io::copy(&mut input, &mut file).map_err(TransferError::file("putting standard input down in $TMPDIR"))?;
    Ok(file)
}

/// A file without a name, in $TMPDIR, for this process alone.
///
/// # Errors
/// There is no room for it.
pub fn nameless() -> io::Result<File> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let name = format!(".portcullis-import-{:016x}", u64::from_be_bytes(random));
    let path = std::env::temp_dir().join(name);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek as _, SeekFrom};

    #[test]
    fn what_was_put_down_can_be_read_and_again() {
        let mut file = spooled(&b"abc"[..]).unwrap();
        for _ in 0..2 {
            let mut read = String::new();
            file.seek(SeekFrom::Start(0)).unwrap();
            file.read_to_string(&mut read).unwrap();
            assert_eq!(read, "abc");
        }
    }
}
