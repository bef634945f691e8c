//! One-time passwords once more, from the standards alone: the codes that an authenticator app shows are not made by what judges them.

/// Seconds a code is shown.
pub const STEP: i64 = 30;

/// The step a moment is in.
pub const fn step_at(millis: i64) -> i64 {
    millis.div_euclid(1000 * STEP)
}

/// What an app with that secret (base32) shows in a step (RFC 6238 section 4, RFC 4226 section 5.3).
pub fn code(secret: &str, step: i64) -> String {
    let digest = hmac(&unbase32(secret), &step.to_be_bytes());
    let offset = usize::from(digest.last().copied().unwrap_or(0) & 15);
    let chosen = digest.iter().skip(offset).take(4);
    let number = chosen.fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// RFC 4648 section 6, without padding.
fn unbase32(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => continue,
        };
        held = (held << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.extend(u8::try_from((held >> bits) & 255));
        }
    }
    bytes
}

/// RFC 2104 with SHA-1; keys here are shorter than a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let padded = |with: u8| -> Vec<u8> {
        let zeros = std::iter::repeat(&0_u8);
        key.iter().chain(zeros).take(64).map(|byte| byte ^ with).collect()
    };
    let inner = sha1(&[padded(0x36), text.to_vec()].concat());
    sha1(&[padded(0x5c), inner].concat())
}

/// FIPS 180-4 section 6.1.
fn sha1(text: &[u8]) -> Vec<u8> {
    let mut padded = text.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    let bits = u64::try_from(text.len()).unwrap_or(0) * 8;
    padded.extend(bits.to_be_bytes());
    let mut state = [
        0x6745_2301_u32,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    for block in padded.chunks(64) {
        state = round(state, block);
    }
    state.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn round(state: [u32; 5], block: &[u8]) -> [u32; 5] {
    let mut words: Vec<u32> = block
        .chunks(4)
        .map(|four| four.iter().fold(0, |word, byte| (word << 8) | u32::from(*byte)))
        .collect();
    while words.len() < 80 {
        let back = |by: usize| words.iter().rev().nth(by - 1).copied().unwrap_or(0);
        let next = (back(3) ^ back(8) ^ back(14) ^ back(16)).rotate_left(1);
        words.push(next);
    }
    let mut now = state;
    for (at, word) in words.iter().enumerate() {
        let [first, b, c, d, last] = now;
        let (mixed, constant) = match at {
            0..20 => ((b & c) | (!b & d), 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let sum = [first.rotate_left(5), mixed, last, constant, *word];
        let next = sum.iter().fold(0_u32, |sum, part| sum.wrapping_add(*part));
        now = [next, first, b.rotate_left(30), c, d];
    }
    for (former, word) in state.iter().zip(&mut now) {
        *word = word.wrapping_add(*former);
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        let texts: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        texts.concat()
    }

    #[test]
    fn a_known_text_has_its_known_digest() {
        assert_eq!(hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        let long = sha1(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
        assert_eq!(hex(&long), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    }

    #[test]
    fn the_published_codes_are_shown_at_their_moments() {
        // RFC 6238 appendix B, the last six digits.
        for (seconds, shown) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            let step = step_at(seconds * 1000);
            assert_eq!(code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", step), shown);
        }
    }

    #[test]
    fn both_sides_agree_on_any_secret() {
        use crate::world::Seeded;
        use domain::credential::TotpSecret;
        use domain::time::Timestamp;
        for seed in 0..200 {
            let secret = TotpSecret::draw(&mut Seeded(seed));
            let now = 1_795_287_972_795 + i64::try_from(seed).unwrap() * 7_777_777;
            let step = step_at(now);
            let shown = code(secret.expose().expose(), step);
            let taken = secret.step_of(&shown, 0, Timestamp::from_millis(now));
            assert!(taken.is_some_and(|taken| taken.abs_diff(u64::try_from(step).unwrap()) <= 1));
        }
    }
}
