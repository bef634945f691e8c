//! `[jwt]`: access tokens that services check by themselves.

use super::read::Reader;

/// Longest name of a service.
const LONGEST: usize = 200;

/// Settings of signed access tokens.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// The services they may be for; none are signed where there is none.
    pub audiences: Vec<String>,
    /// How long one holds, in seconds.
    pub lifetime: u64,
}

impl Jwt {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            audiences: reader.list("audiences", audience),
            lifetime: reader.number("lifetime", 300, 30..=3_600),
        }
    }
}

fn audience(text: &str) -> Result<String, String> {
    let sound = !text.trim().is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
    if sound {
        return Ok(text.to_owned());
    }
    Err("must name services as they know themselves, such as `https://orders.example.com`".to_owned())
}
